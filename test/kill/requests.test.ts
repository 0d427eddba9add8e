import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { openGates } from '../../src/domain/image-line.ts';
import type { BakeRequest, Version } from '../../src/domain/version.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { install, type Installation, processesNaming, until } from '../support/installation.ts';
import { ended, expectNothingLeft, expectOneImage, imagesOf } from './clean-slate.ts';
import { stopAt } from './hold-up.ts';
import { apply, ask, by, project, slowLine } from './lines.ts';
import { statusOf, terminate, typed, withTemporal } from './temporal.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await install();
  const slow = await slowLine(1, { channels: [{ name: 'dev', gates: openGates }] });
  const approved = { ...openGates, approvals: 1, approvalDeadlineMs: 600_000 };
  const gated = { ...slow, bucket: 'gated', channels: [...slow.channels, { name: 'prod', gates: approved }] };
  await apply(installation, slow, gated);
}, 120_000);
afterAll(() => installation.stop(), 60_000);
afterEach(async () => {
  for (const point of ['validate', 'build', 'built'] as const) installation.packer.release(point);
  await expectNothingLeft(installation);
}, 120_000);

const versionsOf = (bucket: string): Promise<readonly Version[]> =>
  installation.registry.versions.list(project, bucket);

const now = ({ id }: BakeRequest): Promise<BakeRequest> => installation.registry.requests.get(project, id);

/** A request whose Packer runs until it is released. */
async function running(kind: 'bake' | 'release', key?: string): Promise<BakeRequest> {
  installation.packer.hold('build');
  const request = await ask(installation, 'slow', kind, key);
  await until('Packer runs', () => installation.packer.reached('build'));
  return request;
}

/** No attempt of the request is current any more: its host has the slot again. */
async function expectSlotsFree(request: BakeRequest): Promise<void> {
  const { versionId } = await now(request);
  const attempts = await installation.registry.bakes.attemptsOf(versionId ?? '');
  expect(attempts.filter(({ state }) => state === 'current')).toEqual([]);
}

describe('the same request', () => {
  it('twice at once is one release', async () => {
    const { registry, packer } = installation;
    const [builds, versions] = [packer.builds(), (await versionsOf('slow')).length];

    const [one, other] = await Promise.all([
      ask(installation, 'slow', 'release', 'pipeline 1'),
      ask(installation, 'slow', 'release', 'pipeline 1'),
    ]);
    expect(other.id).toBe(one.id);
    const version = await expectOneImage(installation, await ended(installation, one, 180_000));
    expect(packer.builds() - builds).toBe(1);
    expect(await versionsOf('slow')).toHaveLength(versions + 1);

    const again = await ask(installation, 'slow', 'release', 'pipeline 1');
    expect(again).toMatchObject({ id: one.id, state: 'succeeded', attempt: 1, versionId: version.id });
    const events = await registry.events.list(project, { versionId: version.id, limit: 1_000 });
    expect(events.filter(({ kind }) => kind === 'artifact.tested')).toHaveLength(1);
  }, 240_000);

  it('typed into Temporal under another id does nothing that another run does, and names that one', async () => {
    const { packer } = installation;
    const builds = packer.builds();
    const request = await running('bake', 'pipeline 2');
    const { id: requestId, workflowId } = request;

    const holder = `is held by the workflow ${workflowId}`;
    expect(await typed(installation, 'bake', 'mine', { requestId, attempt: 1 })).toContain(holder);
    expect(await typed(installation, 'bake', 'mine too', { bucket: 'slow', key: 'pipeline 2' })).toContain(
      holder,
    );
    expect(await now(request)).toMatchObject({ state: 'open', attempt: 1 });

    packer.release('build');
    await expectOneImage(installation, await ended(installation, request));
    expect(packer.builds() - builds).toBe(1);
    // Afterwards it is told what came of it.
    expect(await typed(installation, 'bake', 'mine', { requestId, attempt: 1 })).toBe('completed');
    expect(packer.builds() - builds).toBe(1);
  }, 120_000);

  it('typed as a release, with its bake and its test typed as well, is one release still', async () => {
    const { packer } = installation;
    const builds = packer.builds();
    const request = await running('release');
    const { id: requestId, workflowId } = request;

    expect(await typed(installation, 'release', 'my release', { requestId, attempt: 1 })).toContain(
      `is held by the workflow ${workflowId}`,
    );
    expect(await typed(installation, 'bake', 'my bake', { requestId, attempt: 1 })).toContain(
      `is held by the workflow ${workflowIds.bake(project, requestId, 1)}`,
    );
    packer.release('build');
    const artifactId = await testedArtifact(request);
    expect(await typed(installation, 'testLaunch', 'my test', { artifactId })).toContain(
      `is held by the workflow ${workflowIds.testLaunch(project, artifactId)}`,
    );
    await expectOneImage(installation, await ended(installation, request, 180_000));
    expect(packer.builds() - builds).toBe(1);
  }, 240_000);
});

