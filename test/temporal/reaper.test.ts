import { randomUUID } from 'node:crypto';

import { afterAll, describe, expect, inject, it } from 'vitest';
import { createClaims } from '../../src/registry/work/claims.ts';
import { createInstallation } from '../../src/registry/work/installation.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import { createOwnTemporal } from '../../src/temporal/own-temporal.ts';
import type { ReaperDeps } from '../../src/temporal/reaper.ts';
import { reapOnce, startReaper } from '../../src/temporal/reaper.ts';
import { createGateway } from '../../src/temporal/starter.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { createNamespace, freePort } from '../support/temporal-server.ts';

const database = useDatabase();
const place = { address: inject('temporalAddress'), namespace: 'default', deadlineMs: 3_000 };
const temporal = openTemporal(place);
const gateway = createGateway(temporal);
afterAll(() => temporal.close());

const claims = () => createClaims(database().store);

function deps(over: Partial<ReaperDeps> = {}): ReaperDeps {
  return {
    requests: { openAttempts: () => Promise.resolve([]), finish: () => Promise.resolve() },
    claims: claims(),
    runs: gateway,
    ownTemporal: () => Promise.resolve(),
    log: quietLog().log,
    everyMs: 20,
    claimAgeMs: 0,
    ...over,
  };
}

/** An open workflow that holds a claim. */
async function holder(): Promise<{ readonly subject: string; readonly workflowId: string }> {
  const versionId = randomUUID();
  const [subject, workflowId] = [`retire:${versionId}`, `retire/test/${versionId}`];
  await gateway.wake('retire', workflowId, { versionId });
  await claims().claim(subject, workflowId);
  return { subject, workflowId };
}

const terminate = (workflowId: string) => temporal.client.workflow.getHandle(workflowId).terminate();

