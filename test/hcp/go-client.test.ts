/** HCP's generated Go client against a real server: every operation, and every pair of codes that HCP is known to answer. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hcpWalkPath } from '../../scripts/setup/hcp-walk.ts';
import { useDatabase } from '../support/database.ts';
import { operations, refusals } from './support/expected-walk.ts';
import type { Environment, StockServer } from './support/server.ts';
import { startStockServer } from './support/server.ts';

interface Line {
  readonly name: string;
  readonly operation: string;
  readonly http: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- what the client understood, of which each test reads its part.
  readonly answer?: any;
  readonly code?: number;
  readonly seen_code?: number;
  readonly message?: string;
  readonly details?: unknown;
  readonly error?: string;
}

const isBuilt = existsSync(hcpWalkPath());
const database = useDatabase();
let server: StockServer;
let lines: readonly Line[] = [];

function walk(which: string, env: Environment): Promise<readonly Line[]> {
  return new Promise((resolve, reject) => {
    execFile(hcpWalkPath(), [which], { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`the walk ended: ${stderr}`, { cause: error }));
      else
        resolve(
          stdout
            .trim()
            .split('\n')
            .map((line): Line => JSON.parse(line)),
        );
    });
  });
}

beforeAll(async () => {
  server = await startStockServer(database().url);
  if (!isBuilt) return;
  lines = await walk('operations', await server.environment('walker', 'admin'));
}, 120_000);
afterAll(() => server.stop());

const line = (name: string): Line => {
  const found = lines.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the walk has no step "${name}"`);
  return found;
};
/** What the client understood of a step that was answered. */
const answer = (name: string) => {
  const one = line(name);
  expect(one).toMatchObject({ http: 200 });
  return one.answer;
};

it('the walk is built', () => {
  if (isBuilt) return;
  const said = "not tested with HCP's Go client (run `node scripts/bootstrap.mjs scripts/setup/hcp-walk.ts`)";
  if (process.env['CI'] !== undefined) throw new Error(said);
  process.stderr.write(`${said}\n`);
});

