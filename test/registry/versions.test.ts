import { describe, expect, it } from 'vitest';
import { useDatabase } from '../support/database.ts';
import { ann, createWorld, home, project, refusal } from './support/world.ts';

const database = useDatabase();

describe('a version', () => {
  it('is found by its name, its number, its fingerprint and its id', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    const first = await world.bake(bucket);
    const second = await world.bake(bucket);
    const find = async (name: string) => (await world.registry.versions.find(project, bucket, name)).id;

    expect(await Promise.all(['v1', '1', first.fingerprint, first.id].map(find))).toEqual(
      Array(4).fill(first.id),
    );
    expect(await find('v2')).toBe(second.id);
  });

  it('that does not exist is refused with the latest that do', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    const find = (name: string) => refusal('not_found', world.registry.versions.find(project, bucket, name));

    expect(await find('v1')).toContain('none yet');
    await world.bake(bucket);
    await world.bake(bucket);
    const open = await world.open(bucket);
    expect(await find('v9')).toContain(`The latest are ${open.fingerprint}, v2, v1`);
    expect(await find('v0')).toContain('no version "v0"');
    expect(await refusal('not_found', world.registry.versions.get('nothing'))).toContain('nothing');
    expect(await refusal('not_found', world.registry.versions.find(project, 'nowhere', 'v1'))).toContain(
      bucket,
    );
  });

  it('is listed newest first, page by page', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    for (let count = 0; count < 5; count += 1) await world.bake(bucket);

    const first = await world.registry.versions.list(project, bucket, { limit: 3 });
    const before = first.at(-1)?.id ?? '';
    const second = await world.registry.versions.list(project, bucket, { before, limit: 3 });

    expect(first.map(({ name }) => name)).toEqual(['v5', 'v4', 'v3']);
    expect(second.map(({ name }) => name)).toEqual(['v2', 'v1']);
  });

  it('names its descendants, nearest first and each once, over a diamond', async () => {
    const world = createWorld(database());
    const { bucket: base, version } = await world.lineWithVersion();
    const left = await world.lineWithVersion({ parents: [base] });
    const right = await world.lineWithVersion({ parents: [base] });
    const tip = await world.lineWithVersion({ parents: [left.bucket, right.bucket] });
    await world.open(left.bucket);

    const found = await world.registry.versions.descendants(version.id);

    expect(found.map(({ versionId, depth }) => [versionId, depth])).toEqual([
      [left.version.id, 1],
      [right.version.id, 1],
      [tip.version.id, 2],
    ]);
    expect(found[2]).toMatchObject({ bucket: tip.bucket, versionName: 'v1' });
    expect(await world.registry.versions.descendants(tip.version.id)).toEqual([]);
  });
});

describe('resolve', () => {
  it('answers the images of the version on the channel', async () => {
    const world = createWorld(database());
    const { bucket, version } = await world.lineWithVersion();

    const answer = await world.registry.versions.resolve(project, bucket, 'prod');

    const artifact = version.builds[0]?.artifacts[0];
    expect(answer).toEqual({
      project,
      bucket,
      channel: 'prod',
      versionId: version.id,
      versionName: 'v1',
      fingerprint: version.fingerprint,
      images: [{ artifactId: artifact?.id, ...home, imageId: artifact?.image.imageId, digest: null }],
    });
  });

  it('refuses what is not there, each with its own sentence', async () => {
    const world = createWorld(database());
    const bucket = await world.line();
    const resolve = (channel: string) => world.registry.versions.resolve(project, bucket, channel);

    expect(await refusal('illegal_state', resolve('prod'))).toBe(
      `channel "prod" of bucket "${bucket}" has no version assigned: it never had one; promote one with \`bakehouse promote ${bucket} <version> prod\``,
    );
    expect(await refusal('illegal_state', resolve('latest'))).toContain(
      `it never had one; bake one with \`bakehouse bake ${bucket}\``,
    );
    expect(await refusal('not_found', resolve('stage'))).toContain('It has dev, prod, latest');
  });

  it('says which version a revocation took away, when, why, and what to do; and after the restore', async () => {
    const world = createWorld(database());
    const { bucket, version } = await world.lineWithVersion();
    await world.revoke(version, { reason: 'CVE-2026-1' });
    const words = () => refusal('illegal_state', world.registry.versions.resolve(project, bucket, 'prod'));

    expect(await words()).toMatch(
      /has no version assigned: v1 was revoked on 20\d\d-\S+Z \(CVE-2026-1\), and no earlier version can take its place; promote one with `bakehouse promote \S+ <version> prod`, or take the revocation back with `bakehouse restore \S+ v1` and promote v1 again$/,
    );
    await world.registry.revocations.restore(version.id, 'a mistake', ann);
    expect(await words()).toMatch(
      /: v1 was taken away by a revocation on 20\S+ and is restored since; promote one/,
    );
    await world.assign(version, 'prod');
    await world.registry.channels.assign({ project, bucket, channel: 'prod', versionId: null, by: ann });
    expect(await words()).toContain(`: ${ann.name} unassigned it on 20`);
  });

  it('says of a child whose revocation took its version away', async () => {
    const world = createWorld(database());
    const parent = await world.lineWithVersion();
    const child = await world.lineWithVersion({ parents: [parent.bucket] });
    await world.revoke(parent.version, { reason: 'CVE-2026-1' });

    const words = await refusal(
      'illegal_state',
      world.registry.versions.resolve(project, child.bucket, 'prod'),
    );
    expect(words).toContain(`: v1 was revoked together with ${parent.bucket} v1 on 20`);
    expect(words).toContain(`\`bakehouse restore ${parent.bucket} v1\` and promote v1 again`);
  });

  it('rolls back by itself at a date that nobody materialised, or refuses and names the version', async () => {
    const world = createWorld(database());
    const rolling = await world.lineWithVersion();
    const staying = await world.lineWithVersion();
    const records: string[] = [];
    for (const [line, rollBack] of [
      [rolling, true],
      [staying, false],
    ] as const) {
      const second = await world.bake(line.bucket);
      await world.assign(second, 'prod');
      records.push(await world.revoke(second, { inMs: 3_600_000, rollBack, reason: 'a hole in it' }));
    }
    const resolve = (bucket: string) => world.registry.versions.resolve(project, bucket, 'prod');
    expect((await resolve(rolling.bucket)).versionName).toBe('v2');
    // Only now, so that a slow machine has no part in what is seen before the date.
    for (const recordId of records) {
      const at = new Date(Date.parse(await world.registry.now()) + 1_500).toISOString();
      await world.registry.revocations.reschedule(recordId, at, ann);
    }

    await expect.poll(async () => (await resolve(rolling.bucket)).versionName, { timeout: 5_000 }).toBe('v1');
    await expect.poll(() => resolve(staying.bucket).catch(String), { timeout: 5_000 }).toContain('revoked');
    expect(await refusal('illegal_state', resolve(staying.bucket))).toMatch(
      /v2, which was revoked on .*a hole in it/,
    );
  });
});
