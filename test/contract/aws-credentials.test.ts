/** Whose credentials calls are made with, and which of them a bake's Packer is given. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsAccounts, awsCredentials } from '../support/clouds/aws.ts';
import { home, openAws, openProvider, place, type AwsFixture } from './aws-fixture.ts';
import { failure } from './provider-fixture.ts';

const { owner, firstShare, secondShare } = awsAccounts;

const bakeOf = (timeLimitMs: number) => ({
  mark: { bakeId: 'bake', attemptId: 'attempt', imageName: 'image' },
  folder: '/nowhere',
  targets: [place()],
  timeLimitMs,
});

describe('credentials', { timeout: 60_000 }, () => {
  let fixture: AwsFixture;
  beforeAll(async () => {
    fixture = await openAws();
  }, 60_000);
  afterAll(() => fixture.dispose());
  beforeEach(async () => {
    await fixture.cloud.reset();
    // Sessions end with it.
    fixture = { ...fixture, ...openProvider(fixture.cloud) };
  });

  it('of a bake are a session of the role that outlives the time limit', async () => {
    const { environment = {} } = await fixture.provider.prepareBake!(bakeOf(3 * 3_600_000));

    expect(Object.keys(environment).toSorted()).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_DEFAULT_REGION',
      'AWS_EC2_METADATA_DISABLED',
      'AWS_ENDPOINT_URL',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
    ]);
    await expect(fixture.provider.prepareBake!(bakeOf(12 * 3_600_000))).rejects.toEqual(
      failure('invalid_input', '12 h'),
    );
  });

  it('that are leased are asked again when they end', async () => {
    const asked: string[] = [];
    const lifeMs = 6 * 60_000;
    const { provider } = openProvider(fixture.cloud, {
      accounts: [
        { id: owner, regions: [home], credentials: { kind: 'leased', path: 'aws/creds/bakehouse' } },
      ],
      leased: (path) => {
        asked.push(path);
        return Promise.resolve({
          accessKeyId: `AKIA0000${owner}`,
          secretAccessKey: `secret-of-${owner}`,
          // The first one is at its end.
          expiration: new Date(Date.now() + (asked.length === 1 ? 1_000 : lifeMs)),
        });
      },
    });
    for (let times = 0; times < 3; times += 1)
      await provider.images.inspect({ target: place(), imageId: 'ami-0123456789abcdef0' });

    expect(asked).toEqual(['aws/creds/bakehouse', 'aws/creds/bakehouse']);
  });

  describe('that are leased', () => {
    const own = awsCredentials(owner);
    const account = { id: owner, regions: [home] };
    const opened = () =>
      openProvider(fixture.cloud, {
        accounts: [{ ...account, credentials: { kind: 'leased', path: 'aws/creds/bakehouse' } }],
        leased: () => Promise.resolve(own),
      }).provider;
    const given = awsCredentials(firstShare);

    it('are leased anew for a bake whose Packer starts, and ours where it is only looked at', async () => {
      const asked: string[] = [];
      const bake = (leases?: typeof given) =>
        opened().prepareBake!({
          ...bakeOf(3_600_000),
          leased: (path) => {
            asked.push(path);
            return Promise.resolve(leases);
          },
        });
      const environment = {
        AWS_ACCESS_KEY_ID: given.accessKeyId,
        AWS_SECRET_ACCESS_KEY: given.secretAccessKey,
      };
      expect((await bake(given)).environment).toMatchObject(environment);
      expect((await bake()).environment).toMatchObject({ AWS_ACCESS_KEY_ID: own.accessKeyId });
      expect((await opened().prepareBake!(bakeOf(3_600_000))).environment).toMatchObject({
        AWS_ACCESS_KEY_ID: own.accessKeyId,
      });
      expect(asked).toEqual(['aws/creds/bakehouse', 'aws/creds/bakehouse']);
    });

    it('are not given to Packer before AWS knows them', async () => {
      await fixture.cloud.clearCalls();
      const fresh = { accessKeyId: 'AKIANEW', secretAccessKey: 'secret' };
      const bake = opened().prepareBake!({ ...bakeOf(3_600_000), leased: () => Promise.resolve(fresh) });
      await expect(bake).rejects.toEqual(failure('provider_unavailable', 'not known to AWS'));

      const asked = (await fixture.cloud.calls()).filter(({ action }) => action === 'GetCallerIdentity');
      expect(asked.length).toBeGreaterThan(3);
    });
  });

  it('that are a user just made are kept while AWS does not know them yet', async () => {
    let asked = 0;
    const { provider } = openProvider(fixture.cloud, {
      accounts: [{ id: owner, regions: [home], credentials: { kind: 'leased', path: 'aws/creds/user' } }],
      leased: () => {
        asked += 1;
        return Promise.resolve({ accessKeyId: 'AKIANEW', secretAccessKey: 'secret' });
      },
    });
    const look = async () => provider.images.inspect({ target: place(), imageId: 'ami-0123456789abcdef0' });
    for (let tries = 0; tries < 2; tries += 1)
      await expect(look()).rejects.toEqual(failure('provider_unavailable', 'may not know them yet'));

    expect(asked).toBe(1);
  });

  it('that end early are asked for anew, once', async () => {
    const { provider } = fixture;
    const image = { target: place(), imageId: await fixture.cloud.baseImage(home) };
    await provider.images.inspect(image);
    await fixture.cloud.expireSessions();

    await expect(provider.images.inspect(image)).rejects.toEqual(failure('provider_unavailable', 'anew'));
    expect(await provider.images.inspect(image)).toMatchObject({ presence: 'present' });
  });

  it('never are in an error, however it is printed', async () => {
    const { provider } = fixture;
    const image = { target: place(), imageId: await fixture.cloud.baseImage(home) };
    await provider.images.inspect(image);
    await fixture.cloud.fault({ action: 'DescribeImages', answer: 'server-error' });
    const error: unknown = await provider.images.inspect(image).catch((one: unknown) => one);

    expect(error).toEqual(failure('provider_unavailable', image.imageId));
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/x-amz-security-token|ASIA/i);
  });

  it('of another account are told by the doctor', async () => {
    const { provider } = openProvider(fixture.cloud, {
      accounts: [
        {
          id: secondShare,
          regions: [home],
          credentials: { kind: 'assumeRole', roleArn: fixture.cloud.roleArn(firstShare) },
        },
      ],
    });

    expect(await provider.doctor()).toEqual([
      { check: `aws: account ${secondShare}`, ok: false, detail: expect.stringContaining(firstShare) },
    ]);
  });
});
