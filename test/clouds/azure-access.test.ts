import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ComputeManagementClient } from '@azure/arm-compute';
import { ResourceManagementClient } from '@azure/arm-resources';
import type { ClientSecretCredential, TokenCredential } from '@azure/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startAzureCloud } from '../support/clouds/azure.ts';
import type { AzureCloud } from '../support/clouds/azure.ts';

const guest = {
  clientId: 'c11e0000-0000-4000-8000-00000000901d',
  clientSecret: 'other',
  subscriptions: ['50b50000-0000-4000-8000-000000000002'],
};

let cloud: AzureCloud;
let resources: ResourceManagementClient;
let subscription: string;

const noRetries = { retryOptions: { maxRetries: 0 } };
const quick = { updateIntervalInMs: 10 };

const client = (
  credential: ClientSecretCredential = cloud.credential(),
  of = subscription,
): ResourceManagementClient =>
  new ResourceManagementClient(credential, of, { ...cloud.clientOptions, ...noRetries });

const refusal = (code: string, statusCode: number, message = ''): unknown =>
  expect.objectContaining({ code, statusCode, message: expect.stringContaining(message) });

beforeAll(async () => {
  cloud = await startAzureCloud({ clients: [guest] });
  subscription = cloud.subscriptionIds[0] ?? '';
  resources = client();
});

afterAll(() => cloud.stop());

beforeEach(() => cloud.reset());

const group = (name: string, tags: Record<string, string> = {}) =>
  resources.resourceGroups.createOrUpdate(name, { location: 'westeurope', tags });

const holding = (token: string): TokenCredential => ({
  getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
});

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
describe('tokens', () => {
  it('are not given for a wrong secret', async () => {
    const wrong = cloud.credential({ clientId: cloud.clientId, clientSecret: 'wrong' });
    await expect(client(wrong).resourceGroups.get('any')).rejects.toThrow(/AADSTS7000215/);
  });

  it('are refused when there is none, when made up, and when past their time', async () => {
    const asking = (token: string) =>
      new ResourceManagementClient(holding(token), subscription, {
        ...cloud.clientOptions,
        ...noRetries,
      }).resourceGroups.get('any');
    await expect(asking('a.b.c')).rejects.toEqual(refusal('InvalidAuthenticationToken', 401));
    await cloud.setTokenLifetime(0);
    const { token } = await cloud.credential().getToken('https://management.azure.com/.default');
    await cloud.setTokenLifetime(3_599);
    await expect(asking(token)).rejects.toEqual(refusal('ExpiredAuthenticationToken', 401));
  });
});

// https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
describe('access', () => {
  it('that is missing is refused with the action and the scope', async () => {
    await expect(
      client(cloud.credential(guest)).resourceGroups.createOrUpdate('rg', { location: 'x' }),
    ).rejects.toEqual(
      refusal(
        'AuthorizationFailed',
        403,
        `perform action 'Microsoft.Resources/subscriptions/resourceGroups/write' over scope '/subscriptions/${subscription}`,
      ),
    );
  });
});

// https://learn.microsoft.com/rest/api/resources/resource-groups/delete and https://learn.microsoft.com/rest/api/resources/resources/list
describe('resource groups', () => {
  it('go with all that is in them, in time', async () => {
    await group('rg');
    await cloud.managedImage(subscription, 'rg', 'img', 'westeurope');
    const poller = await resources.resourceGroups.beginDelete('rg', quick);
    expect((await resources.resourceGroups.get('rg')).properties?.provisioningState).toBe('Deleting');
    await expect(group('rg')).rejects.toEqual(refusal('ResourceGroupBeingDeleted', 409));
    await poller.pollUntilDone();
    expect(await cloud.everything()).toEqual([]);
    await expect(resources.resourceGroups.get('rg')).rejects.toEqual(refusal('ResourceGroupNotFound', 404));
  });

  it('and resources are found by tag', async () => {
    await group('one', { bake: 'b1' });
    await group('two', { bake: 'b2' });
    const image = await cloud.managedImage(subscription, 'two', 'img', 'westeurope', {
      tags: { bake: 'b1' },
    });
    const found: (string | undefined)[] = [];
    for await (const one of resources.resources.list({ filter: "tagName eq 'bake' and tagValue eq 'b1'" }))
      found.push(one.id);
    for await (const one of resources.resourceGroups.list({
      filter: "tagName eq 'bake' and tagValue eq 'b1'",
    }))
      found.push(one.name);
    expect(found).toEqual([image, 'one']);
  });
});

