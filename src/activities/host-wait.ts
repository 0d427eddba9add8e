import type { BakeHost } from '../registry/contract/hosts.ts';

/** No host can take the bake yet. */
export interface HostWait {
  /** For people: what is waited for, and what to do where waiting alone does not help. */
  readonly waitingFor: string;
}

/** The registry gives no work to a host that was not seen for so long; one that stopped in order says that it has no slots. */
const seenWithinMs = 15_000;

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
