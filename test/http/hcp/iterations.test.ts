import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Version } from '../../../src/domain/version.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let bucket: string;
let version: Version;
let prefix: string;

beforeAll(async () => {
  api = startApi(database());
  ({ bucket, version } = await api.world.lineWithVersion());
  hcp = await hcpOf(api);
  prefix = `/packer/2021-04-30/organizations/${hcp.organizationId}/projects/${hcp.projectId}/images`;
});
afterAll(() => api.app.close());

const get = (path: string, token?: string) => api.raw('GET', `${prefix}${path}`, undefined, token);

describe('the API of 2021-04-30', () => {
  it("shows a channel with its iteration as Packer's older data sources read it", async () => {
    const [build] = version.builds;
    const [artifact] = build?.artifacts ?? [];
    const { status, body } = await get(`/${bucket}/channels/dev`);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      channel: {
        slug: 'dev',
        bucket_slug: bucket,
        managed: false,
        iteration: {
          id: version.id,
          bucket_slug: bucket,
          fingerprint: version.fingerprint,
          complete: true,
          incremental_version: 1,
          revoke_at: null,
          revocation_type: 'UNSET',
          builds: [
            {
              id: build?.id,
              iteration_id: version.id,
              cloud_provider: 'qemu',
              component_type: 'file.one',
              status: 'DONE',
              images: [{ image_id: artifact?.image.imageId, region: artifact?.image.target.region }],
            },
          ],
        },
      },
    });
    expect(body).toHaveProperty('channel.pointer.iteration.id', version.id);
  });

  it('finds an iteration by each of its names, and asks for one of them', async () => {
    for (const query of [
      `iteration_id=${version.id}`,
      `fingerprint=${version.fingerprint}`,
      'incremental_version=1',
    ]) {
      expect(await get(`/${bucket}/iteration?${query}`)).toMatchObject({
        status: 200,
        body: { iteration: { id: version.id } },
      });
    }
    expect(await get(`/${bucket}/iteration`)).toMatchObject({ status: 400, code: 3 });
    expect(await get(`/${bucket}/iteration?fingerprint=a&iteration_id=b`)).toMatchObject({ code: 3 });
    expect(await get(`/${bucket}/iteration?iteration_id=${ulid()}`)).toMatchObject({ status: 404, code: 5 });
    expect(await get(`/absent/iteration?iteration_id=${ulid()}`)).toMatchObject({ status: 404, code: 5 });
  });

  it('tells a revocation with its date, and who inherits it from where', async () => {
    const parent = await api.world.lineWithVersion();
    const child = await api.world.lineWithVersion({ parents: [parent.bucket] });
    await api.world.revoke(parent.version);

    const { body } = await get(`/${child.bucket}/iteration?iteration_id=${child.version.id}`);
    expect(body).toMatchObject({
      iteration: {
        revoke_at: expect.any(String),
        revocation_message: 'a hole',
        revocation_type: 'INHERITED',
        revocation_inherited_from: {
          bucket_slug: parent.bucket,
          iteration_id: parent.version.id,
          iteration_incremental_version: 1,
        },
      },
    });
    expect(await get(`/${parent.bucket}/channels/dev`)).toMatchObject({
      body: { channel: { iteration: null, pointer: null } },
    });
  });

  it('asks for the roles of today', async () => {
    const token = await tokenOf(api, 'one-bucket', null, [{ bucket, role: 'viewer' }]);
    const foreign = await api.world.line();

    expect(await get(`/${bucket}/channels/dev`, token)).toMatchObject({ status: 200 });
    expect(await get(`/${foreign}/channels/dev`, token)).toMatchObject({ status: 403, code: 7 });
    expect(await get(`/${bucket}/channels/latest`, token)).toMatchObject({ status: 403, code: 7 });
    expect(await get(`/${bucket}/channels/latest`, tokens.contributor)).toMatchObject({ status: 200 });
    expect(await get('', token)).toMatchObject({ status: 501, code: 12 });
  });
});
