import type { AdvisoryRange } from '../contract/vulnerabilities.ts';
import { compareVersions } from './versions/compare.ts';

export interface AffectedVersions {
  readonly ecosystem: string;
  readonly ranges: readonly AdvisoryRange[];
  readonly versions: readonly string[];
}

/** What is fixed comes before what begins in the same version. */
const places = ['fixed', 'limit', 'introduced', 'last_affected'] as const;

/** Whether a version is affected, and the next one of its range that is not; undefined: it is not. By OSV's own algorithm. */
export function affects(
  { ecosystem, ranges, versions }: AffectedVersions,
  version: string,
): { readonly fixedVersion: string | null } | undefined {
  const compare = (a: string, b: string) =>
    // OSV's first version of all.
    a === '0' || b === '0' ? Number(b === '0') - Number(a === '0') : compareVersions(ecosystem, a, b);
  let affected = versions.includes(version);
  let fixed: string | null = null;
  for (const events of ranges) {
    if (events.some((event) => compare(event.version, version) === undefined)) continue;
    const sorted = events.toSorted(
      (a, b) => (compare(a.version, b.version) ?? 0) || places.indexOf(a.kind) - places.indexOf(b.kind),
    );
    let inside = false;
    let next: string | null = null;
    for (const event of sorted) {
      const order = compare(event.version, version) ?? 0;
      if (event.kind === 'introduced' && order <= 0) inside = true;
      if ((event.kind === 'fixed' || event.kind === 'limit') && order <= 0) inside = false;
      if (event.kind === 'last_affected' && order < 0) inside = false;
      if (event.kind === 'fixed' && order > 0) next ??= event.version;
    }
    affected ||= inside;
    if (inside || versions.includes(version)) fixed ??= next;
  }
  return affected ? { fixedVersion: fixed } : undefined;
}
