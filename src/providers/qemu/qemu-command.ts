/** How a machine is started. All file names are relative to the launch's folder, so no path can break an option. */
import type { LaunchSettings } from './settings.ts';

export function qemuArguments(name: string, settings: LaunchSettings): readonly string[] {
  const accelerator = settings.accelerator === 'tcg' ? 'tcg,thread=multi' : 'kvm';
  const options: readonly (readonly [string, string?])[] = [
    ['-name', name],
    ['-no-user-config'],
    ['-nodefaults'],
    ['-display', 'none'],
    // QEMU itself may start no program and raise no privilege, whatever the guest makes of it.
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny'],
    ['-machine', 'pc'],
    ['-accel', accelerator],
    ['-cpu', 'max'],
    ['-m', String(settings.memoryMb)],
    ['-smp', String(settings.cpus)],
    ['-drive', 'file=overlay.qcow2,if=virtio,format=qcow2,discard=unmap'],
    ['-drive', 'file=seed.img,if=virtio,format=raw,readonly=on'],
    // The guest reaches nobody; only this machine reaches its SSH port.
    ['-netdev', 'user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22'],
    ['-device', 'virtio-net-pci,netdev=net0,romfile='],
    ['-device', 'virtio-rng-pci'],
    ['-serial', 'file:console.log'],
    ['-qmp', 'unix:qmp.sock,server=on,wait=off'],
  ];
  return options.flat().filter((word) => word !== undefined);
}
