import type { BakeAttempt } from '../registry/contract/bakes.ts';
import type { BakeHost } from '../registry/contract/hosts.ts';

/** No host can take the bake yet. */
export interface HostWait {
  /** For people: what is waited for, and what to do where waiting alone does not help. */
  readonly waitingFor: string;
  /** Known to be in vain before. Milliseconds. */
  readonly forMs?: number;
}

/** The registry gives no work to a host that was not seen for so long; one that stopped in order says that it has no slots. */
const seenWithinMs = 15_000;

/**
 * A host that went away may still bake: its supervisor ends Packer at the attempt's deadline, and only after that and a grace another
 * one begins. Undefined when none can bake any more. Pure.
 */
export function waitingForLost(
  lost: readonly BakeAttempt[],
  graceMs: number,
  now: string,
): HostWait | undefined {
  const [last] = lost.toSorted((a, b) => Date.parse(b.deadline) - Date.parse(a.deadline));
  if (last === undefined) return undefined;
  const overAt = Date.parse(last.deadline) + graceMs;
  const forMs = overAt - Date.parse(now);
  if (forMs <= 0) return undefined;
  const until = new Date(overAt).toISOString();
  return { waitingFor: `bake host ${last.hostId} went away; another one begins after ${until}`, forMs };
}

/** Told apart, because each has another remedy: no host at all, none that has the builders, all that have them busy. Pure. */
export function waitingFor(builders: readonly string[], hosts: readonly BakeHost[], now: string): string {
  const running = hosts.filter(
    ({ seenAt, slots }) => slots > 0 && Date.parse(now) - Date.parse(seenAt) < seenWithinMs,
  );
  if (running.length === 0) {
    const away = hosts.length === 0 ? '' : ` (${namesOf(hosts)} not seen lately)`;
    return `waiting for a bake host: none is running${away}; start one with \`bakehouse bake-host\``;
  }
  const able = running.filter((host) => builders.every((builder) => host.builders.includes(builder)));
  const what = `the builder ${builders.join(' and ')}`;
  if (able.length === 0) {
    const had = running
      .map(({ name, builders: has }) => `${name} has ${has.join(', ') || 'none'}`)
      .join('; ');
    return `waiting for a bake host with ${what}: no running one has it (${had}); \`bakehouse doctor\` there says what is missing`;
  }
  const slots = able.reduce((sum, host) => sum + host.slots, 0);
  return `waiting for a free bake host: all ${String(slots)} slots of ${namesOf(able)} are taken; it begins when one is free`;
}

const namesOf = (hosts: readonly BakeHost[]) => hosts.map(({ name }) => name).join(', ');
