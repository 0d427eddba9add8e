/** A test launch survives the death of either process alone, and of both: the same machine goes on and the release completes. */
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation, processesNaming, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage } from './clean-slate.ts';
import { apply, ask, project, slowLine } from './lines.ts';
import { theHost } from './machines.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await install();
  // The check keeps the machine at work for longer than a process takes to come back.
  const tests = [{ name: 'takes its time', kind: 'command', command: 'sleep 6', timeoutMs: 60_000 }] as const;
  await apply(installation, await slowLine(0, { tests }));
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(() => expectNothingLeft(installation), 90_000);

const machines = () =>
  processesNaming(path.join(installation.images, 'launches', '/')).filter(
    ({ command }) => command.includes('qemu-system') && command.includes('-drive'),
  );

describe.each([
  ['worker', () => [installation.worker]],
  ['bake host', () => [theHost(installation)]],
  ['worker and bake host', () => [installation.worker, theHost(installation)]],
] as const)('kill -9 of the %s', (_name, victims) => {
  it('while the test machine runs: the same machine goes on, is tested once and ended, and the release completes', async () => {
    const { registry } = installation;
    const request = await ask(installation, 'slow', 'release');
    await until('the test machine runs', () => machines().length > 0, 120_000);
    const before = machines();
    expect(await registry.ledger.listOpen()).toMatchObject([{ kind: 'machine' }]);

    await Promise.all(victims().map((part) => part.kill()));
    expect(machines()).toEqual(before);
    await Promise.all(victims().map((part) => part.startAgain()));

    const version = await expectOneImage(installation, await ended(installation, request, 180_000));
    expect(version.tested).toBe(true);
    const events = await registry.events.list(project, { versionId: version.id, limit: 1_000 });
    expect(events.filter(({ kind }) => kind === 'artifact.tested')).toHaveLength(1);
    const { effective } = await registry.channels.get(project, 'slow', 'dev');
    expect(effective.versionId).toBe(version.id);
    expect(machines()).toEqual([]);
    expect(await registry.ledger.listOpen()).toEqual([]);
  }, 300_000);
});
