/** An outage of ten minutes makes thousands of equal lines. The first is written at once, then one per interval, with the count. */
export interface OutageLines {
  /** How many equal lines were swallowed since the last one that was let through; `undefined`: swallow this one too. */
  admit(line: string): number | undefined;
}

interface Seen {
  at: number;
  swallowed: number;
}

export function createOutageLines(everyMs: number, now: () => number = Date.now): OutageLines {
  const seen = new Map<string, Seen>();
  return {
    admit(line) {
      const key = line.replaceAll(/\d+/g, '#').slice(0, 300);
      const at = now();
      const before = seen.get(key);
      if (before !== undefined && at - before.at < everyMs) {
        before.swallowed += 1;
        return undefined;
      }
      // Lines that differ in every occurrence must not fill the memory.
      if (seen.size >= 1_000) seen.clear();
      seen.set(key, { at, swallowed: 0 });
      return before?.swallowed ?? 0;
    },
  };
}