describe('asked for again', () => {
  it('one that failed is its next attempt, with the same pins', async () => {
    const seed = path.join(installation.folder, 'not-there-yet.qcow2');
    const variables = { seed_image: seed };
    const request = await ask(installation, 'slow', 'bake', 'pipeline 3', variables);
    const failed = await ended(installation, request);
    expect(failed).toMatchObject({ state: 'failed', attempt: 1 });
    expect(failed.failure?.message).toContain('not-there-yet.qcow2');

    const again = await ask(installation, 'slow', 'bake', 'pipeline 3');
    expect(again).toMatchObject({ id: request.id, attempt: 2 });
    expect(await ended(installation, again)).toMatchObject({ state: 'failed', attempt: 2 });

    copyFileSync(loadTools().seedImage?.path ?? '', seed);
    const third = await ask(installation, 'slow', 'bake', 'pipeline 3');
    expect(third).toMatchObject({ id: request.id, attempt: 3, workflowId: expect.stringMatching(/\/3$/) });
    await expectOneImage(installation, await ended(installation, third));
    expect((await installation.registry.requests.pins(request.id)).variables).toMatchObject(variables);
  }, 120_000);

  it('one that was cancelled while Packer ran left nothing, and is its next attempt', async () => {
    const { registry, packer } = installation;
    const images = imagesOf(installation);
    const request = await running('release', 'pipeline 4');
    await registry.requests.cancel(project, request.id, by);
    expect(await ended(installation, request)).toMatchObject({ state: 'cancelled', attempt: 1 });
    await expectSlotsFree(request);
    await expectNothingLeft(installation);
    expect(imagesOf(installation)).toEqual(images);

    packer.release('build');
    const again = await ask(installation, 'slow', 'release', 'pipeline 4');
    expect(again).toMatchObject({ id: request.id, attempt: 2 });
    await expectOneImage(installation, await ended(installation, again, 180_000));
  }, 300_000);
});

