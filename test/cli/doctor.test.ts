import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installationRoot } from '../../src/config/tools.ts';
import { freePort } from '../support/temporal-server.ts';
import { startCli } from './support/cli.ts';

let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-doctor-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const doctor = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  startCli(['doctor', ...args], { cwd, env }).ended;

describe('doctor', () => {
  it('on a machine that was set up finds all, tells what each is for, and changes nothing', async () => {
    const { code, stdout, stderr } = await doctor();

    expect(code, stdout).toBe(0);
    expect(stderr).toContain('all is here that `bakehouse up` needs');
    expect(stdout).toMatch(/^ok +qemu: qemu-img +reads and copies images: \//m);
    expect(stdout).toMatch(/^ok +packer +bakes; .*qemu among them/m);
    expect(stdout).toMatch(
      /^ok +qemu: image store +\S+\.bakehouse\/images will be made at the first start$/m,
    );
    expect(stdout).toMatch(/^- +server +none is known here: `bakehouse up` starts one/m);
    expect(existsSync(path.join(cwd, '.bakehouse'))).toBe(false);
  });

  it('needs no PostgreSQL and no Temporal here where others are named', async () => {
    const { code, stdout } = await doctor(['--json'], {
      DATABASE_URL: 'postgres://somebody:something@db.example:5432/bakehouse',
      TEMPORAL_ADDRESS: 'temporal.example:7233',
    });

    expect(code).toBe(0);
    const { findings }: { findings: { check: string; needed: boolean; detail: string }[] } =
      JSON.parse(stdout);
    const of = (check: string) => findings.find((one) => one.check === check);
    expect(of('postgresql')).toMatchObject({
      needed: false,
      detail: expect.stringContaining('DATABASE_URL names'),
    });
    expect(of('temporal')).toMatchObject({
      needed: false,
      detail: expect.stringContaining('temporal.example:7233'),
    });
    expect(stdout).not.toContain('something');
  });

  it('without git warns that templates from a commit need it, and is content', async () => {
    const recorded: Record<string, unknown> = JSON.parse(
      readFileSync(path.join(installationRoot, '.tools/tools.json'), 'utf8'),
    );
    const { git: _, ...others } = recorded;
    const tools = path.join(cwd, 'tools.json');
    writeFileSync(tools, JSON.stringify(others));
    for (const name of ['flock', 'dirname', 'readlink'])
      symlinkSync(`/usr/bin/${name}`, path.join(cwd, name));
    const { code, stdout } = await doctor([], { PATH: cwd, BAKEHOUSE_TOOLS: tools });

    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(
      /^- +git +not found, only templates from a git commit need it: sudo apt-get install .* git$/m,
    );
    expect(stdout).toMatch(/^ok +flock +keeps two bakes out of one folder: \//m);
  });

  it('says of each line of the folder which Packer bakes it, or what to install', async () => {
    const examples = new URL('../../examples/', import.meta.url);
    cpSync(new URL('multi-cloud', examples), path.join(cwd), { recursive: true });
    const { code, stdout } = await doctor(['--json']);
    expect(code).toBe(0);
    const { findings }: { findings: { check: string; ok: boolean; detail: string }[] } = JSON.parse(stdout);
    expect(findings.find(({ check }) => check === 'line web')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^amazon-ebs, qemu: Packer 1\.6\.6 at \//),
    });

    const text = readFileSync(path.join(cwd, 'web.pkr.hcl'), 'utf8');
    writeFileSync(
      path.join(cwd, 'web.pkr.hcl'),
      `packer {\n  required_plugins {\n    amazon = {\n      version = ">= 1"\n      source = "github.com/hashicorp/amazon"\n    }\n  }\n}\n${text}`,
    );
    // No plugins of whoever runs the tests.
    const lacking = await doctor(['--json'], { PACKER_PLUGIN_PATH: cwd });
    expect(lacking.code).toBe(0);
    const after: { findings: typeof findings } = JSON.parse(lacking.stdout);
    const line = after.findings.find(({ check }) => check === 'line web');
    expect(line?.ok).toBe(false);
    expect(line?.detail).toMatch(
      /`packer plugins install github\.com\/hashicorp\/amazon` and `packer plugins install github\.com\/hashicorp\/qemu` \(Packer 1\.7 or later\)$/,
    );
  });

  it('fails where a server is named that does not answer, or the file of one is damaged', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const away = await doctor(['--url', url]);
    expect(away.code).toBe(6);
    expect(away.stdout).toContain(`${url} does not answer: start it with \`bakehouse up\``);
    expect(away.stderr).toMatch(/1 of \d+ checks failed \(server\): do what their lines say/);

    mkdirSync(path.join(cwd, '.bakehouse'));
    writeFileSync(path.join(cwd, '.bakehouse/cli.json'), '{');
    const damaged = await doctor();
    expect(damaged.code).toBe(6);
    expect(damaged.stdout).toMatch(/^FAIL +server +\S+cli\.json is damaged: start `bakehouse up` again/m);
  });
});
