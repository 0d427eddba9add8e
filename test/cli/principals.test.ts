import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import { startCli } from './support/cli.ts';

const database = useDatabase();
let api: Api;
let url: string;
let cwd: string;
let bucket: string;

beforeAll(async () => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-principals-'));
  api = startApi(database());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  bucket = await api.world.line();
});
afterAll(async () => {
  await api.app.close();
  rmSync(cwd, { recursive: true, force: true });
});

const server = () => ({ BAKEHOUSE_URL: url, BAKEHOUSE_PROJECT: project });
const run = (...args: readonly string[]) =>
  startCli(args, { cwd, env: { ...server(), BAKEHOUSE_TOKEN: tokens.admin } }).ended;

const lastUse = async (name: string) => {
  const { principals } = await api.ok('listPrincipals', { project });
  return { usedAt: principals.find((one) => one.name === name)?.secrets[0]?.usedAt };
};

describe('principals', () => {
  it('are created with a secret for the shell, listed, given roles, rotated and revoked', async () => {
    const created = await run(
      'principals',
      'create',
      'cli-ci',
      '--role',
      'viewer',
      '--bucket',
      `${bucket}=admin`,
    );
    expect(created.stdout, created.stderr).toMatch(
      /^export HCP_CLIENT_ID='bakehouse-\w{26}'\nexport HCP_CLIENT_SECRET='bhs_[\w-]{43}'\n$/,
    );
    expect(created.stderr).toContain('the secret is shown this once');

    const listed = await run('principals', 'list');
    expect(listed.stdout).toMatch(new RegExp(`cli-ci +viewer +${bucket}=admin +${project} +bakehouse-`));
    await run('principals', 'roles', 'cli-ci', '--none');
    expect((await run('principals', 'list')).stdout).not.toContain(`${bucket}=admin`);
    await run('principals', 'roles', 'cli-ci', '--role', 'contributor');
    const rotated = await run('principals', 'rotate', 'cli-ci', '--grace', '1h', '--json');
    expect(JSON.parse(rotated.stdout)).toMatchObject({
      principal: {
        role: 'contributor',
        buckets: [],
        secrets: [{ endsAt: null }, { endsAt: expect.any(String) }],
      },
    });
    expect(await run('principals', 'revoke', 'cli-ci', '--reason', 'over')).toMatchObject({
      code: 0,
      stdout: 'cli-ci is revoked\n',
    });
  });

  it('are who `bakehouse` is in a job that has their secret and no token', async () => {
    const made = await api.ok('createPrincipal', { project, name: 'job', role: 'viewer' });
    const job = { ...server(), HCP_CLIENT_ID: made.clientId, HCP_CLIENT_SECRET: made.clientSecret };
    const asJob = (...args: readonly string[]) => startCli(args, { cwd, env: job }).ended;

    expect((await asJob('buckets')).stdout).toContain(bucket);
    const { usedAt } = await lastUse('job');
    expect((await asJob('buckets')).stdout).toContain(bucket);
    expect(await lastUse('job')).toEqual({ usedAt });
    const refused = await asJob('revoke', bucket, 'v1', '--reason', 'x');
    expect(refused.stderr).toContain('job may not do this: it needs the role contributor');
    expect((await asJob('env')).stdout).not.toContain('BAKEHOUSE_TOKEN');
    await api.ok('revokePrincipal', { project, principal: 'job', reason: 'over' });
    expect(await asJob('buckets')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('gave no token'),
    });
  });

  it('do not take the place of credentials of HCP itself, which are refused by name', async () => {
    const shell = {
      ...server(),
      BAKEHOUSE_TOKEN: tokens.admin,
      HCP_CLIENT_ID: 'of-hcp',
      HCP_CLIENT_SECRET: 's',
    };
    const inShell = (...args: readonly string[]) => startCli(args, { cwd, env: shell }).ended;

    const refused = await inShell('principals', 'create', 'never-made', '--role', 'viewer');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('HCP_CLIENT_ID is "of-hcp" here');
    const { principals } = await api.ok('listPrincipals', { project });
    expect(principals.map(({ name }) => name)).not.toContain('never-made');
    expect((await inShell('principals', 'create', 'by-json', '--json')).code).toBe(0);
  });

  it.each([
    [['principals', 'invent', 'x'], 'there is no `principals invent`'],
    [['principals', 'toString', 'x'], 'there is no `principals toString`'],
    [['principals', 'create'], 'whom?'],
    [['principals', 'create', 'abc', '--role', 'king'], '"king" is no role'],
    [['principals', 'create', 'abc', '--bucket', 'base'], 'write name=role'],
    [['principals', 'revoke', 'abc'], '--reason is missing'],
    [['principals', 'roles', 'abc'], 'write --role, --bucket or both, or --none'],
    [['principals', 'roles', 'abc', '--role', 'viewer', '--none'], 'or --none'],
    [['projects', 'create'], 'which one?'],
  ])('%j is refused with what to write', async (args, message) => {
    const { code, stderr } = await run(...args);

    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('belong to projects, which are made in an organization', async () => {
    await run('projects', 'create', 'cli-web', '--organization', 'acme');

    expect((await run('projects')).stdout).toMatch(/^acme +[0-9a-f-]{36} +cli-web +[0-9a-f-]{36}/m);
  });
});
