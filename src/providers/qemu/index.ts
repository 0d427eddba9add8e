/**
 * The `qemu` provider: images are qcow2 files with digests in one store, machines are QEMU processes that boot them by
 * their own boot loader. Real, local and without an account.
 */
import type { ImageProvider } from '../provider.ts';
import { cleanup } from './cleanup.ts';
import { collect } from './collect.ts';
import { doctor } from './doctor.ts';
import { deprecate, findFinished, inspect, remove, setLaunchable, sharing, uses } from './images.ts';
import { machines } from './machines.ts';
import { pointers } from './pointers.ts';
import { prepareBake } from './prepare-bake.ts';
import { searchDisk } from './search-disk.ts';
import { parseLaunchSettings } from './settings.ts';
import { createStore } from './store.ts';
import type { Supervise } from './supervise.ts';
import type { QemuTools } from './tools.ts';

export interface QemuOptions {
  /** Absolute; reached by all bake hosts of the installation. */
  readonly storeDir: string;
  readonly tools: QemuTools;
  readonly supervise: Supervise;
}

export function createQemuProvider({ storeDir, tools, supervise }: QemuOptions): ImageProvider {
  const store = createStore(storeDir);
  const machine = machines(store, tools, supervise);
  return {
    code: 'qemu',
    places: [{ target: { provider: 'qemu', account: 'local', region: 'local' } }],
    capabilities: {
      disable: 'blocks',
      deprecate: true,
      share: true,
      pointers: true,
      distribute: false,
      tagShares: false,
      readDisk: true,
      hostBound: true,
    },
    // `file` copies a disk that was made elsewhere; it is verified like any other.
    builders: ['qemu', 'file'],
    images: {
      collect: (input, context) => collect(store, tools, input, context),
      findFinished: ({ bakeId }, targets) => findFinished(store, bakeId, targets),
      inspect: (image) => inspect(store, image),
      setLaunchable: (image, launchable) => setLaunchable(store, image, launchable),
      remove: (image) => remove(store, image),
      uses: (image) => uses(store, supervise, image),
    },
    machines: machine,
    cleanup: cleanup(store, machine),
    pointers: pointers(store),
    sharing: sharing(store),
    deprecate: (image, at) => deprecate(store, image, at),
    searchDisk: (image, needles, context) => searchDisk(store, tools, image, needles, context),
    prepareBake: ({ mark, folder }) => prepareBake(tools, mark, folder),
    checkSettings(settings) {
      const { bootTimeoutMs } = parseLaunchSettings(settings);
      return { bootTimeoutMs };
    },
    doctor: () => doctor(store, tools),
  };
}
