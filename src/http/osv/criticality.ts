import cvss from 'ae-cvss-calculator';
import type { Criticality } from '../../domain/vulnerability.ts';
import type { OsvAdvisory } from './advisory.ts';

const words: Readonly<Record<string, Criticality>> = {
  critical: 'critical',
  high: 'high',
  important: 'high',
  moderate: 'medium',
  medium: 'medium',
  low: 'low',
  minor: 'low',
  negligible: 'low',
  unimportant: 'low',
};

/** By the newest CVSS vector; where there is none, by the word of whoever wrote the advisory. */
export function criticalityOf(osv: Omit<OsvAdvisory, 'id'>): Criticality {
  const severities = [...(osv.severity ?? []), ...(osv.affected ?? []).flatMap((one) => one.severity ?? [])];
  const scored = severities
    .filter(({ type }) => type.startsWith('CVSS'))
    .toSorted((a, b) => b.type.localeCompare(a.type, 'en'))
    .map(({ score }) => byScore(scoreOf(score)))
    .find((one) => one !== 'unknown');
  if (scored !== undefined) return scored;
  const written = [
    ...severities.map(({ score }) => score),
    osv.database_specific?.severity,
    ...(osv.affected ?? []).flatMap((one) => [
      one.ecosystem_specific?.severity,
      one.ecosystem_specific?.urgency,
      one.database_specific?.severity,
    ]),
  ];
  const known = written.flatMap((word) =>
    typeof word === 'string' ? (words[word.toLowerCase()] ?? []) : [],
  );
  return known[0] ?? 'unknown';
}

function scoreOf(vector: string): number {
  try {
    const { overall }: { readonly overall?: unknown } = cvss.fromVector(vector)?.calculateScores() ?? {};
    return typeof overall === 'number' ? overall : 0;
  } catch {
    return 0;
  }
}

/** CVSS's own steps. A vector without a score says nothing. */
function byScore(score: number): Criticality {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'unknown';
}
