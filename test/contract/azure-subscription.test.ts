/** A subscription as Packer and doctor meet it: its credentials, and what a killed Packer left there. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { group, home, markTags } from './azure-fixture.ts';
import { freshMark } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';
import { collectIn, quick, useAzure } from './use-azure.ts';

const azure = useAzure();

describe('credentials', () => {
  it('that are refused are named by doctor, without the secret', async () => {
    const wrong = azure().open({
      credentials: {
        kind: 'clientSecret',
        tenantId: azure().cloud.tenantId,
        clientId: azure().cloud.clientId,
        clientSecret: () => Promise.resolve('a~wrong~secret'),
      },
    });
    const [check] = await wrong.doctor();

    expect(check).toMatchObject({ ok: false, detail: expect.stringContaining('AADSTS') });
    expect(JSON.stringify(check)).not.toContain('wrong~secret');
  });

  it('are in no failure', async () => {
    const image = await collectIn(azure(), 'refused');
    await azure().cloud.fault({ operation: 'GET galleries/images/versions', answer: 'access-denied' });
    const error: unknown = await azure()
      .provider.images.inspect(image)
      .catch((refused: unknown) => refused);

    expect(error).toEqual(failure('permission_denied', 'versions/read'));
    expect(inspect(error, { depth: 20 })).not.toMatch(/Bearer|eyJ|client~secret/);
  });

  it('go to Packer as variables and environment, and the secret is named as one', async () => {
    const prepared = await azure().provider.prepareBake!({
      mark: freshMark('prepared'),
      folder: azure().folder('x'),
      targets: [azure().target],
      timeLimitMs: 1,
    });

    expect(prepared.secretVariables).toEqual(['client_secret']);
    expect(prepared.environment).toMatchObject({
      ARM_CLIENT_SECRET: azure().cloud.clientSecret,
      AZURE_TENANT_ID: azure().cloud.tenantId,
    });
  });

  it('of a subscription without its gallery are told so by doctor', async () => {
    const lost = azure().open({ gallery: 'nowhere' });

    expect((await lost.doctor()).filter(({ ok }) => !ok)[0]?.detail).toContain('nowhere');
  });
});

describe('what a killed Packer left', () => {
  it('is found by its mark, whatever it is, and swept', async () => {
    const { provider, cloud, target } = azure();
    const mark = freshMark('killed');
    const tags = markTags(mark);
    await cloud.managedImage(target.account, 'packer', mark.imageName, home, { tags });
    await azure()
      .compute.disks.createOrUpdate(
        group,
        'orphan',
        { location: home, tags, diskSizeGB: 1, creationData: { createOption: 'Empty' } },
        quick,
      )
      .pollUntilDone();
    const found = await provider.cleanup.leftovers(mark.bakeId, [target]);
    for (const leftover of [...found, ...found]) await provider.cleanup.sweep(leftover);

    expect(found.map(({ kind }) => kind)).toEqual(['Microsoft.Compute/disks', 'Microsoft.Compute/images']);
    expect(await provider.cleanup.leftovers(mark.bakeId, [target])).toEqual([]);
    await expect(
      provider.cleanup.sweep({ kind: 'x', id: '/subscriptions/other/x', target, mark: '' }),
    ).rejects.toEqual(failure('invalid_input', '/subscriptions/other/x'));
  });
});
