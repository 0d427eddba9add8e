/** How often the same caller may ask, counted in the memory of this process. */

/** Callers that are remembered. The ones that asked longest ago are forgotten first, which lets them ask again. */
const remembered = 10_000;
const minute = 60_000;

export class RateLimit {
  readonly #everyMs: number;
  readonly #now: () => number;
  /** When a caller has waited off all that it took, each call being worth its share of a minute. */
  readonly #paidOff = new Map<string, number>();

  /** `perMinute` at once and, after that, evenly. `now` in milliseconds, never going back. */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#everyMs = minute / perMinute;
    this.#now = now;
  }

  /** Zero: this call may go on, and is counted. Else the milliseconds until one may. */
  take(caller: string): number {
    const at = this.#now();
    const paidOff = Math.max(at, this.#paidOff.get(caller) ?? at);
    // Whole ones: sums of fractions are off by a trifle, which would refuse the last call of a minute.
    const waitMs = Math.max(0, Math.floor(paidOff - at - (minute - this.#everyMs)));
    // Taken out first: a Map keeps the order in which keys came.
    this.#paidOff.delete(caller);
    this.#paidOff.set(caller, waitMs === 0 ? paidOff + this.#everyMs : paidOff);
    const [oldest] = this.#paidOff.keys();
    if (this.#paidOff.size > remembered && oldest !== undefined) this.#paidOff.delete(oldest);
    return waitMs;
  }
}