describe('a workflow that somebody terminates in Temporal', () => {
  it('a bake while its attempt is opened, before a host knows of it: nothing is left open in the ledger', async () => {
    const { database, registry } = installation;
    const opened = { table: 'bake_attempt', act: 'insert', when: 'true', at: 'committing' } as const;
    const stop = await stopAt(installation, opened);
    const request = await ask(installation, 'slow', 'bake', 'pipeline 6');
    await until('its attempt is being opened', () => stop.reached());
    const open = await registry.ledger.listOpen();
    expect(open).toMatchObject([{ kind: 'packer' }]);

    await terminate(installation, request.workflowId);
    await stop.letGo();

    expect(await ended(installation, request)).toMatchObject({ state: 'abandoned' });
    await expectSlotsFree(request);
    await until('the entry is closed', async () => (await registry.ledger.listOpen()).length === 0);
    const attempts = await database.store.db.selectFrom('bake_attempt').select(['id', 'state']).execute();
    expect(attempts.filter(({ id }) => id === open[0]?.mark)).toMatchObject([{ state: 'lost' }]);
  }, 120_000);

  it('a bake while Packer runs: Packer is ended, nothing is left, and it can be asked for again', async () => {
    const request = await running('bake', 'pipeline 5');
    await terminate(installation, request.workflowId);

    const abandoned = await ended(installation, request);
    expect(abandoned).toMatchObject({ state: 'abandoned', failure: { code: 'cancelled' } });
    await until('Packer was ended', () => processesNaming(installation.folder + '/held/packer').length === 0);
    await expectSlotsFree(request);
    await expectNothingLeft(installation);

    installation.packer.release('build');
    const again = await ask(installation, 'slow', 'bake', 'pipeline 5');
    expect(again).toMatchObject({ id: request.id, attempt: 2 });
    await expectOneImage(installation, await ended(installation, again));
  }, 180_000);

  it('the bake of a release, while Packer runs: the release ends, its host has its slot again', async () => {
    const request = await running('release');
    await terminate(installation, workflowIds.bake(project, request.id, 1));

    expect(await ended(installation, request)).toMatchObject({ state: 'cancelled' });
    await expectSlotsFree(request);
    const { versionId } = await now(request);
    const version = await installation.registry.versions.get(versionId ?? '');
    expect(version).toMatchObject({ state: 'cancelled' });
  }, 180_000);

  it('a release while Packer runs: its bake is cancelled and nothing is left', async () => {
    const request = await running('release');
    await terminate(installation, request.workflowId);

    expect(await ended(installation, request)).toMatchObject({ state: 'abandoned' });
    await expectSlotsFree(request);
    await withTemporal(installation, async ({ workflow }) => {
      const bake = workflow.getHandle(workflowIds.bake(project, request.id, 1));
      await until('its bake has ended', async () => (await statusOf(bake)) !== 'RUNNING');
    });
  }, 180_000);

  it('a test launch while the machine runs: the machine is ended, and the release says so', async () => {
    const request = await ask(installation, 'slow', 'release');
    const artifactId = await testedArtifact(request);
    await terminate(installation, workflowIds.testLaunch(project, artifactId));

    expect(await ended(installation, request)).toMatchObject({
      state: 'cancelled',
      failure: { message: expect.stringContaining('terminated') },
    });
    await until('the machine is gone', () => machines().length === 0, 60_000);
    const { test } = await installation.registry.bakes.getArtifact(artifactId);
    expect(test).toBeNull();
  }, 240_000);
});

const machines = () => processesNaming(path.join(installation.images, 'launches'));

/** The artifact of a release whose test machine runs now. */
async function testedArtifact(request: BakeRequest): Promise<string> {
  await until('the test machine runs', () => machines().length > 0, 120_000);
  const { versionId } = await now(request);
  const { builds } = await installation.registry.versions.get(versionId ?? '');
  return builds[0]?.artifacts[0]?.id ?? '';
}

describe('a release that waited', () => {
  it('while a newer one was promoted does not move the channel back', async () => {
    const { registry } = installation;
    const older = await ask(installation, 'gated', 'release');
    const promotionOf = async (request: BakeRequest) => {
      const { versionId } = await now(request);
      const all = await registry.promotions.list(project, { bucket: 'gated', limit: 50 });
      return all.find((one) => one.versionId === versionId && one.channel === 'prod');
    };
    await until('one waits for approval', async () => (await promotionOf(older)) !== undefined, 180_000);
    const waiting = await promotionOf(older);
    const newer = await ask(installation, 'gated', 'release');
    await until('the newer one was asked for', async () => (await promotionOf(newer)) !== undefined, 180_000);
    const approved = await promotionOf(newer);
    await registry.promotions.approve(approved?.id ?? '', { name: 'ann', via: 'api' });
    expect(await ended(installation, newer, 60_000)).toMatchObject({ state: 'succeeded', failure: null });

    // Too late.
    const late = await registry.promotions
      .approve(waiting?.id ?? '', { name: 'bob', via: 'api' })
      .catch((error: unknown) => error);
    expect(late).toMatchObject({ code: expect.stringMatching(/superseded|illegal_state|conflict/) });
    const lost = await ended(installation, older, 60_000);
    expect(lost).toMatchObject({ state: 'failed', failure: { code: 'superseded' } });
    const { effective } = await registry.channels.get(project, 'gated', 'prod');
    expect(effective.versionId).toBe((await now(newer)).versionId);
    const history = await registry.channels.history(project, 'gated', 'prod');
    expect(history.filter(({ cause }) => cause === 'promoted')).toHaveLength(1);
  }, 300_000);
});
