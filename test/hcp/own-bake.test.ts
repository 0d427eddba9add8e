/** A bake of ours whose template publishes: stock Packer tells our own server of it, as a principal of its own. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { latestPackerPath } from '../../scripts/setup/packer-latest.ts';
import { createCredentials } from '../../src/activities/credentials.ts';
import { createPackerActivities } from '../../src/activities/packer.ts';
import { templateDigest } from '../../src/domain/template-digest.ts';
import { newClientSecret } from '../../src/http/credentials.ts';
import { createPackerRunner } from '../../src/packer/runner.ts';
import { ownServer } from '../../src/worker/own-server.ts';
import { ann, createWorld, home, project } from '../registry/support/world.ts';
import { quiet } from '../support/bake/world.ts';
import { useDatabase } from '../support/database.ts';
import { FakeCloud } from '../support/bake/cloud.ts';
import { hasPacker } from './support/packer.ts';
import { type StockServer, startStockServer } from './support/server.ts';

const database = useDatabase();
let server: StockServer;
beforeAll(async () => {
  server = await startStockServer(database().url);
});
afterAll(() => server.stop());

const template = (parent: string, builder = 'file') => `
variable "bake_id" { type = string }
variable "image_name" { type = string }
variable "output_directory" { type = string }
variable "manifest_path" { type = string }
variable "base_image" { default = "" }
hcp_packer_registry {
  build_labels = { "stage" = "test" }
}
data "hcp-packer-version" "base" {
  bucket_name  = "${parent}"
  channel_name = "dev"
}
source "${builder}" "app" {
  content = "made on \${data.hcp-packer-version.base.fingerprint}"
  target  = "\${var.output_directory}/\${var.image_name}.txt"
}
source "file" "unasked" {
  content = "nobody asked"
  target  = "\${var.output_directory}/unasked.txt"
}
build {
  sources = ["source.${builder}.app", "source.file.unasked"]
  post-processor "manifest" {
    output      = var.manifest_path
    custom_data = { bake_id = var.bake_id }
  }
}
`;

const run = async <T>(step: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({ heartbeatTimeoutMs: 30_000 }, { logger: quiet }).run(step);

async function aBake(isReachable = true, builder = 'file') {
  const world = createWorld(database());
  const { registry } = world;
  const { bucket: base, version: pinned } = await world.lineWithVersion();
  const files = { 'image.pkr.hcl': new TextEncoder().encode(template(base, builder)) };
  const digest = await templateDigest(files);
  await registry.lines.putTemplate({ digest, files });
  const bucket = await world.line({ parents: [base] });
  const { line } = await registry.lines.get(project, bucket);
  if (line === null) throw new Error('no line');
  const changed = {
    ...line,
    template: { kind: 'folder', path: 'images', entry: '.', digest },
    sources: [`${builder}.app`],
    parents: [{ bucket: base, channel: 'dev', variable: 'base_image' }],
  } as const;
  await registry.lines.apply(project, [changed], ann);
  const asked = { project, bucket, kind: 'bake', variables: {}, by: ann } as const;
  const { request } = await registry.requests.accept(asked);
  await world.assign(await world.bake(base), 'dev');
  const version = await registry.bakes.openVersion(request.id, 1);
  const attemptId = ulid();
  const attempt = { attemptId, versionId: version.id, hostId: 'host', timeLimitMs: 120_000 };
  await registry.bakes.openAttempt(attempt);

  const attemptsDir = path.join(server.folder, 'attempts', attemptId);
  const packer = createPackerRunner({
    attemptsDir,
    packers: [{ path: latestPackerPath() }],
    git: 'git',
    environment: process.env,
  });
  const cloud = new FakeCloud();
  const { provider } = cloud;
  Object.assign(provider.images, {
    inspect: async () => Promise.resolve({ presence: 'present', reference: 'base-image', tags: {} }),
  });
  const url = `https://127.0.0.1:${server.settings.tls.listen?.port}`;
  const caFile = path.join(server.settings.dataDir, 'tls', 'ca.pem');
  const activities = createPackerActivities({
    registry,
    providers: cloud.providers,
    packer,
    credentials: createCredentials({
      ledger: registry.ledger,
      bakes: registry.bakes,
      vault: undefined,
      principals: { principals: registry.principals, newSecret: newClientSecret },
    }),
    server: isReachable ? ownServer({ registry: { url, caFile } }) : undefined,
    graceMs: 1_000,
  });
  return {
    ...world,
    bucket,
    base,
    pinned,
    version,
    attemptId,
    check: () => run(() => activities.checkTemplate(attemptId, changed.sources)),
    bake: () => run(() => activities.runPacker(attemptId, changed.sources)),
    discard: () => run(() => activities.discardAttempt(attemptId)),
  };
}

/** Of the principals that were made for the attempt and are not revoked. */
const rolesFor = (attemptId: string) =>
  database()
    .store.db.selectFrom('principal')
    .innerJoin('principal_role', 'principal_id', 'principal.id')
    .leftJoin('bucket', 'bucket.id', 'bucket_id')
    .where('attempt_id', '=', attemptId)
    .where('revoked_at', 'is', null)
    .select(['bucket.name as bucket', 'role'])
    .orderBy('role')
    .execute();

describe.runIf(hasPacker)('a bake of a template that publishes', () => {
  it('is told of by Packer on the pinned parent, and completed by its workflow; its principal ends with it', async () => {
    const { registry, bucket, base, pinned, version, attemptId, ...at } = await aBake();
    await at.check();
    const said = await at.bake();
    const log = await registry.logs.read(attemptId, 0, 100_000).then((chunk) => JSON.stringify(chunk));
    expect(said, log).toMatchObject({ ended: 'succeeded', failure: null });

    const told = await registry.versions.get(version.id);
    expect(told.state).toBe('running');
    expect(told.builds.map(({ source, state }) => [source, state])).toEqual([
      ['file.app', 'running'],
      ['file.unasked', 'pending'],
    ]);
    const [made] = said.sources.flatMap(({ artifacts }) => artifacts.flatMap(({ files }) => files));
    expect(readFileSync(made ?? '', 'utf8')).toBe(`made on ${pinned.fingerprint}`);

    expect(await rolesFor(attemptId)).toEqual([
      { bucket, role: 'contributor' },
      { bucket: base, role: 'viewer' },
    ]);
    expect(log).not.toContain('bhs_');

    await registry.bakes.recordBuilds(attemptId, [
      { source: 'file.app', state: 'done', images: [{ target: home, imageId: 'app' }] },
    ]);
    const complete = await registry.bakes.completeVersion(version.id, ann);
    expect(complete).toMatchObject({ name: 'v1', parents: [{ versionId: pinned.id }] });
    const shown = await registry.views.version(project, bucket, version.fingerprint, () => 'all');
    expect(shown.builds).toMatchObject([{ componentType: 'file.app', labels: { stage: 'test' } }]);
    await at.discard();
    expect(await rolesFor(attemptId)).toEqual([]);
    expect(await registry.ledger.listOpen({ owner: attemptId })).toEqual([]);
  }, 120_000);

  it('is refused before Packer where the host knows no server, or a builder is not HCP-ready', async () => {
    const unreachable = await aBake(false);
    await expect(unreachable.check()).rejects.toThrow('set BAKEHOUSE_REGISTRY_URL for it');
    const unready = await aBake(true, 'virtualbox-iso');
    await expect(unready.check()).rejects.toThrow('the builder virtualbox-iso is not HCP-ready');
    expect(await rolesFor(unready.attemptId)).toEqual([]);
  });
});
