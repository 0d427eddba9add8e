import type { ImageProvider } from '../../../src/providers/provider.ts';

/** A place with one pointer and images that are all launchable. Something may come between the decision to write and the first write. */
export class PointerCloud {
  /** What it was made to show, one after the other. */
  readonly writes: (string | undefined)[] = [];
  /** `bucket/channel`, as they were named. */
  readonly names = new Set<string>();
  beforeFirstWrite: (() => Promise<void>) | undefined;
  #shown: string | undefined;

  constructor(shown?: string) {
    this.#shown = shown;
  }

  get provider(): ImageProvider {
    const parts: Partial<ImageProvider> = {
      pointers: {
        read: async () => this.#shown,
        write: async ({ bucket, channel }, imageId) => {
          this.names.add(`${bucket}/${channel}`);
          const before = this.beforeFirstWrite;
          this.beforeFirstWrite = undefined;
          await before?.();
          if (this.#shown !== imageId) this.writes.push(imageId);
          return (this.#shown = imageId);
        },
      },
    };
    const images = { inspect: async () => ({ presence: 'present', tags: {} }) };
    const whole: unknown = { ...parts, code: 'qemu', images };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts of the contract that publishing uses
    return whole as ImageProvider;
  }
}
