import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { loadTools } from '../../src/config/tools.ts';
import type { ImageProvider } from '../../src/providers/provider.ts';
import { createVault, type Vault } from '../../src/vault/index.ts';
import { createProviders } from '../../src/worker/providers.ts';
import { startClouds, type Clouds } from '../support/clouds/file.ts';
import { useDatabase } from '../support/database.ts';
import { startReadyOpenBao, type ReadyOpenBao } from './openbao-ready.ts';

const database = useDatabase();
let bao: ReadyOpenBao;
let clouds: Clouds;
let vault: Vault;
let azure: ImageProvider;

beforeAll(async () => {
  [bao, clouds] = await Promise.all([startReadyOpenBao(database().url), startClouds()]);
  const settings = loadSettings({
    VAULT_ADDR: bao.address,
    BAKEHOUSE_VAULT_AUTH: 'approle',
    BAKEHOUSE_VAULT_ROLE_ID: bao.roleId,
    BAKEHOUSE_VAULT_SECRET_ID: await bao.secretId(),
    BAKEHOUSE_CLOUDS: clouds.write('vault.yaml', {
      clientSecretVault: { kv: 'secret/bake/azure', key: 'client_secret' },
    }),
  });
  if (settings.vault === undefined) throw new Error('no Vault is set');
  vault = await createVault(settings.vault);
  azure = (await createProviders(settings, loadTools(), vault)).get('azure');
}, 120_000);

afterAll(async () => {
  await vault.close();
  await Promise.all([bao.stop(), clouds.stop()]);
});

const keep = (secret: string) => bao.write('secret/data/bake/azure', { data: { client_secret: secret } });
const firstCheck = async () => (await azure.doctor())[0];

describe('the client secret of Azure in Vault', () => {
  it('is read when a token is needed, and a rotated one is taken up', async () => {
    expect((await firstCheck())?.detail).toContain('there is no secret secret/bake/azure in Vault');
    await keep(clouds.azure.clientSecret);
    expect(await firstCheck()).toMatchObject({ ok: true });

    await keep('rotated-away');
    const refused = await firstCheck();
    expect(refused).toMatchObject({ ok: false, detail: expect.stringContaining('AADSTS') });
    expect(refused?.detail).not.toContain('rotated-away');
    await keep(clouds.azure.clientSecret);
    expect(await firstCheck()).toMatchObject({ ok: true });
  });

  it('is named where Vault does not have it, and not needed by what has a token already', async () => {
    await bao.write('secret/data/bake/azure', { data: { secret: 'x' } });
    expect((await firstCheck())?.detail).toContain(
      `client secret of subscription ${clouds.subscription}": secret/bake/azure has no key client_secret; it has secret`,
    );

    const target = { provider: 'azure', account: clouds.subscription, region: 'westeurope' };
    const version = 'galleries/golden/images/x/versions/1.0.0';
    const imageId = `/subscriptions/${clouds.subscription}/resourceGroups/images/providers/Microsoft.Compute/${version}`;
    const read = async () => (await azure.images.inspect({ target, imageId })).presence;
    await bao.write('secret/data/bake/azure', { data: { client_secret: clouds.azure.clientSecret } });
    expect(await read()).toBe('missing');
    await bao.seal();
    expect(await read()).toBe('missing');
    expect(await firstCheck()).toMatchObject({ ok: false, detail: expect.stringMatching(/sealed/i) });
    await bao.unseal();
    await expect.poll(async () => (await firstCheck())?.ok, { timeout: 10_000 }).toBe(true);
  }, 60_000);
});
