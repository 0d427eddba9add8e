/**
 * An installation as real processes, each of which a test may kill: its own database, Temporal server (on a file), server, worker and
 * bake hosts. Everything lives below one folder and is gone after `stop`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../../src/client/index.ts';
import { loadTools } from '../../src/config/tools.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { onSmallDisk, type SmallDisk } from './small-disk.ts';
import { freePort, startTemporal, type TestTemporal } from './temporal-server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const token = 'a-token-for-tests-only';

/** Short times, so that what takes minutes in production takes seconds here. */
const times = {
  BAKEHOUSE_HOST_AWAY: '60s',
  BAKEHOUSE_HOST_BEAT: '500ms',
  BAKEHOUSE_HEARTBEAT_TIMEOUT: '5s',
  BAKEHOUSE_HEARTBEAT_EVERY: '500ms',
  BAKEHOUSE_STICKY_TIMEOUT: '2s',
  BAKEHOUSE_REAP_EVERY: '1s',
  BAKEHOUSE_RELAY_EVERY: '500ms',
  BAKEHOUSE_STOP_AFTER: '5s',
};

export interface Part {
  readonly name: string;
  readonly pid: number;
  kill(): Promise<void>;
  /** The same command and environment again. */
  startAgain(): Promise<void>;
  log(): string;
}

export interface Installation {
  readonly folder: string;
  readonly images: string;
  readonly registry: Registry;
  readonly database: TestDatabase;
  readonly temporal: TestTemporal;
  readonly client: ReturnType<typeof createClient>;
  readonly server: Part;
  readonly worker: Part;
  readonly hosts: readonly Part[];
  /** The Packer that the bake hosts run; it can be held up at a point. */
  readonly packer: HeldPacker;
  addHost(): Promise<Part>;
  /** Processes, other than our parts, that work below this installation's folder. */
  strangers(): readonly { pid: number; command: string }[];
  stop(): Promise<void>;
}

/** What an installation has of its own. */
export interface Own {
  /** On a server that the test may kill. */
  readonly database?: TestDatabase;
  /** The bake hosts see the image store as a disk of this size, each as one of its own. */
  readonly imageStoreKilobytes?: number;
}

export async function install(
  over: Readonly<Record<string, string>> = {},
  own: Own = {},
): Promise<Installation> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-installation-'));
  const database = own.database ?? (await createDatabase());
  const temporal = await startTemporal();
  const packer = heldPacker(folder);
  const port = await freePort();
  const images = path.join(folder, 'images');
  const parts: StartedPart[] = [];
  const common = {
    ...times,
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    BAKEHOUSE_TOKEN: token,
    BAKEHOUSE_IMAGE_STORE: images,
    BAKEHOUSE_TOOLS: packer.toolsFile,
    BAKEHOUSE_LISTEN: `127.0.0.1:${port}`,
    BAKEHOUSE_LOG_FORMAT: 'json',
    ...over,
  };
  const launch = async (name: string, command: string): Promise<StartedPart> => {
    const kilobytes = command === 'bake-host' ? own.imageStoreKilobytes : undefined;
    const disk = kilobytes === undefined ? undefined : { folder: images, kilobytes };
    const part = createPart(folder, { name, command, disk }, common);
    parts.push(part);
    await part.startAgain();
    return part;
  };
  const hosts: StartedPart[] = [];
  const addHost = async (): Promise<Part> => {
    const host = await launch(`bake-host-${hosts.length + 1}`, 'bake-host');
    hosts.push(host);
    return host;
  };
  const registry = createRegistry(database.store);
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.kill()));
    killAll(strangersBelow(folder, []));
    await temporal.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const server = await launch('server', 'server');
    const [worker] = await Promise.all([launch('worker', 'worker'), addHost()]);
    return {
      folder,
      images,
      registry,
      database,
      temporal,
      client: createClient({ url: `http://${common.BAKEHOUSE_LISTEN}`, token: common.BAKEHOUSE_TOKEN }),
      server,
      worker,
      hosts,
      packer,
      addHost,
      strangers: () => strangersBelow(folder, parts),
      stop,
    };
  } catch (error) {
    const logs = parts.map((part) => `${part.name}: ${part.log().slice(-3000)}`).join('\n');
    await stop();
    throw new Error(`the installation did not start\n${logs}`, { cause: error });
  }
}

type StartedPart = Part & { alive(): boolean };

