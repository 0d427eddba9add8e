import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { operation } from '../../../src/http/hcp/descriptors/schemas/operation.ts';
import { version as wireVersion } from '../../../src/http/hcp/descriptors/schemas/version.ts';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, strangerToken, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';
import type { Published } from './support/publish.ts';
import { newBucket, publish } from './support/publish.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let bucket: string;

beforeAll(async () => {
  api = startApi(database());
  bucket = await newBucket(api);
  hcp = await hcpOf(api);
});
afterAll(() => api.app.close());

const updated = z.strictObject({ version: wireVersion, operation });
const waited = z.strictObject({ operation });

const path = ({ bucket: at, fingerprint }: Published) => `~/buckets/${at}/versions/${fingerprint}`;
const update = (version: Published, body: unknown, token: string = tokens.contributor) =>
  hcp.call('PATCH', path(version), body, token);
const done = async (version: Published, body: unknown) => {
  const answer = await update(version, body);
  if (answer.status !== 200) throw new Error(answer.message);
  return updated.parse(answer.body);
};
const statusOf = async (version: Published): Promise<string> =>
  z.object({ version: wireVersion }).parse((await hcp.get(path(version))).body).version.status;

const day = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * day).toISOString();
/** What Go sends for a date that is not set. */
const zeroTime = '0001-01-01T00:00:00.000Z';

const operations = (id: string, rest = '') =>
  `/operation/2020-05-05/organizations/${hcp.organizationId}/projects/${hcp.projectId}/operations/${id}${rest}`;

