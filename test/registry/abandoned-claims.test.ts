import { describe, expect, it } from 'vitest';
import { ulid } from 'ulid';
import type { Delivery } from '../../src/domain/events.ts';
import { claimSubjects, workflowIds } from '../../src/domain/workflow-ids.ts';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, project } from './support/world.ts';

const database = useDatabase({ connections: 10 });
const world = () => createWorld(database());

/** Everything that was to be delivered until now counts as delivered. */
async function deliverAll(): Promise<readonly Delivery[]> {
  const delivered: Delivery[] = [];
  while ((await world().registry.outbox.drain(100, async (one) => void delivered.push(one))) > 0);
  return delivered;
}

/** What the outbox holds after the workflow that holds the subject was closed from outside. */
async function closed(subject: string, workflowId: string): Promise<readonly Partial<Delivery>[]> {
  const { claims } = world().registry;
  await deliverAll();
  await claims.claim(subject, workflowId);
  expect(await claims.abandon(subject, workflowId)).toBe(true);
  expect(await claims.holder(subject)).toBeUndefined();
  return (await deliverAll()).map(({ action, workflow, workflowId: id, input }) => ({
    action,
    workflow,
    workflowId: id,
    input,
  }));
}

describe('a claim whose workflow was closed from outside', () => {
  it('wakes the canonical workflow of a version, whatever id held it', async () => {
    const { version } = await world().lineWithVersion();
    const input = { versionId: version.id };
    const wakes = [
      ['scheduleRevocation', 'scheduleRevocation'],
      ['retire', 'retire'],
      ['rollBackChannels', 'rollBackChannels'],
    ] as const;

    for (const [kind, workflow] of wakes) {
      expect(await closed(claimSubjects[kind](version.id), 'typed by hand')).toEqual([
        { action: 'wake', workflow, workflowId: workflowIds[kind](project, version.id), input },
      ]);
    }
  });

  it('wakes the roll back of a channel', async () => {
    const { bucket } = await world().lineWithVersion();
    const { id: channelId } = await world().registry.channels.get(project, bucket, 'prod');

    expect(await closed(claimSubjects.rollBackChannels(channelId), 'w')).toEqual([
      {
        action: 'wake',
        workflow: 'rollBackChannels',
        workflowId: workflowIds.rollBackChannels(project, channelId),
        input: { channelId },
      },
    ]);
  });

  it('starts a cascade once more for the same change, under an id that was not used', async () => {
    const { version } = await world().lineWithVersion();
    const recordId = await world().revoke(version);
    const first = workflowIds.cascade(project, recordId, 'effective');

    const ids = new Set<string | undefined>();
    for (const time of [1, 2]) {
      const [again, ...more] = await closed(claimSubjects.cascade(recordId, 'effective'), first);
      expect(more).toEqual([]);
      expect(again).toMatchObject({
        action: 'start',
        workflow: 'cascade',
        input: { recordId, change: 'effective' },
      });
      expect(again?.workflowId?.startsWith(`${first}/again-`)).toBe(true);
      expect(ids.add(again?.workflowId).size).toBe(time);
    }
  });

  it.each(['waiting', 'publishing'] as const)(
    'ends a promotion that was %s, and takes its places back to what is wanted',
    async (state) => {
      const { registry } = world();
      const bucket = await world().line({
        channels: { dev: {}, prod: state === 'waiting' ? { approvals: 1 } : {} },
      });
      const second = await world().bake(bucket);
      const { id: channelId } = await registry.channels.get(project, bucket, 'prod');
      const asked = { project, bucket, channel: 'prod', versionId: second.id, reason: '', by: ann };
      const promotion = await registry.promotions.request({ ...asked, promotionId: ulid() });
      if (state === 'publishing') await registry.promotions.beginPublishing(promotion.id);
      expect((await registry.promotions.get(promotion.id)).state).toBe(state);

      expect(await closed(claimSubjects.promote(promotion.id), `promote/${promotion.id}`)).toEqual([
        {
          action: 'wake',
          workflow: 'rollBackChannels',
          workflowId: workflowIds.rollBackChannels(project, channelId),
          input: { channelId },
        },
      ]);
      const ended = await registry.promotions.get(promotion.id);
      expect(ended.state).toBe('failed');
      expect(ended.detail).toContain(`promote/${promotion.id} was closed from outside`);
      const wanted = await registry.pointers.wantedOf({ channelId });
      expect(wanted.map(({ because, versionId }) => ({ because, versionId }))).not.toContainEqual(
        expect.objectContaining({ because: 'promotion' }),
      );
      expect(wanted.every(({ versionId }) => versionId !== second.id)).toBe(true);
    },
  );

  it('keeps the end of a promotion that had ended, and still takes its places back', async () => {
    const { registry } = world();
    const { bucket, version } = await world().lineWithVersion();
    const asked = { project, bucket, channel: 'prod', versionId: version.id, reason: '', by: ann };
    const promotion = await registry.promotions.request({ ...asked, promotionId: ulid() });
    await registry.promotions.end(promotion.id, 'superseded', 'by a newer one');

    expect(await closed(claimSubjects.promote(promotion.id), 'p')).toMatchObject([
      { workflow: 'rollBackChannels' },
    ]);
    expect(await registry.promotions.get(promotion.id)).toMatchObject({
      state: 'superseded',
      detail: 'by a newer one',
    });
  });

  it('is freed and wakes nobody where only its caller asks again', async () => {
    for (const subject of [
      'request:1:1',
      'bake:1:1',
      'test:1',
      'retire:nobody',
      'cascade:nobody:effective',
    ]) {
      expect(await closed(subject, 'w')).toEqual([]);
    }
  });

  it('is left to a holder that came meanwhile, and is told in the audit trail once', async () => {
    const { registry } = world();
    const { version, bucket } = await world().lineWithVersion();
    const subject = claimSubjects.retire(version.id);
    await registry.claims.claim(subject, 'present');

    expect(await registry.claims.abandon(subject, 'former')).toBe(false);
    expect(await registry.claims.holder(subject)).toBe('present');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => registry.claims.abandon(subject, 'present')),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
    const events = await registry.events.list(project, { bucket });
    expect(events.filter(({ kind }) => kind === 'workflow.closed')).toMatchObject([
      {
        versionId: version.id,
        data: { workflowId: 'present', goesOn: workflowIds.retire(project, version.id) },
      },
    ]);
  });
});

describe('the Temporal that an installation works with', () => {
  it('is the first that was named, until another one is named to move to', async () => {
    const { installation } = world().registry;
    expect(await installation.temporalNamespace('first')).toBe('first');
    expect(await installation.temporalNamespace('second')).toBe('first');
    expect(await installation.temporalNamespace('second', 'third')).toBe('first');
    expect(await installation.temporalNamespace('second', 'second')).toBe('second');
    expect(await installation.temporalNamespace('first')).toBe('second');
  });
});
