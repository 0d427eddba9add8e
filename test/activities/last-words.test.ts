/** What Packer said after the last look of whoever watched it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { ulid } from 'ulid';
import { expect, it } from 'vitest';

import { createCredentials } from '../../src/activities/credentials.ts';
import { createPackerActivities } from '../../src/activities/packer.ts';
import type { AttemptInput } from '../../src/packer/runner.ts';
import { ann, createWorld, project } from '../registry/support/world.ts';
import { FakeCloud, place } from '../support/bake/cloud.ts';
import { FakePacker } from '../support/bake/packer.ts';
import { quiet } from '../support/bake/world.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();

it.each([
  ['running', 'building\n'],
  ['prepared', ''],
] as const)('an attempt that is discarded while it is %s leaves the log %j', async (state, log) => {
  const world = createWorld(database());
  const { registry } = world;
  const bucket = await world.line({ targets: [place] });
  const wish = { project, bucket, kind: 'bake', key: ulid(), variables: {}, by: ann } as const;
  const { request } = await registry.requests.accept(wish);
  const { id: versionId } = await registry.bakes.openVersion(request.id, 1);
  const attemptId = ulid();
  await registry.bakes.openAttempt({ attemptId, versionId, hostId: 'one', timeLimitMs: 60_000 });
  const packer = new FakePacker(['qemu.base'], () => undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is asked of an attempt here
  const input = { mark: { attemptId, bakeId: 'b', imageName: 'i' }, only: [] } as unknown as AttemptInput;
  packer.local.set(attemptId, { input, state });
  const activities = createPackerActivities({
    registry,
    providers: new FakeCloud().providers,
    packer,
    credentials: createCredentials({ ledger: registry.ledger, bakes: registry.bakes, vault: undefined }),
    graceMs: 1,
  });

  await new MockActivityEnvironment({}, { logger: quiet }).run(() => activities.discardAttempt(attemptId));

  expect((await registry.logs.read(attemptId, 0, 1_000)).text).toBe(log);
  expect(packer.local.size).toBe(0);
});