describe('UpdateVersion', () => {
  it('revokes at the date that is now, by the clock of a caller that is behind', async () => {
    const version = await publish(api, bucket);
    const { version: after, operation: of } = await done(version, {
      revoke_at: new Date(Date.now() - 60_000).toISOString(),
      revocation_message: 'a hole',
    });
    expect(after).toMatchObject({
      status: 'VERSION_REVOKED',
      revocation_message: 'a hole',
      revocation_author: 'contributor',
      revocation_type: 'MANUAL',
      revocation_inherited_from: null,
    });
    expect(Date.parse(after.revoke_at ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect(of.state).toBe('DONE');
    await expect(done(version, { revoke_at: inDays(-1) })).rejects.toThrow('is in the past');
  });

  it('takes the units of revoke_in, the zero time for none, and not both', async () => {
    const version = await publish(api, bucket);
    const { version: after } = await done(version, { revoke_at: zeroTime, revoke_in: '30d' });
    expect(after.status).toBe('VERSION_REVOCATION_SCHEDULED');
    expect(Math.abs(Date.parse(after.revoke_at ?? '') - Date.now() - 30 * day)).toBeLessThan(60_000);
    expect(await done(await publish(api, bucket), { revoke_in: '2h45m' })).toMatchObject({
      operation: { state: 'PENDING' },
    });
    expect(await done(await publish(api, bucket), { revoke_in: '0s' })).toMatchObject({
      version: { status: 'VERSION_REVOKED' },
    });
    for (const body of [
      { revoke_at: inDays(1), revoke_in: '1d' },
      { revoke_in: 'soon' },
      { revoke_in: '-1h' },
      { revoke_in: '99999999d' },
      { revoke_at: 'tomorrow' },
      { revoke_at: '2026-12-01' },
      { revoke_at: '0000-01-01T00:00:00+14:00' },
      { revoke_at: '0001-01-01T00:00:00+14:00' },
      { revoke_at: '9999-12-31T23:59:59-14:00' },
      { complete: true },
      { restore: true, revoke_in: '1d' },
      { revocation_message: 'when?' },
    ]) {
      expect(await update(version, body), JSON.stringify(body)).toMatchObject({ status: 400, code: 3 });
    }
  });

  it('answers a body that says nothing with the version as it is, and an operation', async () => {
    const version = await publish(api, bucket);
    const { version: after, operation: of } = await done(version, { revoke_at: zeroTime });
    expect(after).toMatchObject({ id: version.id, status: 'VERSION_ACTIVE', revoke_at: null });
    expect(of).toMatchObject({ id: version.id, state: 'DONE' });
  });

  it('keeps the earliest of several dates, and a version that is revoked as it is', async () => {
    const version = await publish(api, bucket);
    const first = await done(version, { revoke_at: inDays(3) });
    expect(await done(version, { revoke_at: first.version.revoke_at })).toEqual(first);
    const later = await done(version, { revoke_at: inDays(9), revocation_message: 'later' });
    expect(later.version).toMatchObject({
      revoke_at: first.version.revoke_at,
      revocation_message: 'later',
    });
    const earlier = await done(version, { revoke_at: inDays(1) });
    expect(Date.parse(earlier.version.revoke_at ?? '')).toBeLessThan(
      Date.parse(first.version.revoke_at ?? ''),
    );
    const now = await done(version, { revoke_in: '0s', revocation_message: 'now' });
    expect(now.version.status).toBe('VERSION_REVOKED');
    expect(await done(version, { revoke_in: '0s', revocation_message: 'now' })).toEqual(now);
    expect(await update(version, { revoke_in: '1d' })).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('Revoked versions cannot be updated unless restored.'),
    });
  });

  it('refuses what is not complete or not there', async () => {
    const open = await publish(api, bucket, { sources: 2, done: 1 });
    expect(await update(open, { revoke_in: '0s' })).toMatchObject({ status: 400, code: 9 });
    expect(await update({ ...open, fingerprint: 'unknown' }, { revoke_in: '0s' })).toMatchObject({
      status: 404,
      code: 5,
    });
  });

  it('takes descendants along unless they are to be left out, and channels unless they are to stay', async () => {
    const childBucket = await newBucket(api);
    const good = await publish(api, bucket);
    const bad = await publish(api, bucket);
    const child = await publish(api, childBucket, { parentId: bad.id });
    const grandchild = await publish(api, childBucket, { parentId: child.id });
    await api.world.registry.channelChanges.create({
      project,
      bucket,
      channel: 'stable',
      restricted: false,
      versionId: good.id,
      by: { name: 'ann', via: 'api' },
    });
    const assign = await hcp.call('PATCH', `~/buckets/${bucket}/channels/stable`, {
      version_fingerprint: bad.fingerprint,
      update_mask: 'versionFingerprint',
    });
    expect(assign.status).toBe(200);
    await done(bad, { revoke_in: '0s', skip_descendants_revocation: true, disable_rollback_channels: true });
    expect(await statusOf(child)).toBe('VERSION_ACTIVE');
    const shown = () => hcp.get(`~/buckets/${bucket}/channels/stable`);
    expect((await shown()).body).toMatchObject({ channel: { version: { id: bad.id } } });

    await done(bad, { restore: true });
    await done(bad, { revoke_in: '0s' });
    expect((await shown()).body).toMatchObject({ channel: { version: { id: good.id } } });
    expect((await hcp.get(path(grandchild))).body).toMatchObject({
      version: {
        status: 'VERSION_REVOKED',
        revocation_type: 'INHERITED',
        revocation_inherited_from: { bucket_name: bucket, version_fingerprint: bad.fingerprint },
      },
    });
    expect(await update(grandchild, { restore: true })).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('Directly restoring this version does not apply.'),
    });
    const { version, operation: of } = await done(bad, { restore: true });
    expect(version).toMatchObject({ status: 'VERSION_ACTIVE', revoke_at: null, revocation_message: '' });
    expect(of.state).toBe('DONE');
    expect(await statusOf(grandchild)).toBe('VERSION_ACTIVE');
    expect((await shown()).body).toMatchObject({ channel: { version: { id: good.id } } });
    expect(await update(bad, { restore: true })).toMatchObject({
      status: 400,
      code: 9,
      message: expect.stringContaining('Restoring does not apply. This version is valid'),
    });
  });

  it('needs the role on the buckets of the descendants that it reaches', async () => {
    const parent = await newBucket(api);
    const version = await publish(api, parent);
    const child = await publish(api, bucket, { parentId: version.id });
    const token = await tokenOf(api, 'of-the-parent', null, [{ bucket: parent, role: 'contributor' }]);
    expect(await update(version, { revoke_in: '0s' }, token)).toMatchObject({ status: 403, code: 7 });
    expect(
      await update(version, { revoke_in: '0s', skip_descendants_revocation: true }, token),
    ).toMatchObject({ status: 200 });
    expect(await statusOf(child)).toBe('VERSION_ACTIVE');
  });
});