describe('the fault switchboard', () => {
  const operation = 'PUT resourceGroups';

  it('answers each way, as often as asked, and then the truth', async () => {
    // https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    await cloud.fault({ operation, answer: 'throttled', times: 2, retryAfterSeconds: 7 });
    for (const _ of [1, 2])
      await expect(group('rg')).rejects.toMatchObject({
        code: 'SubscriptionRequestsThrottled',
        statusCode: 429,
      });
    await cloud.fault({ operation, answer: 'server-error' });
    await expect(group('rg')).rejects.toEqual(refusal('InternalServerError', 500));
    await cloud.fault({ operation, answer: 'not-found' });
    await expect(group('rg')).rejects.toEqual(refusal('ResourceNotFound', 404));
    await cloud.fault({ operation, answer: 'access-denied' });
    await expect(group('rg')).rejects.toEqual(refusal('AuthorizationFailed', 403, 'resourceGroups/write'));
    expect(await cloud.everything()).toEqual([]);
    await cloud.fault({ operation, answer: 'timeout-after-effect' });
    await expect(group('rg')).rejects.toThrow(/socket hang up/);
    expect(await cloud.everything()).toHaveLength(1);
    await group('rg');
    expect(
      (await cloud.requests()).filter((one) => one.operation === operation).map((one) => one.status),
    ).toEqual([429, 429, 500, 404, 403, 201, 200]);
  });

  it('carries the seconds of a throttled call, and what remains of the limit', async () => {
    await cloud.fault({ operation: 'GET virtualMachines', answer: 'throttled', retryAfterSeconds: 7 });
    const compute = new ComputeManagementClient(cloud.credential(), subscription, {
      ...cloud.clientOptions,
      ...noRetries,
    });
    const headers: Record<string, string>[] = [];
    const onResponse = ({
      headers: given,
    }: {
      readonly headers: { toJSON(): Record<string, string> };
    }): void => {
      headers.push(given.toJSON());
    };
    await expect(compute.virtualMachines.listAll({ onResponse }).next()).rejects.toMatchObject({
      code: 'OperationNotAllowed',
      statusCode: 429,
    });
    await compute.virtualMachines.listAll({ onResponse }).next();
    expect(headers[0]).toMatchObject({
      'retry-after': '7',
      'x-ms-ratelimit-remaining-resource': 'Microsoft.Compute/HighCostGet3Min;0',
    });
    expect(headers[1]).toMatchObject({ 'x-ms-ratelimit-remaining-subscription-reads': '199' });
  });
});

describe('a process of its own', () => {
  it('has the same switchboard, and leaves nothing when it is stopped', async () => {
    const apart = await startAzureCloud({ ownProcess: true });
    try {
      const id = await apart.managedImage(subscription, 'rg', 'img', 'westeurope', { tags: { a: 'b' } });
      const compute = new ComputeManagementClient(apart.credential(), subscription, {
        ...apart.clientOptions,
        ...noRetries,
      });
      expect(await compute.images.get('rg', 'img')).toMatchObject({ id, tags: { a: 'b' } });
      await apart.fault({ operation: 'GET images', answer: 'access-denied' });
      await expect(compute.images.get('rg', 'img')).rejects.toEqual(
        refusal('AuthorizationFailed', 403, 'Microsoft.Compute/images/read'),
      );
      expect((await apart.requests()).map((one) => one.operation)).toEqual([
        'POST token',
        'GET images',
        'GET images',
      ]);
      // As a worker reaches it: the authority in its environment, no client option.
      const ask = `fetch('${apart.endpoint}/${apart.tenantId}/v2.0/.well-known/openid-configuration').then((r) => console.log(r.status))`;
      const env = { NODE_EXTRA_CA_CERTS: apart.caFile };
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', ask], { env });
      expect(stdout).toBe('200\n');
    } finally {
      await apart.stop();
    }
    expect(existsSync(apart.caFile)).toBe(false);
  });
});
