import type { EnforcementPlace, EnforcementWish } from './revocation.ts';

/** Nobody can launch it there any more. */
export function isBlocked({ lastKnown }: EnforcementPlace): boolean {
  return lastKnown === 'disabled' || lastKnown === 'missing' || lastKnown === 'deleted';
}

/** The image is not there any more, so nothing is left to be done to it. */
export function isGone({ lastKnown }: EnforcementPlace): boolean {
  return lastKnown === 'missing' || lastKnown === 'deleted';
}

/**
 * Places where the wish is not true yet, as far as it is urgent: a usable image must not be known as blocked, any other one must be
 * blocked. Announcements and deletions come after and are not asked for.
 */
export function placesBehind(wish: EnforcementWish): readonly EnforcementPlace[] {
  return wish.places.filter((place) => {
    if (isGone(place)) return false;
    return isBlocked(place) === (wish.wanted === 'usable');
  });
}

/** An inventory older than this proves nothing about who uses an image now. */
export const freshForMs = 15 * 60_000;

/** Why an image must not be deleted, or undefined when it is proved that nothing uses it. `now`: the registry's clock. */
export function deletionObstacle(
  report: {
    readonly complete: boolean;
    readonly why?: string;
    readonly asOf: string;
    readonly uses: readonly { readonly kind: string; readonly id: string }[];
  },
  now: string,
): string | undefined {
  if (!report.complete) {
    const why = report.why === undefined ? '' : `: ${report.why}`;
    return `not every inventory was reached, so it may still be in use${why}`;
  }
  const ageMs = Date.parse(now) - Date.parse(report.asOf);
  // A date that cannot be read gives no proof either.
  if (!(ageMs <= freshForMs))
    return `the inventory of ${report.asOf} is too old to prove that nothing uses it`;
  if (report.uses.length === 0) return undefined;
  const named = report.uses.slice(0, 5).map(({ kind, id }) => `${kind} ${id}`);
  const more = report.uses.length > named.length ? ` and ${report.uses.length - named.length} more` : '';
  return `in use by ${named.join(', ')}${more}`;
}

/**
 * Whether the date that a cloud shows says what is wanted. Clouds round to the minute, and take no date of the past: of an end that has
 * passed they show the next minutes after it was announced. `now`: the registry's clock.
 */
export function isAnnounced(shown: string | undefined, wanted: string | null, now: string): boolean {
  if (shown === undefined || wanted === null) return shown === undefined && wanted === null;
  const [shownMs, wantedMs, nowMs] = [Date.parse(shown), Date.parse(wanted), Date.parse(now)];
  if (wantedMs <= nowMs && shownMs <= nowMs + 3 * 60_000) return true;
  return Math.abs(shownMs - wantedMs) <= 60_000;
}