describe('operations', () => {
  it('wait until they are done, or as long as is asked', async () => {
    const version = await publish(api, bucket);
    const scheduled = await done(version, { revoke_in: '30d' });
    const { id } = scheduled.operation;
    const pending = waited.parse((await hcp.get(operations(id, '/wait?timeout=0.2s'))).body);
    expect(pending.operation).toEqual(scheduled.operation);
    expect(pending.operation).toMatchObject({ id, state: 'PENDING' });

    const waiting = hcp.get(operations(id, '/wait?timeout=30s'));
    await done(version, { restore: true });
    expect(waited.parse((await waiting).body).operation).toMatchObject({ id, state: 'DONE' });
    expect(waited.parse((await hcp.get(operations(id))).body).operation.state).toBe('DONE');
  });

  it('are looked at no longer once their caller has hung up', async () => {
    const version = await publish(api, bucket);
    const { operation: of } = await done(version, { revoke_in: '30d' });
    const find = vi.spyOn(api.world.registry.operations, 'find');
    const address = await api.app.listen({ host: '127.0.0.1', port: 0 });
    const caller = new AbortController();
    const waiting = fetch(`${address}${operations(of.id, '/wait?timeout=30s')}`, {
      headers: { authorization: `Bearer ${tokens.admin}` },
      signal: caller.signal,
    });
    await expect.poll(() => find.mock.calls.length).toBe(1);
    caller.abort();
    await expect(waiting).rejects.toThrow();
    // At most one look was on its way.
    await sleep(1600);
    expect(find.mock.calls.length).toBeLessThanOrEqual(2);
    find.mockRestore();
  });

  it('run from their date until the effect is written', async () => {
    const version = await publish(api, bucket);
    const { operation: of } = await done(version, { revoke_in: '1s' });
    await expect
      .poll(async () => waited.parse((await hcp.get(operations(of.id))).body).operation.state, {
        timeout: 30_000,
      })
      .toBe('RUNNING');
    expect(await statusOf(version)).toBe('VERSION_REVOKED');
    await api.world.registry.revocations.materialiseDue();
    expect(waited.parse((await hcp.get(operations(of.id, '/wait'))).body).operation.state).toBe('DONE');
  });

  it('are known in their project, to who may read the bucket', async () => {
    const version = await publish(api, bucket);
    const { operation: of } = await done(version, { revoke_in: '30d' });
    const elsewhere = await newBucket(api);
    const own = await tokenOf(api, 'of-the-bucket', null, [{ bucket, role: 'viewer' }]);
    const other = await tokenOf(api, 'of-another', null, [{ bucket: elsewhere, role: 'admin' }]);
    expect(await hcp.get(operations(of.id), own)).toMatchObject({ status: 200 });
    expect(await hcp.get(operations(of.id), other)).toMatchObject({ status: 404, code: 5 });
    expect(await hcp.get(operations('01ARZ3NDEKTSV4RRFFQ69G5FAV'))).toMatchObject({ status: 404, code: 5 });
    expect((await hcp.get(operations(of.id), strangerToken)).status).toBeGreaterThanOrEqual(403);
    for (const timeout of ['5', 'soon', '-1s', '5s&timeout=6s']) {
      expect(await hcp.get(operations(of.id, `/wait?timeout=${timeout}`))).toMatchObject({ code: 3 });
    }
    const registry = await hcp.call('PATCH', '~/registry', {
      feature_tier: 'PLUS',
      update_mask: 'featureTier',
    });
    const { operation: ofRegistry } = z.object({ operation }).parse(registry.body);
    expect((await hcp.get(operations(ofRegistry.id))).body).toMatchObject({
      operation: { id: ofRegistry.id, state: 'DONE' },
    });
  });
});
