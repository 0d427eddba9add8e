/** A cloud with real state in memory, as far as the later life of images goes: what is launchable, shared, announced, published, used. */
import { Failure } from '../../../src/domain/failure.ts';
import { type ImageRef, type Target, targetKey } from '../../../src/domain/target.ts';
import type {
  Capabilities,
  ImageProvider,
  ImageState,
  PointerRef,
  UsesReport,
} from '../../../src/providers/provider.ts';

export interface CloudImage {
  isLaunchable: boolean;
  shares: readonly string[];
  deprecatedAt?: string;
  /** Who runs it. */
  uses: string[];
}

export interface CloudOptions {
  readonly capabilities?: Partial<Capabilities>;
  readonly now: () => string;
  /** Waits before every effect: where a scheduler may interleave. */
  readonly pause?: (what: string) => Promise<void>;
}

/** Disabling drops the shares and enabling does not bring them back, as AWS does it. */
export class Cloud {
  readonly images = new Map<string, CloudImage>();
  readonly pointers = new Map<string, string>();
  /** Places that do not answer. */
  readonly unreachable = new Set<string>();
  /** Inventories that could not be asked. */
  inventoryComplete = true;
  inventoryAgeMs = 0;
  /** Effects in order, `block aws/1/eu: ami-1`. */
  readonly acts: string[] = [];
  readonly #options: CloudOptions;

  constructor(options: CloudOptions) {
    this.#options = options;
  }

  add(image: ImageRef, shares: readonly string[] = []): void {
    this.images.set(keyOf(image), { isLaunchable: true, shares, uses: [] });
  }

  imageAt(image: ImageRef): CloudImage | undefined {
    return this.images.get(keyOf(image));
  }

  get provider(): ImageProvider {
    const { capabilities } = this.#options;
    return {
      code: 'fake',
      places: [],
      builders: [],
      capabilities: {
        disable: 'blocks',
        deprecate: true,
        share: true,
        pointers: true,
        distribute: false,
        tagShares: false,
        readDisk: false,
        hostBound: false,
        ...capabilities,
      },
      images: {
        collect: unused,
        findFinished: unused,
        inspect: async (image) => {
          await this.#reach(image.target, `inspect ${image.imageId}`);
          return this.#stateOf(image);
        },
        setLaunchable: async (image, isLaunchable) => {
          await this.#reach(image.target, `${isLaunchable ? 'enable' : 'block'} ${image.imageId}`);
          const found = this.imageAt(image);
          if (found !== undefined && found.isLaunchable !== isLaunchable) {
            found.isLaunchable = isLaunchable;
            if (!isLaunchable) found.shares = [];
            this.acts.push(`${isLaunchable ? 'enable' : 'block'} ${keyOf(image)}`);
          }
          return this.#stateOf(image);
        },
        remove: async (image) => {
          await this.#reach(image.target, `remove ${image.imageId}`);
          if (this.images.delete(keyOf(image))) this.acts.push(`remove ${keyOf(image)}`);
        },
        uses: async (image) => {
          await this.#reach(image.target, `uses of ${image.imageId}`);
          return this.#usesOf(image);
        },
      },
      machines: { launch: unused, status: unused, run: unused, console: unused, terminate: unused },
      cleanup: { leftovers: unused, sweep: unused },
      ...(capabilities?.pointers === false
        ? {}
        : {
            pointers: {
              read: async (pointer: PointerRef) => {
                await this.#reach(pointer.target, 'read a pointer');
                return this.pointers.get(pointerKey(pointer));
              },
              write: async (pointer: PointerRef, imageId: string | undefined) => {
                await this.#reach(pointer.target, 'write a pointer');
                if (imageId === undefined) this.pointers.delete(pointerKey(pointer));
                else this.pointers.set(pointerKey(pointer), imageId);
                this.acts.push(`publish ${pointerKey(pointer)} ${imageId ?? 'nothing'}`);
                return this.pointers.get(pointerKey(pointer));
              },
            },
          }),
      ...(capabilities?.share === false
        ? {}
        : {
            sharing: {
              read: async (image: ImageRef) => {
                await this.#reach(image.target, 'read shares');
                const found = this.imageAt(image);
                if (found === undefined) throw new Failure('not_found', `${keyOf(image)} is not there`);
                return found.shares;
              },
              write: async (image: ImageRef, shares: readonly string[]) => {
                await this.#reach(image.target, 'write shares');
                const found = this.imageAt(image);
                if (found === undefined) return [];
                found.shares = shares;
                this.acts.push(`share ${keyOf(image)}`);
                return shares;
              },
            },
          }),
      ...(capabilities?.deprecate === false
        ? {}
        : {
            deprecate: async (image: ImageRef, at: string | undefined) => {
              await this.#reach(image.target, `deprecate ${image.imageId}`);
              const found = this.imageAt(image);
              if (found !== undefined) {
                if (at === undefined) delete found.deprecatedAt;
                else found.deprecatedAt = at;
                this.acts.push(`deprecate ${keyOf(image)} ${at ?? 'never'}`);
              }
              return this.#stateOf(image);
            },
          }),
      checkSettings: () => ({ bootTimeoutMs: 300_000 }),
      doctor: async () => [],
    };
  }

  async #reach(target: Target, what: string): Promise<void> {
    await this.#options.pause?.(what);
    if (this.unreachable.has(targetKey(target))) {
      throw new Failure('provider_unavailable', `${targetKey(target)} does not answer`);
    }
  }

  #stateOf(image: ImageRef): ImageState {
    const found = this.imageAt(image);
    if (found === undefined) return { presence: 'missing', tags: {} };
    return {
      presence: found.isLaunchable ? 'present' : 'disabled',
      tags: {},
      ...(found.deprecatedAt === undefined ? {} : { deprecatedAt: found.deprecatedAt }),
    };
  }

  #usesOf(image: ImageRef): UsesReport {
    const uses = this.imageAt(image)?.uses ?? [];
    return {
      complete: this.inventoryComplete,
      asOf: new Date(Date.parse(this.#options.now()) - this.inventoryAgeMs).toISOString(),
      uses: uses.map((id) => ({ kind: 'instance', id, target: image.target })),
    };
  }
}

export const keyOf = ({ target, imageId }: ImageRef): string => `${targetKey(target)}: ${imageId}`;
export const pointerKey = ({ target, bucket, channel }: PointerRef): string =>
  `${targetKey(target)}: ${bucket}/${channel}`;

function unused(): never {
  throw new Failure('unsupported', 'the fake cloud has only the later life of images');
}
