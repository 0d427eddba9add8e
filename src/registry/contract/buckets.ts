import type { Actor } from '../../domain/actor.ts';

interface Described {
  readonly project: string;
  readonly bucket: string;
  readonly description: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly by: Actor;
}

/** Buckets as clients make them; those of image lines are made by `Lines.apply`. */
export interface Buckets {
  /** With its managed and restricted channel `latest`. `already_exists` when the project has one of that name. */
  create(input: Described): Promise<void>;
  /** Replaces both. `not_found` when there is none. */
  describe(input: Described): Promise<void>;
}
