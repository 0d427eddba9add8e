/** What these tests share: an installation, a folder with a bakehouse.yaml, and the command line in between. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTools } from '../../src/config/tools.ts';
import { type Ran, startCli } from '../cli/support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { install, type Installation, type Own } from '../support/installation.ts';
import { freePort } from '../support/temporal-server.ts';

const example = fileURLToPath(new URL('../../examples/file/slow.pkr.hcl', import.meta.url));
const token = 'a-token-for-these-tests';

export interface Desk {
  readonly installation: Installation;
  /** Where the command line runs. */
  readonly folder: string;
  run(...args: readonly string[]): Promise<Ran>;
  /** Writes bakehouse.yaml with these buckets and applies it. Each has the `file` example as its template until it says otherwise. */
  apply(buckets: Readonly<Record<string, object>>): Promise<Ran>;
  /** A template folder beside bakehouse.yaml: the `file` example, changed. */
  template(name: string, change: (text: string) => string): string;
  stop(): Promise<void>;
}

export function seedImage(): string {
  const { seedImage: seed } = loadTools();
  if (seed === undefined) throw new Error('the seed image is missing: run `npm run setup`');
  return seed.path;
}

export async function openDesk(over: Readonly<Record<string, string>> = {}, own: Own = {}): Promise<Desk> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-desk-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const installation = await install({ BAKEHOUSE_LISTEN: listen, BAKEHOUSE_TOKEN: token, ...over }, own);
  const env = { BAKEHOUSE_URL: `http://${listen}`, BAKEHOUSE_TOKEN: token };
  const run = (...args: readonly string[]) => startCli(args, { cwd: folder, env }).ended;
  const template = (name: string, change: (text: string) => string): string => {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'slow.pkr.hcl'), change(readFileSync(example, 'utf8')));
    return name;
  };
  mkdirSync(path.join(folder, 'file'));
  copyFileSync(example, path.join(folder, 'file/slow.pkr.hcl'));
  return {
    installation,
    folder,
    run,
    template,
    apply: (buckets) => {
      const lines = Object.entries(buckets).map(([bucket, line]) => [bucket, { ...line0(), ...line }]);
      writeFileSync(
        path.join(folder, 'bakehouse.yaml'),
        JSON.stringify({ buckets: Object.fromEntries(lines) }),
      );
      return run('apply', '--yes');
    },
    async stop() {
      await installation.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const line0 = () => ({
  template: { path: 'file' },
  variables: { seed_image: seedImage(), seconds: '0' },
  targets: [{ provider: 'qemu', launch: { memoryMb: 256 } }],
  channels: ['prod'],
  timeLimit: '5m',
});

/**
 * How much there is of what people look at; equal before and after where nothing may have changed. Receipts are left out: the clouds
 * follow an earlier revocation meanwhile.
 */
export async function registryState({ store }: TestDatabase): Promise<Readonly<Record<string, number>>> {
  const tables = ['bucket', 'version', 'request', 'assignment', 'revocation', 'promotion'] as const;
  const counts = await Promise.all(
    tables.map(async (table) => {
      const row = await store.db
        .selectFrom(table)
        .select((count) => count.fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow();
      return [table, row.rows] as const;
    }),
  );
  const { events } = await store.db
    .selectFrom('event')
    .where('kind', 'not in', ['receipt.recorded', 'workflow.closed'])
    .select((count) => count.fn.countAll<number>().as('events'))
    .executeTakeFirstOrThrow();
  return { ...Object.fromEntries(counts), events };
}
