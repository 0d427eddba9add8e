import { sql } from 'kysely';
import { ulid } from 'ulid';
import { describe, expect, it } from 'vitest';
import { type Target, unknownAccount, type WhyUnreached } from '../../src/domain/target.ts';
import { useDatabase } from '../support/database.ts';
import { openForeign } from './support/foreign.ts';
import { eventsOf } from './support/trail.ts';
import { ann, createWorld, home, project, type LineOptions } from './support/world.ts';

const database = useDatabase();
const elsewhere: Target = { provider: 'aws', account: unknownAccount, region: 'eu' };
const why: WhyUnreached = ({ account }) =>
  account === unknownAccount ? 'nobody knows whose it is' : undefined;

async function aForeign(options: LineOptions = {}, { isBaked = false } = {}) {
  const world = createWorld(database());
  const bucket = await world.line(options);
  const opened = isBaked ? await world.open(bucket) : await openForeign(database().store, world, bucket);
  const version = await world.complete(opened);
  /** So many images in a place that is not reached, beside the one at home. */
  const publish = async (count: number) => {
    const rows = Array.from({ length: count }, () => ({ id: ulid() }));
    await sql`
      insert into artifact (id, build_id, version_id, provider, account, region, image_id, created_at)
      select r.id, ${version.builds[0]?.id}, ${version.id}, 'aws', ${unknownAccount}, 'eu', 'ami-' || r.id, now()
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text)`.execute(database().store.db);
  };
  const { enforcement } = world.registry;
  const refuse = () => enforcement.refuseUnreached(version.id, why);
  const refused = async () =>
    (await enforcement.receipts(project, { versionId: version.id, limit: 100_000 })).filter(
      ({ outcome }) => outcome === 'refused',
    );
  return {
    ...world,
    revoke: (one = version) => world.revoke(one),
    version,
    enforcement,
    publish,
    refuse,
    refused,
  };
}

describe('images in places that nobody here reaches', () => {
  it('are left out of what is wanted, counted, and hold no deletion', async () => {
    const { version, enforcement, publish, revoke } = await aForeign({ deleteAfterMs: 1 }, { isBaked: true });
    await publish(2);
    await revoke();
    const [artifactId = ''] = version.builds.flatMap(({ artifacts }) => artifacts.map(({ id }) => id));
    await enforcement.record({
      receiptId: ulid(),
      versionId: version.id,
      artifactId,
      target: home,
      action: 'disable',
      outcome: 'done',
      launchable: false,
      detail: '',
      lastKnown: 'disabled',
    });

    await expect
      .poll(async () => enforcement.wish(version.id, why))
      .toMatchObject({ wanted: 'deleted', unreached: 2, places: [{ artifactId }] });
    const whole = await enforcement.wish(version.id);
    expect(whole).toMatchObject({ wanted: 'blocked' });
    expect(whole.places).toHaveLength(3);
    expect(whole).not.toHaveProperty('unreached');
  });

  it('have one receipt each for a revocation, that says why and what to do', async () => {
    const { version, publish, revoke, refuse, refused, registry } = await aForeign();
    await publish(2_001);
    await refuse();
    expect(await refused()).toEqual([]);

    const recordId = await revoke();
    await Promise.all([refuse(), refuse()]);
    await refuse();

    const receipts = await refused();
    expect(receipts).toHaveLength(2_001);
    expect(new Set(receipts.map(({ artifactId }) => artifactId)).size).toBe(2_001);
    expect(receipts[0]).toMatchObject({
      target: elsewhere,
      action: 'disable',
      launchable: null,
      detail: expect.stringMatching(
        /^ami-\w+ is not disabled: nobody knows whose it is; disable it there by hand$/,
      ) as unknown,
    });
    expect(await eventsOf(database().store, version.id, 'receipt.recorded')).toHaveLength(2_001);

    await registry.revocations.lift(recordId, 'fine', ann);
    await refuse();
    expect(await refused()).toHaveLength(2_001);
    await revoke();
    await refuse();
    expect(await refused()).toHaveLength(4_002);
  });

  it.each([
    [{ tested: true }, 'refuse'],
    [{ verified: true }, 'refuse'],
    [{ approvals: 1 }, 'wait'],
  ] as const)('keep a version from a channel that asks for %j: %s', async (gates, verdict) => {
    const { version, registry, publish } = await aForeign({ channels: { prod: gates } });
    await publish(1);
    const { id } = await registry.promotions.request({
      project,
      bucket: version.bucket,
      channel: 'prod',
      versionId: version.id,
      reason: '',
      by: ann,
    });

    expect(await registry.promotions.gates(id, why)).toMatchObject({ verdict });
    if (verdict !== 'refuse') return;
    expect(await registry.promotions.gates(id, why)).toEqual({
      verdict,
      reasons: [
        expect.stringMatching(
          /^v1 has images that nobody here can look at, and prod takes none without that: ami-\w+ in aws\/unknown\/eu: nobody knows whose it is$/,
        ),
      ],
    });
    expect(await registry.promotions.gates(id)).toMatchObject({ verdict: 'wait' });
  });
});
