/** An AWS account that names a lease: what a bake's Packer gets is the attempt's own, whatever becomes of the process that leased it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCredentials } from '../../src/activities/credentials.ts';
import { loadTools } from '../../src/config/tools.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Vault } from '../../src/vault/index.ts';
import { createProviders } from '../../src/worker/providers.ts';
import { awsAccounts, awsCredentials } from '../support/clouds/aws.ts';
import { awsHome, startClouds, type Clouds } from '../support/clouds/file.ts';
import { useDatabase } from '../support/database.ts';
import { type InFront, startInFront } from './in-front.ts';
import { type ReadyOpenBao, startReadyOpenBao } from './openbao-ready.ts';
import { openVault, refusal } from './wishes.ts';

const database = useDatabase();
const path = 'aws/creds/bake';
const lifetimeMs = 3_600_000;
let bao: ReadyOpenBao;
let clouds: Clouds;
let front: InFront;
let taken: number;
const open = () => openVault(bao, { address: front.address, tokenRole: 'bakehouse' });
const revokes = () => front.asked.filter((one) => one === 'sys/leases/revoke').length;

const key = (account: string) => {
  const { accessKeyId: access_key, secretAccessKey: secret_key } = awsCredentials(account);
  return { access_key, secret_key, security_token: null };
};

const answer = (body: unknown) => ({ status: 200, body });

beforeAll(async () => {
  [bao, clouds] = await Promise.all([startReadyOpenBao(database().url), startClouds()]);
  taken = 0;
  // No AWS engine comes with OpenBao: its answers are those of its documentation. The first key is the process's, the next the bake's.
  front = await startInFront(bao.address, (asked) => {
    if (asked === `sys/internal/ui/mounts/${path}`) {
      return answer({ data: { path: 'aws/', type: 'aws', config: {} } });
    }
    if (asked === 'aws/roles/bake') return answer({ data: { credential_types: ['iam_user'] } });
    if (asked === 'aws/config/lease') return answer({ data: { lease_max: '2h0m0s' } });
    if (asked === 'sys/leases/revoke') return answer({});
    if (asked !== path) return undefined;
    taken += 1;
    const data = key(taken === 1 ? awsAccounts.owner : awsAccounts.secondShare);
    return answer({ lease_id: `${path}/${taken}`, lease_duration: 7_200, data });
  });
}, 120_000);

afterAll(async () => {
  await front[Symbol.asyncDispose]();
  await Promise.all([bao.stop(), clouds.stop()]);
});

async function awsWith(vault: Vault) {
  const cloudsFile = join(clouds.folder, 'leased.yaml');
  const account = { id: awsAccounts.owner, regions: [awsHome], credentials: { lease: path } };
  const file = { aws: { endpoint: clouds.aws.endpoint, accounts: [account] } };
  writeFileSync(cloudsFile, JSON.stringify(file));
  const imageStore = join(clouds.folder, 'images');
  return (await createProviders({ imageStore, cloudsFile }, loadTools(), vault)).get('aws');
}

it('a bake whose host stops keeps its key, which ends with the attempt and is known to every process', async () => {
  const { ledger, bakes } = createRegistry(database().store);
  const attemptId = 'attempt-of-a-lease';
  const vault = await open();
  const credentials = createCredentials({ ledger, bakes, vault });
  const aws = await awsWith(vault);
  expect((await aws.doctor()).filter(({ ok }) => !ok)).toEqual([]);
  expect(taken).toBe(1);

  const wanted = { attemptId, lifetimeMs, path };
  await credentials.checkLease(wanted);
  expect(taken).toBe(1);
  const tooLong = { ...wanted, attemptId: 'too-long', lifetimeMs: 3 * lifetimeMs };
  expect(await refusal(credentials.checkLease(tooLong))).toMatch(
    /^illegal_state: the lease of aws\/creds\/bake must last 10800 s .* gives 7200 s: raise lease_max/,
  );

  const prepared = await aws.prepareBake?.({
    mark: { bakeId: 'b', attemptId, imageName: 'i' },
    folder: clouds.folder,
    targets: [{ provider: 'aws', account: awsAccounts.owner, region: awsHome }],
    timeLimitMs: lifetimeMs,
    leased: (of) => credentials.lease({ ...wanted, path: of }),
  });
  const { accessKeyId } = awsCredentials(awsAccounts.secondShare);
  expect(prepared?.environment).toMatchObject({ AWS_ACCESS_KEY_ID: accessKeyId });
  const openMarks = async () => (await ledger.listOpen({ owner: attemptId })).map(({ mark }) => mark);
  expect(await openMarks()).toEqual([expect.stringMatching(/^token \S+$/), `lease ${path}/2`]);

  await vault.close();
  // Its own lease, and nothing of the bake's.
  expect(revokes()).toBe(1);
  expect(await bao.tokensOf(attemptId)).toHaveLength(1);

  const other = createCredentials({ ledger, bakes, vault: await open() });
  await other.revoke(attemptId);
  expect(revokes()).toBe(2);
  expect(await openMarks()).toEqual([]);
  expect(await bao.tokensOf(attemptId)).toEqual([]);
}, 60_000);
