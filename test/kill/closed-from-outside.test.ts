/** What a revocation or a promotion set going is terminated or cancelled by hand, as from the Temporal UI: it goes on by itself. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { install, type Installation, until } from '../support/installation.ts';
import { effectsOf, expectEnforcedOnce, type Family, raise, resolved } from './family.ts';
import { by, project } from './lines.ts';

let installation: Installation;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  installation = await install();
  connection = await Connection.connect({ address: installation.temporal.address });
  client = new Client({ connection });
}, 120_000);
afterAll(async () => {
  await connection.close();
  await installation.stop();
}, 60_000);

afterEach(async () => {
  // A test that failed while its host was away leaves the others theirs.
  if (!isAlive(host()?.pid ?? 0)) await host()?.startAgain();
}, 60_000);

const ways = {
  terminated: (handle: WorkflowHandle) => handle.terminate('by hand'),
  cancelled: (handle: WorkflowHandle) => handle.cancel(),
} as const;

const host = () => installation.hosts[0];

/** Undefined: it was not started yet. */
const stateOf = async (handle: WorkflowHandle) =>
  (await handle.describe().catch(() => undefined))?.status.name;

const isOpen = async (handle: WorkflowHandle): Promise<boolean> => (await stateOf(handle)) === 'RUNNING';

const holders = async () => (await installation.registry.claims.list(0, 1000)).map((one) => one.workflowId);

/** Closes each of them once it runs and holds its claim. */
async function close(how: keyof typeof ways, ids: readonly string[]): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      const handle = client.workflow.getHandle(id);
      await until(`${id} is at work`, async () => (await holders()).includes(id) && isOpen(handle));
      await ways[how](handle);
      await until(`${id} is ${how}`, async () => {
        const runs = client.workflow.list({ query: `WorkflowId = '${id}'` });
        for await (const { status } of runs)
          if (status.name.toLowerCase().startsWith(how.slice(0, 6))) return true;
        return false;
      });
    }),
  );
}

describe.each(['terminated', 'cancelled'] as const)('%s by hand', (how) => {
  it('what enforces a revocation: every image is blocked, every channel shown, without another event', async () => {
    const family = await raise(installation, how);
    const [parent, child] = [family.parents[1], family.children[1]];
    // Without its host nothing comes to an end.
    await host()?.kill();
    const recordId = await revoke(family);
    // It hands over and ends, whatever becomes of those that it woke.
    const cascade = client.workflow.getHandle(workflowIds.cascade(project, recordId, 'effective'));
    await until('the cascade has handed over', async () => (await stateOf(cascade)) === 'COMPLETED', 60_000);
    const ids = [parent, child].flatMap(({ id }) => [
      workflowIds.retire(project, id),
      workflowIds.rollBackChannels(project, id),
    ]);
    await close(how, ids);
    for (const id of ids) {
      await until(`${id} goes on by itself`, () => isOpen(client.workflow.getHandle(id)), 60_000);
    }

    await host()?.startAgain();
    await expectEnforcedOnce(installation, [parent, child], 120_000);
    for (const [channel, first] of [
      [parent.bucket, family.parents[0]],
      [child.bucket, family.children[0]],
    ] as const) {
      const { id } = await installation.registry.channels.get(project, channel, 'prod');
      const published = await installation.registry.pointers.published(id);
      expect(published.map(({ versionId }) => versionId)).toEqual([first.id]);
    }
  }, 300_000);

  it('what waits for the date of a revocation: it takes effect at the date, once', async () => {
    const family = await raise(installation, `${how}-waiting`);
    const version = family.parents[1];
    const id = workflowIds.scheduleRevocation(project, version.id);
    await revoke(family, 30_000);
    await close(how, [id]);
    await until('it waits again', () => isOpen(client.workflow.getHandle(id)), 60_000);

    await until(
      'both channels answer v1',
      async () => {
        const buckets = [version.bucket, family.children[1].bucket];
        return (await Promise.all(buckets.map((one) => resolved(installation, one)))).every(
          (one) => one === 'v1',
        );
      },
      60_000,
    );
    await expectEnforcedOnce(installation, [version, family.children[1]]);
    expect(await effectsOf(installation, version)).toHaveLength(1);
  }, 240_000);
});

describe('a promotion terminated while it publishes', () => {
  it('has failed and says why; its places show what the channel points to; the next one goes through', async () => {
    const family = await raise(installation, 'promoted');
    const { registry } = installation;
    const [first, second] = family.parents;
    const { bucket } = first;
    const { id: channelId } = await registry.channels.get(project, bucket, 'prod');
    const asked = { project, bucket, channel: 'prod', versionId: first.id, reason: '', by };
    await host()?.kill();
    const { id } = await registry.promotions.request(asked);
    await until('it publishes', async () => (await registry.promotions.get(id)).state === 'publishing');
    await close('terminated', [workflowIds.promote(project, id)]);
    await until('it has ended', async () => (await registry.promotions.get(id)).endedAt !== null, 90_000);
    expect(await registry.promotions.get(id)).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('was closed from outside'),
    });

    await host()?.startAgain();
    const shown = async () => (await registry.pointers.published(channelId)).map((one) => one.versionId);
    await until('the place shows the channel', async () => (await shown()).join() === second.id, 60_000);
    const next = await registry.promotions.request(asked);
    await until(
      'the next one is done',
      async () => (await registry.promotions.get(next.id)).state === 'done',
      60_000,
    );
    expect(await shown()).toEqual([first.id]);
    expect(await resolved(installation, bucket)).toBe('v1');
  }, 240_000);
});

async function revoke({ parents: [, version] }: Family, inMs?: number): Promise<string> {
  const { record } = await installation.registry.revocations.revoke({
    versionId: version.id,
    reason: 'a hole',
    rollBack: true,
    descendants: true,
    by,
    ...(inMs === undefined ? {} : { inMs }),
  });
  return record.id;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
