/** A release of ours whose template publishes, from the request to the channel: Temporal, worker, bake host, stock Packer and a real machine. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTools } from '../../src/config/tools.ts';
import { type ImageLine, openGates } from '../../src/domain/image-line.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { startBakeHost } from '../../src/worker/bake-host.ts';
import { startWorker } from '../../src/worker/main.ts';
import type { RunningProcess } from '../../src/worker/running.ts';
import { useDatabase } from '../support/database.ts';
import { until } from '../support/installation.ts';
import { quietLog } from '../support/quiet-log.ts';
import { startTemporal, type TestTemporal } from '../support/temporal-server.ts';
import { hasPacker } from './support/packer.ts';
import { type StockServer, startStockServer } from './support/server.ts';

const database = useDatabase();
const project = 'stock';
let temporal: TestTemporal;
let server: StockServer;
let running: readonly RunningProcess[] = [];

beforeAll(async () => {
  temporal = await startTemporal();
  server = await startStockServer(database().url, temporal.address);
  const { tls, dataDir } = server.settings;
  const url = `https://127.0.0.1:${String(tls.listen?.port)}`;
  const settings = { ...server.settings, registry: { url, caFile: `${dataDir}/tls/ca.pem` } };
  const { log } = quietLog();
  running = [startWorker(settings, log), startBakeHost(settings, log)];
  await Promise.all(running.map((one) => one.ready));
}, 120_000);
afterAll(async () => {
  await Promise.allSettled(running.map((one) => one.stop()));
  await server.stop();
  await temporal.stop();
}, 120_000);

const template = (head = '', steps = '') => `
variable "bake_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }
variable "seed_image" { type = string }
${head}
source "file" "image" {
  source = var.seed_image
  target = "\${var.output_directory}/\${var.image_name}.qcow2"
}
build {
  sources = ["source.file.image"]
  ${steps}
  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}
`;

const reading = `
data "hcp-packer-artifact" "base" {
  bucket_name  = "base"
  channel_name = "dev"
  platform     = "qemu"
  region       = "local"
}
`;
const readImage = 'data.hcp-packer-artifact.base.external_identifier';

async function apply(bucket: string, text: string, parents: readonly string[] = []): Promise<void> {
  const files = { 'image.pkr.hcl': new TextEncoder().encode(text) };
  const digest = await templateDigest(files);
  const encoded = { 'image.pkr.hcl': Buffer.from(text).toString('base64') };
  await server.client.putTemplate({ project, digest, files: encoded });
  const line: ImageLine = {
    bucket,
    description: '',
    template: { kind: 'folder', path: bucket, entry: 'image.pkr.hcl', digest },
    sources: [],
    variables: { seed_image: loadTools().seedImage?.path ?? '' },
    parents: parents.map((parent) => ({ bucket: parent, channel: 'dev' })),
    targets: [{ provider: 'qemu', account: 'local', region: 'local', launch: { memoryMb: 256 } }],
    tests: [],
    channels: [{ name: 'dev', gates: { ...openGates, tested: true } }],
    timeLimitMs: 300_000,
    endOfLifeCascades: false,
  };
  await server.client.applyLines({ project, lines: [line] });
}

/** Asks for a release or a bake and answers how it ended. */
async function ended(bucket: string, kind: 'bake' | 'release') {
  const { request } = await server.client.acceptRequest({ project, bucket, kind });
  const now = () => server.client.getRequest({ project, request: request.id });
  await until(`the ${kind} has ended`, async () => (await now()).state !== 'open', 180_000);
  return now();
}

async function released(bucket: string) {
  const { id: request, state, failure, versionId } = await ended(bucket, 'release');
  expect({ state, failure }).toEqual({ state: 'succeeded', failure: null });
  const { streams } = await server.client.listLogs({ project, request });
  const logs = streams.map(({ stream }) => server.client.readLog({ project, request, stream, after: 0 }));
  return { versionId, said: (await Promise.all(logs)).map(({ text }) => text).join('\n') };
}

async function onChannel(bucket: string) {
  const { versionId, images } = await server.client.resolveChannel({ project, bucket, channel: 'dev' });
  return { versionId, imageId: images[0]?.imageId };
}

async function shown(bucket: string) {
  const { channel } = (await server.call('GET', `/buckets/${bucket}/channels/dev`)).body;
  const { body } = await server.call('GET', `/buckets/${bucket}/versions/${channel.version.fingerprint}`);
  const { relations } = (await server.call('GET', `/buckets/${bucket}/ancestry?type=ANCESTRY_TYPE_PARENTS`))
    .body;
  return { version: body.version, relations };
}

async function expectNoPrincipals(): Promise<void> {
  const open = await database()
    .store.db.selectFrom('principal')
    .select('name')
    .where('attempt_id', 'is not', null)
    .where('revoked_at', 'is', null)
    .execute();
  expect(open).toEqual([]);
}

describe.runIf(hasPacker)('a release of a template that uses the registry', () => {
  beforeAll(async () => {
    await apply('base', template());
    await released('base');
  }, 180_000);

  it('and publishes: it reads its parent, is told of by Packer, tested, and on its channel with its ancestry', async () => {
    const publishes = `
      hcp_packer_registry {
        build_labels = { "made-on" = ${readImage} }
      }`;
    await apply('app', template(reading + publishes), ['base']);
    const { versionId, said } = await released('app');

    const [base, app] = [await onChannel('base'), await onChannel('app')];
    expect(app.versionId).toBe(versionId);
    const { version, relations } = await shown('app');
    expect(version).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
    expect(version.builds).toMatchObject([
      {
        component_type: 'file.image',
        status: 'BUILD_DONE',
        labels: { 'made-on': base.imageId },
        artifacts: [{ external_identifier: app.imageId, region: 'local' }],
      },
    ]);
    expect(relations).toMatchObject([
      { status: 'UP_TO_DATE', parent: { bucket_name: 'base', version_name: 'v1' } },
    ]);
    expect(said).toContain('file.image');
    expect(said).not.toContain('bhs_');
    await expectNoPrincipals();
  }, 300_000);

  it('and only reads: it is given its parent, and Bakehouse records the bake', async () => {
    const tells = `
      provisioner "shell-local" {
        inline = ["echo made on \${${readImage}}"]
      }`;
    await apply('plain', template(reading, tells), ['base']);
    const { versionId, said } = await released('plain');

    expect((await onChannel('plain')).versionId).toBe(versionId);
    expect(said).toContain(`made on ${(await onChannel('base')).imageId}`);
    const { version, relations } = await shown('plain');
    expect(version).toMatchObject({ name: 'v1', status: 'VERSION_ACTIVE' });
    expect(relations).toMatchObject([
      { status: 'UP_TO_DATE', parent: { bucket_name: 'base', version_name: 'v1' } },
    ]);
    await expectNoPrincipals();
  }, 300_000);

  it('or could not get at its parent, is refused before Packer, with what to write', async () => {
    await apply('orphan', template(reading));
    expect((await ended('orphan', 'bake')).failure).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('the line has no `parents`: name each of them there'),
    });
    await apply('blind', template(), ['base']);
    expect((await ended('blind', 'bake')).failure).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('name the `variable` that takes it under `parents`'),
    });
    await expectNoPrincipals();
  }, 120_000);
});
