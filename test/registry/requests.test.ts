import { describe, expect, it } from 'vitest';
import { claimSubjects } from '../../src/domain/workflow-ids.ts';
import type { AcceptRequest } from '../../src/registry/contract/requests.ts';
import { useDatabase } from '../support/database.ts';
import { deliveriesOf } from './support/trail.ts';
import { inLanes } from './support/interleave.ts';
import { ann, bob, createWorld, project, refusal } from './support/world.ts';

const database = useDatabase({ connections: 20 });

function asked(bucket: string, over: Partial<AcceptRequest> = {}): AcceptRequest {
  return { project, bucket, kind: 'release', variables: {}, by: ann, ...over };
}

async function aLine() {
  const world = createWorld(database());
  return { ...world, bucket: await world.line() };
}

const failed = { state: 'failed', failure: { code: 'bake_failed', message: 'exit 1' } } as const;

describe('a request', () => {
  it('is one request when the same key comes 200 times at the same instant', async () => {
    const { registry, bucket } = await aLine();

    const answers = await Promise.all(
      Array.from({ length: 200 }, () => registry.requests.accept(asked(bucket, { key: 'pipeline-1' }))),
    );

    expect(new Set(answers.map(({ request }) => request.id)).size).toBe(1);
    expect(answers.filter(({ outcome }) => outcome === 'new')).toHaveLength(1);
    const events = await registry.events.list(project, { bucket });
    const accepted = events.filter(({ kind }) => kind === 'request.accepted');
    expect(accepted).toHaveLength(1);
    const [{ request } = { request: undefined }] = answers;
    expect(request).toMatchObject({ state: 'open', attempt: 1, key: 'pipeline-1', versionId: null, by: ann });
    expect(await deliveriesOf(database().store, accepted[0]?.id ?? '')).toEqual([
      { action: 'start', workflowId: `release/${project}/${request?.id}/1` },
    ]);
  });

  it('without a key is a fresh one each time', async () => {
    const { registry, bucket } = await aLine();

    const one = await registry.requests.accept(asked(bucket));
    const two = await registry.requests.accept(asked(bucket));

    expect(one.request.id).not.toBe(two.request.id);
    expect(await registry.requests.list(project, { bucket })).toHaveLength(2);
  });

  it('held by a workflow that was started by hand writes no delivery', async () => {
    const { registry, bucket } = await aLine();

    const { request } = await registry.requests.accept(asked(bucket, { heldBy: 'typed-by-hand' }));

    expect(request.workflowId).toBe('typed-by-hand');
    const [event] = (await registry.events.list(project, { bucket })).slice(-1);
    expect(await deliveriesOf(database().store, event?.id ?? '')).toEqual([]);
  });

  it('that failed is its next attempt, with the pins of the first', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const { bucket: parent, version: first } = await world.lineWithVersion();
    const bucket = await world.line({ parents: [parent] });
    const input = asked(bucket, { key: `retry-${bucket}`, variables: { mode: 'one' } });
    const { request } = await registry.requests.accept(input);
    const pins = await registry.requests.pins(request.id);
    await registry.requests.finish(request.id, 1, failed);
    await world.assign(await world.bake(parent), 'dev');

    const again = await registry.requests.accept({ ...input, variables: { mode: 'two' } });

    expect(again.outcome).toBe('next_attempt');
    expect(again.request).toMatchObject({
      id: request.id,
      attempt: 2,
      state: 'open',
      failure: null,
      endedAt: null,
    });
    expect(again.request.workflowId).toBe(`release/${project}/${request.id}/2`);
    expect(await registry.requests.pins(request.id)).toEqual(pins);
    expect(pins).toMatchObject({
      variables: { mode: 'one' },
      parents: [
        { versionId: first.id, bucket: parent, versionName: 'v1', channel: 'dev', variable: 'parent_0' },
      ],
      template: { kind: 'snapshot' },
    });
  });

  it('that succeeded stays the same request', async () => {
    const { registry, bucket } = await aLine();
    const input = asked(bucket, { key: `done-${bucket}` });
    const { request } = await registry.requests.accept(input);
    await registry.requests.finish(request.id, 1, { state: 'succeeded' });

    const again = await registry.requests.accept(input);

    expect(again.outcome).toBe('existing');
    expect(again.request).toMatchObject({ id: request.id, state: 'succeeded', attempt: 1 });
  });

  it('keeps its key to its bucket and kind', async () => {
    const { registry, bucket, ...world } = await aLine();
    const key = `taken-${bucket}`;
    const { request } = await registry.requests.accept(asked(bucket, { key }));

    const other = await world.line();

    const message = await refusal('already_exists', registry.requests.accept(asked(other, { key })));
    // The key names its bucket in this test only.
    expect(message.replace(key, '')).not.toContain(bucket);
    expect(message).not.toContain(request.id);
    const kind = registry.requests.accept(asked(bucket, { key, kind: 'bake' }));
    expect(await refusal('already_exists', kind)).toContain('release');
  });

  it('is refused while a parent channel is empty or revoked, naming bucket, channel and remedy', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const parent = await world.line();
    const bucket = await world.line({ parents: [parent] });

    const empty = await refusal('illegal_state', registry.requests.accept(asked(bucket)));
    const version = await world.bake(parent);
    await world.assign(version, 'dev');
    await world.revoke(version, { rollBack: false });
    const revoked = await refusal('illegal_state', registry.requests.accept(asked(bucket)));

    for (const message of [empty, revoked]) {
      expect(message).toContain(`"${bucket}"`);
      expect(message).toContain(`"${parent}"`);
      expect(message).toContain('"dev"');
      expect(message).toMatch(/[Pp]romote/);
    }
    expect(revoked).toContain('v1, which is revoked');
    expect(await registry.requests.list(project, { bucket })).toEqual([]);
  });

  it('is not tried again from a parent that was revoked since', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const { bucket: parent, version } = await world.lineWithVersion();
    const input = asked(await world.line({ parents: [parent] }), { key: `late-${parent}` });
    const { request } = await registry.requests.accept(input);
    await registry.requests.finish(request.id, 1, failed);
    await world.revoke(version);

    expect(await refusal('illegal_state', registry.requests.accept(input))).toContain('new key');
    expect(await registry.requests.byId(request.id)).toMatchObject({ state: 'failed', attempt: 1 });
  });

  it('takes a commit where the template is from git, and nothing but a commit', async () => {
    const { registry, bucket } = await aLine();
    const { line } = await registry.lines.get(project, bucket);
    if (line === null) throw new Error('The bucket has a line.');
    const template = {
      kind: 'git' as const,
      repository: 'https://example.test/r.git',
      ref: 'main',
      entry: '.',
    };
    await registry.lines.apply(project, [{ ...line, template }], ann);
    const commit = 'a'.repeat(40);

    expect(await refusal('invalid_input', registry.requests.accept(asked(bucket)))).toContain(
      '40 hexadecimal',
    );
    expect(
      await refusal('invalid_input', registry.requests.accept(asked(bucket, { commit: '--main' }))),
    ).toContain('40');
    const { request } = await registry.requests.accept(asked(bucket, { commit }));
    expect((await registry.requests.pins(request.id)).template).toEqual({
      kind: 'git',
      repository: template.repository,
      commit,
      entry: '.',
    });
  });

  it('is cancelled once, through a delivery to its holder, and not after its end', async () => {
    const { registry, bucket } = await aLine();
    const { request } = await registry.requests.accept(asked(bucket));

    await registry.requests.cancel(project, request.id, bob);
    const wanted = await registry.requests.cancel(project, request.id, bob);

    expect(wanted).toMatchObject({ state: 'open', cancelWanted: true });
    const events = (await registry.events.list(project, { bucket })).filter(
      ({ kind }) => kind === 'request.cancel_wanted',
    );
    expect(events).toMatchObject([{ subjectId: request.id, by: bob }]);
    expect(await deliveriesOf(database().store, events[0]?.id ?? '')).toEqual([
      { action: 'cancel', workflowId: request.workflowId },
    ]);
    await registry.requests.finish(request.id, 1, { state: 'cancelled' });
    expect(await registry.requests.cancel(project, request.id, bob)).toMatchObject({ state: 'cancelled' });
    expect(await refusal('not_found', registry.requests.get('elsewhere', request.id))).toContain(request.id);
  });

  it('is cancelled at whoever claimed its work, too; one that claims later or at the same moment is told, 200 times', async () => {
    const world = createWorld(database());
    const { registry } = world;

    await inLanes(database(), 4, 200, async (round) => {
      const { request } = await registry.requests.accept(asked(await world.line()));
      const typed = `by-hand-${round}`;
      const take = async () => {
        await registry.claims.claim(claimSubjects.bake(request.id, 1), typed);
        return registry.requests.isCancelWanted(request.id, 1);
      };
      const cancel = () => registry.requests.cancel(project, request.id, bob);
      const both = round % 2 === 0 ? [take, cancel] : [cancel, take];
      // Every second time they race, else the one comes when the other has ended.
      const isRace = round % 4 < 2;
      const answers = isRace
        ? await Promise.all(both.map((act) => act()))
        : [await both[0]?.(), await both[1]?.()];

      const events = await registry.events.list(project, { bucket: request.bucket });
      const cancelled = events.find(({ kind }) => kind === 'request.cancel_wanted');
      const told = await deliveriesOf(database().store, cancelled?.id ?? '');
      expect(told).toContainEqual({ action: 'cancel', workflowId: request.workflowId });
      const byDelivery = told.some(({ workflowId }) => workflowId === typed);
      const byQuestion = answers.includes(true);
      expect(byDelivery || byQuestion).toBe(true);
      if (!isRace)
        expect({ byDelivery, byQuestion }).toEqual({
          byDelivery: both[0] === take,
          byQuestion: both[0] === cancel,
        });
    });
  });

  it('ends once: the first outcome stays, and a stage after it is ignored', async () => {
    const { registry, bucket } = await aLine();
    const { request } = await registry.requests.accept(asked(bucket));
    await registry.requests.setStage(request.id, 1, 'packer: file.one');
    expect((await registry.requests.byId(request.id)).stage).toBe('packer: file.one');

    await registry.requests.finish(request.id, 1, failed);
    const { endedAt } = await registry.requests.byId(request.id);
    await registry.requests.finish(request.id, 1, { state: 'succeeded' });
    await registry.requests.setStage(request.id, 1, 'too late');

    expect(await registry.requests.byId(request.id)).toMatchObject({
      state: 'failed',
      failure: failed.failure,
      endedAt,
      stage: 'failed at: packer: file.one',
    });
    const events = await registry.events.list(project, { bucket });
    expect(events.filter(({ kind }) => kind === 'request.ended')).toHaveLength(1);
  });

  it('that is abandoned cancels its running version and loses its attempt', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const bucket = await world.line();
    const { request } = await registry.requests.accept(asked(bucket));
    const { id: versionId } = await registry.bakes.openVersion(request.id, 1);
    const attemptId = `attempt-${bucket}`;
    await registry.bakes.openAttempt({ attemptId, versionId, hostId: 'h', timeLimitMs: 1000 });
    const open = await registry.requests.openAttempts(500);
    expect(open).toContainEqual({
      requestId: request.id,
      attempt: 1,
      workflowId: request.workflowId,
      startPending: true,
    });

    await registry.requests.finish(request.id, 1, { state: 'abandoned' });

    expect((await registry.versions.get(versionId)).state).toBe('cancelled');
    expect((await registry.bakes.getAttempt(attemptId)).state).toBe('lost');
    expect(await registry.bakes.unwanted([attemptId, 'never-heard-of'])).toEqual([attemptId]);
    expect((await registry.requests.openAttempts(500)).map(({ requestId }) => requestId)).not.toContain(
      request.id,
    );
  });

  it('asked again while its end is written is either the same or the next attempt, in both orders, 200 times', async () => {
    const world = createWorld(database());
    const { registry } = world;
    const seen = { existing: 0, next_attempt: 0, new: 0 };

    await inLanes(database(), 4, 200, async (round, gate) => {
      const bucket = await world.line();
      const { id: bucketId } = await registry.lines.get(project, bucket);
      const input = asked(bucket, { key: `race-${round}` });
      const { request } = await registry.requests.accept(input);
      const finish = () => registry.requests.finish(request.id, 1, failed);
      const ask = async () => {
        const { outcome } = await registry.requests.accept(input);
        seen[outcome] += 1;
      };
      const [first, second] = round % 2 === 0 ? [finish, ask] : [ask, finish];
      const settled = await gate.run([bucketId], first, second);

      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
      const now = await registry.requests.byId(request.id);
      expect([now.state, now.attempt]).toEqual(round % 2 === 0 ? ['open', 2] : ['failed', 1]);
    });

    expect(seen).toEqual({ existing: 100, next_attempt: 100, new: 0 });
  }, 120_000);
});
