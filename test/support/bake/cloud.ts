/** A provider in memory, with images, machines and what bakes leave; named `qemu` because lines name a provider. */
import { Failure } from '../../../src/domain/failure.ts';
import type { ImageRef, Target } from '../../../src/domain/target.ts';
import type { ImageProvider, Machine, Providers } from '../../../src/providers/provider.ts';

export const place: Target = { provider: 'qemu', account: 'local', region: 'local' };
export const elsewhere: Target = { ...place, region: 'elsewhere' };

interface StoredImage {
  readonly bakeId: string;
  readonly attemptId: string;
  readonly source: string;
  readonly digest: string;
  /** Text that is on its disk. */
  readonly disk: string;
}

export class FakeCloud {
  readonly images = new Map<string, StoredImage>();
  readonly machines = new Map<string, { readonly imageId: string; readonly commands: string[] }>();
  /** Mark → what carries it and is no finished image. */
  readonly leftovers = new Map<string, string>();
  launches = 0;
  /** What the next machines do instead of booting well. */
  boot: 'well' | 'never' | 'stops' = 'well';
  console = 'login: ';
  readonly machineId = '0123456789abcdef0123456789abcdef';
  authorized = '';
  hostKeyAgeS = 0;
  readonly onDisk: string[] = [];
  /** Copies that the cloud was asked for, answered or not. */
  copiesMade = 0;
  readonly shares = new Map<string, readonly string[]>();

  readonly provider: ImageProvider = {
    code: 'qemu',
    places: [{ target: place }],
    builders: ['qemu'],
    capabilities: {
      disable: 'blocks',
      deprecate: false,
      share: true,
      pointers: false,
      distribute: true,
      tagShares: false,
      readDisk: true,
      hostBound: true,
    },
    images: {
      collect: async (input) => {
        const { mark, artifact, targets } = input;
        const before = this.images.get(mark.imageName);
        if (before === undefined) {
          if (!(await input.stillCurrent()))
            throw new Failure('conflict', `attempt ${mark.attemptId} is not current`);
          const { bakeId, attemptId } = mark;
          this.images.set(mark.imageName, {
            bakeId,
            attemptId,
            source: artifact.source,
            digest: `sha256:${mark.imageName}`,
            disk: this.onDisk.join(' '),
          });
        }
        const [target = place] = targets;
        return [{ target, imageId: mark.imageName, digest: `sha256:${mark.imageName}`, sizeBytes: 1 }];
      },
      findFinished: async ({ bakeId }) =>
        [...this.images]
          .filter(([, image]) => image.bakeId === bakeId)
          .map(([imageId, { source, digest }]) => ({ target: place, imageId, source, digest, sizeBytes: 1 })),
      inspect: async ({ imageId }: ImageRef) => {
        const image = this.images.get(imageId);
        if (image === undefined) return { presence: 'missing', tags: {} };
        return { presence: 'present', reference: `/store/${imageId}`, digest: image.digest, tags: {} };
      },
      setLaunchable: async () => ({ presence: 'present', tags: {} }),
      remove: async ({ imageId }) => void this.images.delete(imageId),
      uses: async () => ({ complete: true, asOf: new Date().toISOString(), uses: [] }),
    },
    machines: {
      launch: async ({ launchId, image }) => {
        if (!this.images.has(image.imageId)) throw new Failure('not_found', `no image ${image.imageId}`);
        if (!this.machines.has(launchId)) {
          this.launches++;
          this.machines.set(launchId, { imageId: image.imageId, commands: [] });
        }
        return { launchId, target: image.target, machineId: `m-${launchId}`, handle: {} };
      },
      status: async ({ launchId }) => {
        if (!this.machines.has(launchId)) return { state: 'missing' };
        if (this.boot === 'well') return { state: 'booted', bootMs: 4321 };
        return { state: this.boot === 'never' ? 'starting' : 'stopped' };
      },
      run: async (machine, command) => {
        this.#machine(machine).commands.push(command);
        return { exitCode: command.startsWith('false') ? 1 : 0, stdout: this.#answer(command), stderr: '' };
      },
      console: async () => this.console,
      terminate: async (launchId) => void this.machines.delete(launchId),
    },
    cleanup: {
      leftovers: async (mark) => [
        ...[...this.leftovers]
          .filter(([, owner]) => owner === mark)
          .map(([id]) => ({ kind: 'disk', id, target: place, mark })),
        ...(this.images.has(mark) ? [{ kind: 'image', id: mark, target: elsewhere, mark }] : []),
      ],
      sweep: async ({ kind, id }) => void (kind === 'image' ? this.images : this.leftovers).delete(id),
    },
    sharing: {
      read: async ({ imageId }) => this.shares.get(imageId) ?? [],
      write: async ({ imageId }, shares) => {
        this.shares.set(imageId, shares);
        return shares;
      },
    },
    distribution: {
      copy: async ({ copyId, source, target }) => {
        const original = this.images.get(source.imageId);
        if (original === undefined) throw new Failure('not_found', `no image ${source.imageId}`);
        if (!this.images.has(copyId)) {
          this.copiesMade++;
          this.images.set(copyId, original);
        }
        return { target, imageId: copyId, digest: original.digest, sizeBytes: 1 };
      },
    },
    searchDisk: async ({ imageId }, needles) => {
      const disk = this.images.get(imageId)?.disk ?? '';
      return needles.filter((needle) => disk.includes(needle));
    },
    prepareBake: async ({ mark, folder }) => ({
      variables: { ssh_private_key_file: `${folder}/key` },
      mustBeGone: [`PUBLIC-${mark.attemptId}`],
    }),
    checkSettings: () => ({ bootTimeoutMs: 300_000 }),
    doctor: async () => [],
  };

  readonly providers: Providers = {
    get: (code) => {
      if (code !== 'qemu') throw new Failure('unsupported', `no provider ${code}; there is qemu`);
      return this.provider;
    },
    all: () => [this.provider],
  };

  #machine({ launchId }: Machine) {
    const machine = this.machines.get(launchId);
    if (machine === undefined) throw new Failure('not_found', `no machine ${launchId}`);
    return machine;
  }

  #answer(command: string): string {
    if (command.includes('machine-id')) return `${this.machineId}\n`;
    if (command.includes('authorized_keys')) return this.authorized;
    if (command.includes('uptime')) {
      return `${String(1_000_000 - this.hostKeyAgeS)} /etc/ssh/ssh_host_ed25519_key\n1000010 10.5 clock\n`;
    }
    return 'done';
  }
}
