import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { openForeign } from './support/foreign.ts';
import { deliveriesOf, eventsOf } from './support/trail.ts';
import {
  ann,
  bob,
  createWorld,
  home,
  project,
  refusal,
  type LineOptions,
  artifactsOf,
} from './support/world.ts';

const database = useDatabase({ connections: 20 });

async function aForeign(options: LineOptions = {}) {
  const world = createWorld(database());
  const bucket = await world.line({ adopt: true, ...options });
  const version = await openForeign(database().store, world, bucket);
  const adoptions = async () =>
    (await world.registry.requests.list(project, { bucket })).filter(
      ({ adoptedVersionId }) => adoptedVersionId !== null,
    );
  const adopted = async () => {
    await world.complete(version);
    const [request] = await adoptions();
    if (request === undefined) throw new Error('nothing was adopted');
    return request;
  };
  return { ...world, bucket, version, adoptions, adopted };
}

const failed = { state: 'failed', failure: { code: 'test_failed', message: 'no boot' } } as const;

describe('a version that others complete', () => {
  it('asks for its release once, in the transaction of its completion', async () => {
    const world = await aForeign();
    const { registry, version, adoptions } = world;

    await Promise.all(Array.from({ length: 10 }, () => world.complete(version)));

    const [request, ...more] = await adoptions();
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      kind: 'release',
      state: 'open',
      attempt: 1,
      versionId: version.id,
      adoptedVersionId: version.id,
      by: ann,
    });
    const events = await eventsOf(database().store, version.id, 'request.accepted');
    expect(events).toHaveLength(1);
    expect(await deliveriesOf(database().store, events[0]?.id ?? '')).toEqual([
      { action: 'start', workflowId: `release/${project}/${request?.id}/1` },
    ]);
    expect((await registry.versions.get(version.id)).requestId).toBe(request?.id);
  });

  it.each([{ adopt: false }, {}])('is left alone by a line that says %j', async (options) => {
    const world = createWorld(database());
    const bucket = await world.line(options);
    const version = await world.complete(await openForeign(database().store, world, bucket));

    expect(version.requestId).toBeNull();
    expect(await eventsOf(database().store, version.id, 'request.accepted')).toEqual([]);
  });

  it('is never one of our own bakes', async () => {
    const world = await aForeign();
    const { registry, bucket, adoptions } = world;
    await world.bake(bucket);

    expect(await adoptions()).toEqual([]);
    expect(await registry.requests.list(project, { bucket, state: 'open' })).toHaveLength(2);
  });

  it('is released by the line as it was then', async () => {
    const { registry, bucket, adopted } = await aForeign();
    const { id } = await adopted();
    const { line } = await registry.lines.get(project, bucket);
    if (line === null) throw new Error('no line');
    await registry.lines.apply(project, [{ ...line, channels: [], adopt: false }], ann);

    const pins = await registry.requests.pins(id);
    expect(pins).toMatchObject({ template: null, parents: [], variables: {} });
    expect(pins.line.channels.map(({ name }) => name)).toEqual(['dev', 'prod']);
  });

  it('is bounded in age by its line', async () => {
    const { registry, version, adopted } = await aForeign({ endOfLifeMs: 3_600_000 });
    await adopted();

    expect((await registry.versions.get(version.id)).revocation.state).toBe('scheduled');
  });
});

describe('an adoption that failed', () => {
  it('is asked for again with its key: the next attempt, of the same version', async () => {
    const { registry, bucket, version, adopted, adoptions } = await aForeign();
    const { id, key } = await adopted();
    await registry.requests.finish(id, 1, failed);
    expect(await registry.versions.get(version.id)).toMatchObject({ state: 'complete' });

    const again = await registry.requests.accept({
      project,
      bucket,
      kind: 'release',
      key,
      variables: {},
      by: bob,
    });

    expect(again.outcome).toBe('next_attempt');
    expect(again.request).toMatchObject({ id, attempt: 2, state: 'open', versionId: version.id });
    const [, second] = await eventsOf(database().store, version.id, 'request.accepted');
    expect(await deliveriesOf(database().store, second?.id ?? '')).toEqual([
      { action: 'start', workflowId: `release/${project}/${id}/2` },
    ]);
    expect(await adoptions()).toHaveLength(1);
  });

  it('takes no copy any more, and an open one does in each attempt', async () => {
    const { registry, bucket, version, adopted } = await aForeign();
    const { id, key } = await adopted();
    const copiedFrom = artifactsOf(version)[0]?.id ?? '';
    const copy = (imageId: string, region: string) =>
      registry.bakes.recordCopy({ copiedFrom, image: { target: { ...home, region }, imageId } });
    await copy('one', 'away');
    await registry.requests.finish(id, 1, failed);

    expect(await refusal('conflict', copy('two', 'far'))).toContain('has ended');
    await registry.requests.accept({ project, bucket, kind: 'release', key, variables: {}, by: ann });
    await copy('two', 'far');
    expect(artifactsOf(await registry.versions.get(version.id))).toHaveLength(3);
  });

  it('bakes nothing, whoever types that', async () => {
    const { registry, adopted } = await aForeign();
    const { id } = await adopted();

    expect(await refusal('illegal_state', registry.bakes.openVersion(id, 1))).toContain('nothing is baked');
  });
});
