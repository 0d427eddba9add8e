import type { Actor } from '../../domain/actor.ts';
import type { ImageLine, LineChange } from '../../domain/image-line.ts';

export interface BucketSummary {
  readonly id: string;
  readonly project: string;
  readonly bucket: string;
  readonly description: string;
  readonly line: ImageLine | null;
  /** Number of the latest complete version, 0 when none. */
  readonly latestNumber: number;
  readonly createdAt: string;
}

/** A template folder as content: relative path to bytes. Stored once per digest. */
export interface TemplateSnapshot {
  readonly digest: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
}

export interface Lines {
  /** What `apply` would do; changes nothing. Refuses unknown parents and template digests that were not uploaded. */
  plan(project: string, lines: readonly ImageLine[]): Promise<readonly LineChange[]>;
  /**
   * Creates or changes the named buckets with their channels (and `latest`). Buckets that are not named stay as they are;
   * a channel that the line no longer names stays with its history and loses its place in the order.
   */
  apply(project: string, lines: readonly ImageLine[], by: Actor): Promise<readonly LineChange[]>;
  get(project: string, bucket: string): Promise<BucketSummary>;
  list(project: string): Promise<readonly BucketSummary[]>;
  putTemplate(snapshot: TemplateSnapshot): Promise<void>;
  hasTemplate(digest: string): Promise<boolean>;
  getTemplate(digest: string): Promise<TemplateSnapshot>;
}
