/** Whose stage a bake writes: that of the attempt of the request that it is of, also when the request is at a later one. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { expect, it } from 'vitest';

import { createCredentials } from '../../src/activities/credentials.ts';
import { createPackerActivities } from '../../src/activities/packer.ts';
import { Failure } from '../../src/domain/failure.ts';
import { ann, createWorld, project } from '../registry/support/world.ts';
import { FakeCloud, place } from '../support/bake/cloud.ts';
import { FakePacker } from '../support/bake/packer.ts';
import { quiet } from '../support/bake/world.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();
const sealed = () => Promise.reject(new Failure('provider_unavailable', 'Vault is sealed'));
const run = async <T>(step: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger: quiet }).run(step);

/** A request whose first attempt was abandoned and whose second one bakes, and a Vault that is away with a credential of both. */
async function askedAgain() {
  const world = createWorld(database());
  const { registry } = world;
  const bucket = await world.line({ targets: [place] });
  const wish = { project, bucket, kind: 'bake', key: ulid(), variables: {}, by: ann } as const;
  const bakes = async (attempt: number): Promise<string> => {
    const { request } = await registry.requests.accept(wish);
    const { id: versionId } = await registry.bakes.openVersion(request.id, attempt);
    const attemptId = ulid();
    await registry.bakes.openAttempt({ attemptId, versionId, hostId: 'one', timeLimitMs: 60_000 });
    const id = ulid();
    await registry.ledger.open({
      id,
      owner: attemptId,
      kind: 'credential',
      mark: `token ${id}`,
      target: null,
    });
    return attemptId;
  };
  const { request } = await registry.requests.accept(wish);
  const first = await bakes(1);
  await registry.requests.finish(request.id, 1, { state: 'abandoned' });
  const second = await bakes(2);
  await registry.requests.setStage(request.id, 2, 'preparing');

  const written: Promise<void>[] = [];
  const setStage: typeof registry.requests.setStage = (...at) => {
    const writing = registry.requests.setStage(...at);
    written.push(writing);
    return writing;
  };
  const vault = { check: sealed, issue: sealed, revoke: sealed };
  const { providers } = new FakeCloud();
  const activities = createPackerActivities({
    registry: { ...registry, requests: { ...registry.requests, setStage } },
    providers,
    packer: new FakePacker(['qemu.base'], () => undefined),
    credentials: createCredentials({ ledger: registry.ledger, bakes: registry.bakes, vault }),
    graceMs: 1,
  });
  /** Once all that was to be written is. */
  const stage = async (): Promise<string> => {
    expect(await Promise.all(written)).not.toEqual([]);
    return (await registry.requests.byId(request.id)).stage;
  };
  return { activities, stage, first, second };
}

it('the sweep of an abandoned attempt that waits for Vault says nothing at the attempt that came after it', async () => {
  const { activities, stage, first, second } = await askedAgain();

  await expect(run(() => activities.discardAttempt(first))).rejects.toThrow('Vault is sealed');
  expect(await stage()).toBe('preparing');

  await expect(run(() => activities.discardAttempt(second))).rejects.toThrow('Vault is sealed');
  expect(await stage()).toMatch(/^waiting: .*Vault is sealed/);
});

it('a Packer of an abandoned attempt that is watched late says nothing at the one after it', async () => {
  const { activities, stage, first, second } = await askedAgain();

  await run(() => activities.runPacker(first, []));
  expect(await stage()).toBe('preparing');

  await run(() => activities.runPacker(second, []));
  expect(await stage()).toMatch(/^packer: /);
});
