/**
 * The client secret of an Azure subscription: Packer is given it, and its bake says it aloud. It is looked for in the image by the bake
 * host, and kept nowhere.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingLeft } from '../kill/clean-slate.ts';
import { azureHome, startClouds, type Clouds } from '../support/clouds/file.ts';
import { inDatabase, inFiles, inHistories, type Search, searchFor } from '../vault/searching.ts';
import { type Desk, openDesk } from './support.ts';

const bucket = 'two-clouds';
const saying = (text: string) =>
  text.replace('inline = [', 'inline = [\n      "echo the client secret is $ARM_CLIENT_SECRET",');

let clouds: Clouds;
let desk: Desk;
let search: Search;

beforeAll(async () => {
  clouds = await startClouds();
  search = searchFor([clouds.azure.clientSecret]);
  desk = await openDesk({ ...clouds.environment, BAKEHOUSE_CLOUDS: clouds.file });
  const targets = [
    { provider: 'qemu', launch: { memoryMb: 256 } },
    { provider: 'azure', account: clouds.subscription, region: azureHome },
  ];
  const line = { template: { path: desk.template('saying', saying) }, targets };
  const applied = await desk.apply({ [bucket]: line });
  if (applied.code !== 0) throw new Error(applied.stderr);
}, 150_000);
afterAll(async () => {
  await expectNothingLeft(desk.installation);
  await desk.stop();
  await clouds.stop();
}, 90_000);

describe('the client secret of a subscription that Packer bakes with', () => {
  it('is looked for in the image by its name, and not told', async () => {
    const { code, stdout, stderr } = await desk.run('release', bucket);
    expect(code, stderr).toBe(0);
    const logs = await desk.run('logs', bucket);
    expect(logs.stdout).toContain('the client secret is ***');
    expect(search.holds(`${stdout}${stderr}${logs.stdout}`)).toBe(false);
    const [version] = await desk.installation.registry.versions.list('default', bucket, {});
    const [artifact] = (version?.builds ?? []).flatMap((build) => build.artifacts);
    expect(artifact?.test?.checks).toContainEqual({
      name: 'no planted secret',
      passed: true,
      detail: 'looked for ARM_CLIENT_SECRET, AZURE_CLIENT_SECRET',
    });
  }, 240_000);

  it('is in no history, no row of the database and no file that is left', async () => {
    // The search finds what is there.
    expect(await inHistories(desk.installation, searchFor([bucket]))).toEqual(
      expect.arrayContaining(['history of release', 'history of testLaunch']),
    );
    expect(await inDatabase(desk.installation, searchFor([bucket]))).toContain('table bucket');
    expect(await inHistories(desk.installation, search)).toEqual([]);
    expect(await inDatabase(desk.installation, search)).toEqual([]);
    expect(inFiles(desk.installation.folder, search)).toEqual([]);
  }, 60_000);
});
