/** OSV's format → what the registry keeps of it. */
import type { z } from 'zod';
import type { Advisory, AdvisoryRange } from '../../registry/contract/vulnerabilities.ts';
import type { osvAdvisory } from '../descriptors/schemas/osv.ts';
import { criticalityOf } from './criticality.ts';

export type OsvAdvisory = z.output<typeof osvAdvisory>;
type Affected = NonNullable<OsvAdvisory['affected']>[number];

const longestDescription = 2000;

export const toAdvisory = (osv: OsvAdvisory): Advisory => ({
  id: osv.id,
  // Surrogates in halves are left where a text is cut.
  description: (osv.summary ?? osv.details ?? '').slice(0, longestDescription).toWellFormed(),
  criticality: criticalityOf(osv),
  aliases: osv.aliases ?? [],
  related: osv.related ?? [],
  publishedAt: instant(osv.published),
  modifiedAt: instant(osv.modified),
  withdrawnAt: instant(osv.withdrawn),
  affected: (osv.affected ?? []).flatMap(affectedOf),
});

function affectedOf({ package: named, ranges, versions }: Affected): Advisory['affected'] {
  // Some name commits of a repository only.
  if (named === null || named === undefined) return [];
  return [
    {
      ecosystem: named.ecosystem,
      name: named.name,
      ranges: (ranges ?? [])
        .filter(({ type }) => type !== 'GIT')
        .map(({ events }) => events.flatMap(eventsOf)),
      versions: versions ?? [],
    },
  ];
}

const kinds = ['introduced', 'fixed', 'last_affected', 'limit'] as const;

const eventsOf = (
  event: Readonly<Partial<Record<(typeof kinds)[number], string | undefined>>>,
): AdvisoryRange =>
  kinds.flatMap((kind) => {
    const version = event[kind];
    // Without an end: what OSV writes as a limit that is none.
    return version === undefined || version === '' || version === '*' ? [] : [{ kind, version }];
  });

/** A date that is none is left out: the advisory counts all the same. */
function instant(written: string | null | undefined): string | null {
  const ms = /^\d{4}-/.test(written ?? '') ? Date.parse(written ?? '') : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
