/**
 * A template that leaves the value of a sensitive variable on the disk: its image fails the test launch, and the value is nowhere but on
 * that disk. The value is the variable's default in a repository, so that nobody types it into Bakehouse.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/domain/version.ts';
import { openTemporal } from '../../src/temporal/connection.ts';
import type { Ran } from '../cli/support/cli.ts';
import { expectNothingLeft } from '../kill/clean-slate.ts';
import { type Desk, openDesk, seedImage } from './support.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const secret = `planted-${randomBytes(12).toString('hex')}`;
const declared = `variable "password" {\n  type      = string\n  sensitive = true\n  default   = "${secret}"\n}\n`;

let desk: Desk;
let repository: string;
const ran: Ran[] = [];

beforeAll(async () => {
  repository = makeRepository();
  desk = await openDesk();
  const template = (entry: string) => ({ git: repository, ref: 'main', entry });
  const launch = { targets: [{ provider: 'qemu', launch: { memoryMb: 256 } }] };
  await desk.apply({
    planted: {
      template: template('planted/base.pkr.hcl'),
      variables: { seed_image: seedImage() },
      ...launch,
    },
    clean: { template: template('clean/slow.pkr.hcl'), ...launch },
  });
}, 120_000);
afterAll(async () => {
  await expectNothingLeft(desk.installation);
  await desk.stop();
  rmSync(repository, { recursive: true, force: true });
}, 90_000);

/** `planted` writes the password into the guest and says it aloud; `clean` gets it and says it aloud only. */
function makeRepository(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-repository-'));
  const change = (from: string, to: string, edit: (text: string) => string): void => {
    mkdirSync(path.dirname(path.join(folder, to)));
    const changed = edit(readFileSync(path.join(examples, from), 'utf8'));
    writeFileSync(path.join(folder, to), `${declared}${changed}`);
  };
  change('qemu/base.pkr.hcl', 'planted/base.pkr.hcl', (text) =>
    text
      .replace('"BAKE_ID=${var.bake_id}",', '"BAKE_ID=${var.bake_id}", "PASSWORD=${var.password}",')
      .replace(
        'inline = [',
        'inline = [\n      "echo the password is $PASSWORD; echo $PASSWORD > /etc/app-password",',
      ),
  );
  change('file/slow.pkr.hcl', 'clean/slow.pkr.hcl', (text) =>
    text
      .replace('"BAKE_ID=${var.bake_id}"]', '"BAKE_ID=${var.bake_id}", "PASSWORD=${var.password}"]')
      .replace('inline = [', 'inline = [\n      "echo the password is $PASSWORD",'),
  );
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-C', folder, ...args]);
  git('init', '--quiet', '-b', 'main');
  git('add', '.');
  git('commit', '--quiet', '-m', 'templates');
  return folder;
}

async function release(bucket: string): Promise<{ ran: Ran; check: CheckResult | undefined }> {
  const answer = await desk.run('release', bucket);
  ran.push(answer, await desk.run('logs', bucket));
  const { registry } = desk.installation;
  const [version] = await registry.versions.list('default', bucket, {});
  const [artifact] = (version?.builds ?? []).flatMap((build) => build.artifacts);
  const check = artifact?.test?.checks.find(({ name }) => name === 'no planted secret');
  return { ran: answer, check };
}

/** As it is, and as hexadecimal digits and base64 show it. */
function holdsSecret(content: Uint8Array | string): boolean {
  const bytes = Buffer.from(content);
  const forms = [secret, Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('base64')];
  return forms.some((form) => bytes.includes(form.replace(/=+$/, '')));
}

describe('a secret that a bake leaves on the disk', () => {
  it('fails the test launch by name; the value is not told', async () => {
    const { ran: answer, check } = await release('planted');
    expect(answer.code, answer.stderr).toBe(4);
    expect(check).toMatchObject({
      passed: false,
      detail: expect.stringContaining("on the image's disk is the value of password"),
    });
    expect(answer.stderr).toContain('check "no planted secret" failed: ');
    expect(answer.stderr).toContain('the password is ***');
    expect(
      (await desk.installation.registry.channels.get('default', 'planted', 'prod')).effective.versionId,
    ).toBeNull();
  }, 240_000);

  it('passes where the bake used it and left nothing', async () => {
    const { ran: answer, check } = await release('clean');
    expect(answer.code, answer.stderr).toBe(0);
    expect(check).toEqual({ name: 'no planted secret', passed: true, detail: 'looked for password' });
    expect(answer.stderr).toContain('the password is ***');
  }, 180_000);

  it('is in no workflow history', async () => {
    const { address } = desk.installation.temporal;
    const temporal = openTemporal({ address, namespace: 'default', deadlineMs: 10_000 });
    try {
      const found: string[] = [];
      for await (const { workflowId, runId, type } of temporal.client.workflow.list()) {
        const history = await temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
        const bytes = proto.temporal.api.history.v1.History.encode(history).finish();
        expect(Buffer.from(bytes).includes(type), 'the bytes are readable').toBe(true);
        found.push(type);
        expect(holdsSecret(bytes), workflowId).toBe(false);
      }
      expect(found).toEqual(expect.arrayContaining(['release', 'bake', 'testLaunch', 'promote']));
    } finally {
      await temporal.close();
    }
  }, 60_000);

  it('is in no row of the database', async () => {
    const { db } = desk.installation.database.store;
    const tables = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = 'public'`.execute(db);
    expect(tables.rows.length).toBeGreaterThan(20);
    for (const { name } of tables.rows) {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(
        db,
      );
      for (const { row } of rows) expect(holdsSecret(row), name).toBe(false);
    }
    const { rows: logs } = await sql<{ content: Uint8Array }>`select content from log_chunk`.execute(db);
    expect(logs.some(({ content }) => Buffer.from(content).includes('the password is ***'))).toBe(true);
  });

  it('is in no log, no answer and no file that is left, except the image', () => {
    for (const { stdout, stderr } of ran) expect(holdsSecret(`${stdout}${stderr}`)).toBe(false);
    const { folder, images } = desk.installation;
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThanOrEqual(3);
    const holding = files.filter((file) => holdsSecret(readFileSync(file)));
    expect(holding.map((file) => path.relative(images, file))).toEqual([
      expect.stringMatching(/^images\/planted-[^/]+\/disk\.qcow2$/),
    ]);
  });
});
