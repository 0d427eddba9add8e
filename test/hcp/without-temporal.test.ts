/** Stock Packer publishes and everybody reads while Temporal is away; after its return the workflows catch up by themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { useDatabase } from '../support/database.ts';
import { until } from '../support/installation.ts';
import { quietLog } from '../support/quiet-log.ts';
import type { TestTemporal } from '../support/temporal-server.ts';
import { startTemporal } from '../support/temporal-server.ts';
import { build, hasPacker, templateIn } from './support/packer.ts';
import type { StockServer } from './support/server.ts';
import { startStockServer } from './support/server.ts';

const database = useDatabase();
let temporal: TestTemporal;
let server: StockServer;
let worker: RunningProcess | undefined;

beforeAll(async () => {
  temporal = await startTemporal();
  await temporal.kill();
  server = await startStockServer(database().url, temporal.address);
}, 120_000);
afterAll(async () => {
  await worker?.stop();
  await server.stop();
  await temporal.stop();
}, 120_000);

const template = `
hcp_packer_registry {
  bucket_name = "kept"
}
source "null" "one" {
  communicator = "none"
}
build {
  sources = ["source.null.one"]
}
`;

const version = async (fingerprint: string) =>
  (await server.call('GET', `/buckets/kept/versions/${fingerprint}`)).body.version;
const latest = async () => (await server.call('GET', '/buckets/kept/channels/latest')).body.channel.version;
/** What has become true of itself at its date, as workflows record it. */
const effects = async (): Promise<readonly string[]> => {
  const { events } = await server.client.listEvents({ project: 'stock' });
  return events.map(({ kind }) => kind).filter((kind) => kind === 'revocation.effective');
};

describe.runIf(hasPacker)('while Temporal is away', () => {
  it('versions are published, end at their date and are read, and the workflows do the rest later', async () => {
    const env = await server.environment('packer', 'contributor');
    const folder = templateIn(server.folder, template);
    for (const fingerprint of ['stays', 'ends']) {
      const ran = await build({ ...env, HCP_PACKER_BUILD_FINGERPRINT: fingerprint }, folder);
      expect(ran, ran.said).toMatchObject({ code: 0 });
    }
    expect(await latest()).toMatchObject({ name: 'v2', fingerprint: 'ends' });
    const asked = await server.call('PATCH', '/buckets/kept/versions/ends', {
      revoke_in: '2s',
      revocation_message: 'a hole',
    });
    expect(asked).toMatchObject({ http: 200, body: { operation: { state: 'PENDING' } } });
    await until('it reads as revoked', async () => (await version('ends')).status === 'VERSION_REVOKED');
    expect(await latest()).toMatchObject({ fingerprint: 'stays' });
    expect(await effects()).toEqual([]);

    await temporal.startAgain();
    worker = startWorker(server.settings, quietLog().log);

    await until('the revocation took effect', async () => (await effects()).length > 0, 60_000);
    expect(await effects()).toEqual(['revocation.effective']);
    expect(await latest()).toMatchObject({ fingerprint: 'stays' });
    const operation = asked.body.operation.id;
    expect((await server.operation(operation)).body.operation).toMatchObject({ state: 'DONE' });
  }, 120_000);
});
