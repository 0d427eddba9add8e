import type { Resolution } from '../../domain/channel.ts';
import type { Version } from '../../domain/version.ts';
import type { Sight } from './channels.ts';

export interface Versions {
  /** One that was deleted, too: what was begun for it ends. */
  get(versionId: string): Promise<Version>;
  /** `v3`, `3`, a fingerprint or a version id; `not_found` names the latest few. */
  find(project: string, bucket: string, name: string): Promise<Version>;
  list(
    project: string,
    bucket: string,
    page?: { before?: string; limit?: number },
  ): Promise<readonly Version[]>;
  /** What a consumer uses now. Refuses unassigned (`not_found`) and revoked (`illegal_state`) with the reason and the date. */
  resolve(project: string, bucket: string, channel: string, sight?: Sight): Promise<Resolution>;
  /** Versions baked from this one, with every descendant, nearest first. */
  descendants(
    versionId: string,
  ): Promise<readonly { versionId: string; bucket: string; versionName: string; depth: number }[]>;
}