function createPart(
  folder: string,
  { name, command, disk }: { name: string; command: string; disk: SmallDisk | undefined },
  common: Readonly<Record<string, string>>,
): StartedPart {
  const node = [process.execPath, path.join(root, 'src/cli/main.ts'), command] as const;
  const { file, args } =
    disk === undefined ? { file: node[0], args: node.slice(1) } : onSmallDisk(disk, ...node);
  const dataDir = path.join(folder, name);
  const logFile = path.join(folder, `${name}.log`);
  const readyFile = path.join(folder, `${name}.ready`);
  mkdirSync(dataDir, { recursive: true });
  let child: ChildProcess | undefined;
  const alive = (): boolean => child?.exitCode === null && child.signalCode === null;
  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    alive,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    async kill() {
      if (child === undefined || !alive()) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    async startAgain() {
      rmSync(readyFile, { force: true });
      const log = openSync(logFile, 'a');
      child = spawn(file, args, {
        cwd: folder,
        stdio: ['ignore', log, log],
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: process.env['HOME'] ?? folder,
          ...common,
          BAKEHOUSE_DATA_DIR: dataDir,
          BAKEHOUSE_HOST_NAME: name,
          BAKEHOUSE_READY_FILE: readyFile,
        },
      });
      await until(`${name} is ready`, () => existsSync(readyFile) || !alive(), 60_000);
      if (!alive()) {
        throw new Error(`${name} ended at its start\n${readFileSync(logFile, 'utf8').slice(-3000)}`);
      }
    },
  };
}

/** Points at which the Packer of a test can wait; it goes on when released, or dies with its group. */
export type HoldPoint = 'validate' | 'build' | 'built';

export interface HeldPacker {
  readonly toolsFile: string;
  /** The next Packer that comes to this point waits there. */
  hold(point: HoldPoint): void;
  release(point: HoldPoint): void;
  /** Whether a Packer has come to a held point. */
  reached(point: HoldPoint): boolean;
  /** How many `packer build` were started, ever. */
  builds(): number;
  /** Each of them, in their order: its pid, and when it began (milliseconds since 1970). */
  begun(): readonly { readonly pid: number; readonly at: number }[];
  /** The next `packer build` kills its supervisor before it does anything: the spawn is not recorded. */
  killSupervisor(): void;
}

/** The real Packer behind a few lines of shell that can wait: what happens between two steps becomes a moment of our choice. */
function heldPacker(folder: string): HeldPacker {
  const tools = loadTools();
  const real = tools.packers.find((one) => one.builders?.includes('qemu')) ?? tools.packers[0];
  if (real === undefined) throw new Error('no Packer on this machine: run `npm run setup`');
  const control = path.join(folder, 'held');
  mkdirSync(control);
  const script = path.join(control, 'packer');
  writeFileSync(
    script,
    `#!/bin/sh
at() { [ -e ${control}/hold-$1 ] || return 0; : > ${control}/reached-$1; while [ -e ${control}/hold-$1 ]; do sleep 0.05; done; }
case $1 in
validate) at validate; exec ${real.path} "$@";;
build)
  echo $$ $(date +%s%3N) >> ${control}/builds
  if [ -e ${control}/kill-supervisor ]; then rm ${control}/kill-supervisor; kill -9 $PPID; fi
  at build
  [ -e ${control}/hold-built ] || exec ${real.path} "$@"
  ${real.path} "$@"; status=$?
  at built
  exit $status;;
*) exec ${real.path} "$@";;
esac
`,
  );
  chmodSync(script, 0o755);
  const toolsFile = path.join(control, 'tools.json');
  writeFileSync(toolsFile, JSON.stringify({ ...tools, packers: [{ ...real, path: script }] }));
  const begun = () =>
    existsSync(path.join(control, 'builds'))
      ? readFileSync(path.join(control, 'builds'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' ').map(Number))
          .map(([pid = 0, at = 0]) => ({ pid, at }))
      : [];
  return {
    toolsFile,
    hold: (point) => {
      rmSync(path.join(control, `reached-${point}`), { force: true });
      writeFileSync(path.join(control, `hold-${point}`), '');
    },
    release: (point) => rmSync(path.join(control, `hold-${point}`), { force: true }),
    reached: (point) => existsSync(path.join(control, `reached-${point}`)),
    builds: () => begun().length,
    begun,
    killSupervisor: () => writeFileSync(path.join(control, 'kill-supervisor'), ''),
  };
}

/** By command line and environment: whatever was started for this installation and is not one of its parts. */
function strangersBelow(folder: string, parts: readonly Part[]): readonly Process[] {
  const ours = new Set(parts.map((part) => part.pid));
  return processesNaming(folder).filter(({ pid }) => !ours.has(pid));
}

/** SIGKILL; one that has ended meanwhile is no error. */
export function killAll(processes: readonly Process[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
}

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** Live processes, other than this one, whose arguments or environment name the text. */
export function processesNaming(text: string): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const read = (file: string): string => readFileSync(`/proc/${name}/${file}`, 'utf8');
      try {
        const command = read('cmdline').replaceAll('\0', ' ').trim();
        return command.includes(text) || read('environ').includes(text)
          ? [{ pid: Number(name), command }]
          : [];
      } catch {
        return [];
      }
    });
}

/** Polls a fact; fails with its name. */
export async function until(
  what: string,
  fact: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`not true after ${timeoutMs} ms: ${what}`);
    await sleep(25);
  }
}