describe.runIf(isBuilt)("HCP's Go client", () => {
  it('takes an answer of each of the 52 operations', () => {
    const answered = new Set(lines.filter(({ http }) => http === 200).map(({ operation }) => operation));

    expect(operations).toHaveLength(52);
    expect(operations.filter((operation) => !answered.has(operation))).toEqual([]);
  });

  it('is never answered what it does not take for an answer of the API', () => {
    expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  it.each(refusals)('is refused: %s', (name, http, code, message) => {
    expect(line(name)).toMatchObject({ http, code, seen_code: code });
    expect(line(name).message).toMatch(message);
  });

  it('is refused nothing else', () => {
    const known = refusals.map(([name]) => name);
    const refused = lines.filter((one) => one.http !== 200 && !known.includes(one.name));
    expect(refused).toEqual([]);
  });

  it('reads buckets as Terraform needs them, and pages of them', () => {
    const { bucket } = answer('a bucket');
    expect(bucket).toMatchObject({
      name: 'walk-base',
      description: 'walked on',
      labels: { team: 'runners' },
      location: { organization_id: expect.any(String), project_id: expect.any(String) },
      resource_name: expect.stringMatching(/^packer\/project\/[\da-f-]{36}\/bucket\/walk-base$/),
    });
    expect(answer('a page of buckets').buckets).toMatchObject([{ name: 'walk-base' }]);
    expect(answer('the next page of buckets').buckets).toMatchObject([{ name: 'walk-child' }]);
  });

  it('publishes: v0 until the last build is done, and then a number', () => {
    const opened = answer('a version is opened without a template type').version;
    expect(opened).toMatchObject({ name: 'v0', status: 'VERSION_RUNNING', author_id: 'walker' });
    const made = answer('a build is opened as running').build;
    expect(answer('the same build is opened again').build).toMatchObject({ id: made.id });
    const { version } = answer('a complete version');
    expect(version).toMatchObject({
      name: 'v1',
      status: 'VERSION_ACTIVE',
      builds: [
        {
          status: 'BUILD_DONE',
          platform: 'aws',
          labels: { stage: 'first', git_sha: 'c0ffee' },
          metadata: { packer: { version: '1.16.0' }, cicd: { type: 'gitlab' } },
        },
      ],
    });
    expect(
      version.builds[0].artifacts.map((one: { external_identifier: string }) => one.external_identifier),
    ).toEqual(['ami-walk-1', 'ami-walk-2']);
    // Unset as this client knows it: anything else reads as revoked.
    expect(version.revoke_at).toBe('0001-01-01T00:00:00.000Z');
    expect(answer('versions of a bucket').versions).toHaveLength(2);
    expect(answer('who made an image').artifacts).toMatchObject([
      { bucket: { name: 'walk-base' }, version: { fingerprint: 'base-1' } },
    ]);
    expect(answer('an image that nobody made').artifacts).toEqual([]);
  });

  it('has channels: latest is managed, others are assigned, copied and unassigned', () => {
    expect(answer('latest').channel).toMatchObject({
      managed: true,
      restricted: true,
      author_id: 'HCP Packer',
      version: { fingerprint: 'base-2' },
    });
    expect(answer('latest is opened').channel.restricted ?? false).toBe(false);
    expect(answer('a channel takes a version').channel.version).toMatchObject({ fingerprint: 'base-2' });
    expect(answer('a version is copied').fingerprint).toBe('base-2');
    expect(answer('a channel gives its version up').channel.version ?? null).toBeNull();
    expect(
      answer('history of a channel').history.map(
        (one: { version: { fingerprint: string } }) => one.version.fingerprint,
      ),
    ).toEqual(['base-2', 'base-1']);
    expect(answer('the channel after it').channel.version).toMatchObject({ fingerprint: 'base-1' });
  });

  it('revokes, now and later, with descendants, and restores', () => {
    const month = 30 * 86_400_000;
    const scheduled = answer('a version is going to be revoked');
    expect(scheduled.version).toMatchObject({
      status: 'VERSION_REVOCATION_SCHEDULED',
      revocation_message: 'a hole',
      revocation_author: 'walker',
      revocation_type: 'MANUAL',
    });
    expect(Date.parse(scheduled.version.revoke_at) - Date.parse(scheduled.version.updated_at)).toBeLessThan(
      month + 60_000,
    );
    expect(answer('the operation of a revocation').operation).toMatchObject({
      id: scheduled.operation.id,
      state: 'PENDING',
    });
    expect(answer('a wait for a revocation').operation).toMatchObject({ state: 'DONE' });
    expect(answer('a revoked version').version).toMatchObject({ status: 'VERSION_REVOKED' });
    expect(answer('a child of a revoked version').version).toMatchObject({
      status: 'VERSION_REVOKED',
      revocation_type: 'INHERITED',
      revocation_inherited_from: { bucket_name: 'walk-base', version_fingerprint: 'base-1' },
    });
    expect(answer('a child after it').version).toMatchObject({ status: 'VERSION_ACTIVE' });
    expect(answer('parents of a bucket').relations).toMatchObject([
      { parent: { bucket_name: 'walk-base', version_fingerprint: 'base-1' } },
    ]);
  });

  it('uploads SBOMs, downloads them and lists packages', async () => {
    expect(answer('SBOMs of a build').sboms).toMatchObject([
      { name: expect.stringMatching(/^[\dA-Z]{26}$/) },
      { name: 'base-system', format: 'CYCLONEDX' },
    ]);
    expect(await server.download(answer('where an SBOM is').download_url)).toMatchObject({
      bomFormat: 'CycloneDX',
      components: [{ name: 'openssl' }, { name: 'zlib' }, { name: 'openssh-server' }],
    });
    expect(answer('packages of a build').packages).toMatchObject([
      { name: 'openssh-server' },
      { name: 'openssl' },
    ]);
  });

  it('finds its organization and its project, whose parent it is', () => {
    expect(answer('organizations').organizations).toHaveLength(1);
    const { project } = answer('a project');
    expect(project).toMatchObject({ state: 'ACTIVE', parent: { type: 'ORGANIZATION' } });
    expect(Date.parse(project.created_at)).toBeLessThan(Date.now());
    expect(answer('a channel as the API of 2021 shows it').channel).toMatchObject({ slug: 'walked' });
  });

  it('has webhooks, by names with slashes in them', () => {
    const { webhook } = answer('a webhook is made');
    expect(webhook.resource_name).toMatch(/^webhook\/project\/[\da-f-]{36}\/geo\/us\/webhook\/walk-hook$/);
    expect(answer('a webhook').webhook).toMatchObject({ description: 'calls nobody' });
    expect(answer('a webhook is changed').webhook).toMatchObject({ description: 'calls nobody yet' });
    expect(answer('webhooks').webhooks).toHaveLength(1);
    expect(JSON.stringify(answer('webhooks'))).not.toContain('a-key-of-the-walk');
    expect(answer('a webhook is renamed').webhook.resource_name).toMatch(/\/walked-hook$/);
    expect(answer('deliveries of a webhook').deliveries ?? []).toEqual(expect.any(Array));
  });

  it('does not show a viewer what is restricted', async () => {
    const seen = await walk('viewer', await server.environment('onlooker', 'viewer'));
    const [reads, closed, list, writes] = seen;

    expect(reads).toMatchObject({ http: 200 });
    expect(closed).toMatchObject({ http: 403, code: 7, seen_code: 7 });
    expect(closed?.message).toContain('closed');
    expect(list?.answer.channels.map(({ name }: { name: string }) => name)).toEqual(['latest', 'walked']);
    expect(writes).toMatchObject({ http: 403, code: 7 });
  });
});