describe('the reaper', () => {
  it('frees the claim of a terminated workflow and leaves that of an open one', async () => {
    const [open, ended] = [await holder(), await holder()];
    await terminate(ended.workflowId);
    const { freed } = await reapOnce(deps());

    expect(freed).toEqual([ended.subject]);
    expect(await claims().holder(open.subject)).toBe(open.workflowId);
    expect(await claims().holder(ended.subject)).toBeUndefined();
    await terminate(open.workflowId);
    await claims().release(open.subject, open.workflowId);
  });

  it('asks for the latest run: an id that runs again keeps its claim', async () => {
    const one = await holder();
    await terminate(one.workflowId);
    await gateway.wake('retire', one.workflowId, { versionId: 'v' });

    expect((await reapOnce(deps())).freed).toEqual([]);
    expect(await claims().holder(one.subject)).toBe(one.workflowId);
    await terminate(one.workflowId);
    await reapOnce(deps());
  });

  it('abandons an attempt whose workflow was terminated or is gone, and leaves those that run or wait for their start', async () => {
    const ids = { open: randomUUID(), ended: randomUUID(), gone: randomUUID(), waiting: randomUUID() };
    for (const id of [ids.open, ids.ended]) await gateway.wake('retire', id, { versionId: id });
    await terminate(ids.ended);
    const finished: unknown[] = [];
    const { freed } = await reapOnce(
      deps({
        requests: {
          openAttempts: () =>
            Promise.resolve(
              Object.values(ids).map((workflowId) => ({
                requestId: `request of ${workflowId}`,
                attempt: 1,
                workflowId,
                startPending: workflowId === ids.waiting,
              })),
            ),
          finish: (requestId, attempt, { state }) =>
            Promise.resolve(void finished.push([requestId, attempt, state])),
        },
      }),
    );

    expect(freed).toEqual([ids.ended, ids.gone]);
    expect(finished).toEqual([ids.ended, ids.gone].map((id) => [`request of ${id}`, 1, 'abandoned']));
    await terminate(ids.open);
  });

  it('leaves an attempt whose own run ended because a run under another id does its work', async () => {
    const [own, other, requestId] = [randomUUID(), randomUUID(), randomUUID()];
    for (const id of [own, other]) await gateway.wake('retire', id, { versionId: id });
    await terminate(own);
    await claims().claim(`bake:${requestId}:1`, other);
    const open = [{ requestId, attempt: 1, workflowId: own, startPending: false }];
    const finished: unknown[] = [];
    const look = () =>
      reapOnce(
        deps({
          requests: {
            openAttempts: () => Promise.resolve(open),
            finish: (id) => Promise.resolve(void finished.push(id)),
          },
        }),
      );

    await look();
    expect(finished).toEqual([]);
    await terminate(other);
    await look();
    expect(finished).toEqual([requestId]);
  });

  it('frees nothing while Temporal does not answer', async () => {
    const one = await holder();
    await terminate(one.workflowId);
    const away = openTemporal({ ...place, address: `127.0.0.1:${await freePort()}`, deadlineMs: 200 });
    try {
      expect(await reapOnce(deps({ runs: createGateway(away) }))).toEqual({ freed: [] });
      expect(await claims().holder(one.subject)).toBe(one.workflowId);
    } finally {
      await away.close();
    }
    expect((await reapOnce(deps())).freed).toEqual([one.subject]);
  });

  it('frees and abandons nothing on another Temporal, where no workflow of ours is known, and says what to do', async () => {
    const installation = createInstallation(database().store);
    await reapOnce(deps({ ownTemporal: createOwnTemporal(temporal, installation) }));
    const one = await holder();
    const namespace = await createNamespace(place.address);
    const other = openTemporal({ ...place, namespace });
    const finished: unknown[] = [];
    const elsewhere = (moveTo?: string): Partial<ReaperDeps> => ({
      runs: createGateway(other),
      ownTemporal: createOwnTemporal(other, installation, moveTo),
      requests: {
        openAttempts: () =>
          Promise.resolve([{ requestId: 'r', attempt: 1, workflowId: 'ours', startPending: false }]),
        finish: (requestId) => Promise.resolve(void finished.push(requestId)),
      },
    });
    try {
      const refusal = await reapOnce(deps(elsewhere())).catch((error: unknown) => String(error));
      expect(refusal).toContain('Temporal at');
      expect(await claims().holder(one.subject)).toBe(one.workflowId);
      expect(finished).toEqual([]);

      const said = quietLog();
      const reaper = startReaper(deps({ ...elsewhere(), log: said.log }));
      await expect.poll(() => JSON.stringify(said.lines)).toContain('BAKEHOUSE_MOVE_TO_TEMPORAL=');
      await reaper.stop();

      const moveTo = /BAKEHOUSE_MOVE_TO_TEMPORAL=([\w-]+)/.exec(JSON.stringify(said.lines))?.[1] ?? '';
      await reapOnce(deps(elsewhere(moveTo)));
      expect(await claims().holder(one.subject)).toBeUndefined();
      expect(finished).toEqual(['r']);
    } finally {
      await other.close();
      await terminate(one.workflowId);
    }
  });

  it('looks at all claims, page after page, however many there are', async () => {
    const one = await holder();
    const many = Array.from({ length: 450 }, (_, index) => `revocation:${String(index).padStart(4, '0')}`);
    await Promise.all(many.map((subject) => claims().claim(subject, one.workflowId)));
    await claims().release(one.subject, one.workflowId);
    // Its subject is the last in the order.
    await claims().claim('zz:last', 'retire/test/never-was');
    const reaper = startReaper(deps());
    await expect.poll(() => claims().holder('zz:last'), { timeout: 20_000 }).toBeUndefined();
    await reaper.stop();

    expect(await claims().holder('revocation:0000')).toBe(one.workflowId);
    await terminate(one.workflowId);
    await Promise.all(many.map((subject) => claims().release(subject, one.workflowId)));
  });
});
