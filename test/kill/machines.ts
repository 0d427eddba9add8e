/** Bake hosts as machines: which one has a bake, and what it is when one is gone with all that ran on it. */
import path from 'node:path';
import type { BakeRequest } from '../../src/domain/version.ts';
import type { BakeAttempt } from '../../src/registry/contract/bakes.ts';
import { type Installation, killAll, type Part, processesNaming, until } from '../support/installation.ts';

/** A host that was seen within this time may be given new work: the registry's rule. */
const seenWithinMs = 15_000;

/** The attempt of a request that is current now; waits until there is one. */
export async function attemptOf({ registry }: Installation, request: BakeRequest): Promise<BakeAttempt> {
  const find = async () => {
    const { versionId } = await registry.requests.get(request.project, request.id);
    const attempts = versionId === null ? [] : await registry.bakes.attemptsOf(versionId);
    return attempts.find(({ state }) => state === 'current');
  };
  await until('an attempt is open', async () => (await find()) !== undefined);
  const attempt = await find();
  if (attempt === undefined) throw new Error('the attempt was closed at once');
  return attempt;
}

/** The host that an installation starts with. */
export function theHost({ hosts: [host] }: Installation): Part {
  if (host === undefined) throw new Error('an installation has a bake host');
  return host;
}

/** The host process, and everything that it started: a power cut, as far as the others can see. */
export async function killMachine({ folder, images }: Installation, host: Part): Promise<void> {
  await host.kill();
  const places = [path.join(folder, host.name, '/'), path.join(images, 'launches', '/')];
  const living = () => places.flatMap((place) => processesNaming(place));
  await until(`nothing of ${host.name} lives`, () => {
    // Supervisors first: a machine without power writes no last word.
    const all = living();
    killAll(all.filter(({ command }) => command.includes('supervise.ts')));
    killAll(all);
    return all.length === 0;
  });
}

/** Until the registry gives the dead host no new work: then another test can begin. */
export async function forgotten({ registry }: Installation, dead: readonly Part[]): Promise<void> {
  const names = new Set(dead.map(({ name }) => name));
  await until(
    'dead hosts are out of the choice',
    async () => {
      const [hosts, now] = [await registry.hosts.list(), Date.parse(await registry.now())];
      return hosts.every(({ name, seenAt }) => !names.has(name) || now - Date.parse(seenAt) > seenWithinMs);
    },
    seenWithinMs + 5_000,
  );
}
