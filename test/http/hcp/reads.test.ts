import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Version } from '../../../src/domain/version.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const channelNames = z.object({ channels: z.array(z.object({ name: z.string() })) });

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let bucket: string;
let version: Version;

beforeAll(async () => {
  api = startApi(database());
  ({ bucket, version } = await api.world.lineWithVersion());
  hcp = await hcpOf(api);
});
afterAll(() => api.app.close());

describe('reads of a bucket', () => {
  it('shows it with its newest complete version and where it is', async () => {
    const { status, body } = await hcp.get(`~/buckets/${bucket}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      bucket: {
        name: bucket,
        location: { organization_id: hcp.organizationId, project_id: hcp.projectId },
        resource_name: `packer/project/${hcp.projectId}/bucket/${bucket}`,
        platforms: ['qemu'],
        latest_version: { id: version.id, name: 'v1', status: 'VERSION_ACTIVE' },
        version_count: '1',
        parents: null,
        children: null,
      },
    });
  });

  it('answers a bucket that is not there as Packer expects it', async () => {
    expect(await hcp.get('~/buckets/absent')).toMatchObject({
      status: 404,
      code: 5,
      message: 'Error: The bucket with identifier absent does not exist.',
    });
    expect(await hcp.get('~/buckets/absent/channels')).toMatchObject({ status: 404, code: 5 });
    expect(await hcp.get('~/buckets/absent/versions/f')).toMatchObject({ status: 404, code: 5 });
  });
});

describe('reads of a version', () => {
  it('shows it with builds and artifacts, and null for dates that are not set', async () => {
    const { body } = await hcp.get(`~/buckets/${bucket}/versions/${version.fingerprint}`);
    const artifact = version.builds[0]?.artifacts[0];

    expect(body).toMatchObject({
      version: {
        id: version.id,
        bucket_name: bucket,
        fingerprint: version.fingerprint,
        author_id: 'ann',
        template_type: 'HCL2',
        has_descendants: false,
        revoke_at: null,
        revocation_type: 'REVOCATION_TYPE_UNSET',
        revocation_inherited_from: null,
        builds: [
          {
            version_id: version.id,
            component_type: 'file.one',
            platform: 'qemu',
            status: 'BUILD_DONE',
            artifacts: [{ id: artifact?.id, external_identifier: artifact?.image.imageId, region: 'here' }],
          },
        ],
      },
    });
  });

  it('answers a fingerprint that is not known 409/10, which Packer creates it for, and 404/5 beside that', async () => {
    const path = `~/buckets/${bucket}/versions/unknown`;
    expect(await hcp.get(path)).toMatchObject({
      status: 409,
      code: 10,
      message: 'Version with fingerprint unknown not found',
    });
    expect(await hcp.get(`${path}/builds`)).toMatchObject({ status: 404, code: 5 });
  });

  it('lists its builds and shows one of them', async () => {
    const path = `~/buckets/${bucket}/versions/${version.fingerprint}/builds`;
    const id = version.builds[0]?.id ?? '';

    expect(await hcp.get(path)).toMatchObject({ status: 200, body: { builds: [{ id }] } });
    expect(await hcp.get(`${path}/${id}`)).toMatchObject({ status: 200, body: { build: { id } } });
    expect(await hcp.get(`${path}/${version.id}`)).toMatchObject({ status: 404, code: 5 });
  });
});

describe('reads of channels', () => {
  it('embeds the whole version in a channel', async () => {
    const { body } = await hcp.get(`~/buckets/${bucket}/channels/prod`);

    expect(body).toMatchObject({
      channel: {
        name: 'prod',
        bucket_name: bucket,
        managed: false,
        restricted: false,
        version: { id: version.id, builds: [{ artifacts: [{ region: 'here' }] }] },
      },
    });
    expect(await hcp.get(`~/buckets/${bucket}/channels/absent`)).toMatchObject({ status: 404, code: 5 });
  });

  it('hides restricted channels from viewers in lists, and names them where they are asked for', async () => {
    const names = async (token: string) => {
      const { body } = await hcp.get(`~/buckets/${bucket}/channels`, token);
      return channelNames.parse(body).channels.map(({ name }) => name);
    };

    expect(await names(tokens.contributor)).toEqual(['latest', 'dev', 'prod']);
    expect(await names(tokens.viewer)).toEqual(['dev', 'prod']);
    const refused = await hcp.get(`~/buckets/${bucket}/channels/latest`, tokens.viewer);
    expect(refused).toMatchObject({ status: 403, code: 7 });
    expect(refused.message).toContain('"latest"');
  });
});
