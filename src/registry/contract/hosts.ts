/** A process that runs Packer; its id is a UUID in its locked data folder. */
export interface BakeHost {
  readonly id: string;
  readonly name: string;
  /** Packer builders it can run (`qemu`, `file`, `amazon-ebs`). */
  readonly builders: readonly string[];
  readonly slots: number;
  readonly seenAt: string;
}

export interface Hosts {
  beat(host: Omit<BakeHost, 'seenAt'>): Promise<void>;
  /** The least loaded host seen lately that has the builders; undefined when none. */
  pick(needs: { builders: readonly string[]; except: readonly string[] }): Promise<BakeHost | undefined>;
  list(): Promise<readonly BakeHost[]>;
}
