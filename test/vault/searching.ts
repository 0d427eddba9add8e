/** Looks for texts wherever an installation keeps or shows something: the tests' own search, which knows nothing of the product's. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import proto from '@temporalio/proto';
import { sql } from 'kysely';
import { openTemporal } from '../../src/temporal/connection.ts';
import type { Installation } from '../support/installation.ts';

/** Where it was, as in `table request`. */
type Found = readonly string[];

/** As it is, by hexadecimal digits, and as JSON, URLs and base64 carry it, at whatever place of a longer text. */
function formsOf(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const component = encodeURIComponent(text);
  const forms = [
    text,
    JSON.stringify(text).slice(1, -1),
    component,
    component.replaceAll('%20', '+'),
    component.toLowerCase(),
    bytes.toString('hex'),
    ...[0, 1, 2].flatMap((before) => {
      const digits = Buffer.concat([Buffer.alloc(before), bytes])
        .toString('base64')
        .replace(/=+$/, '');
      // The first and last digits belong to the neighbours too.
      const own = digits.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 8) / 6));
      return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  ];
  return [...new Set(forms)].map((form) => Buffer.from(form));
}

export interface Search {
  /** Also what is written in it as base64, or as PostgreSQL shows bytes. */
  holds(content: Uint8Array | string): boolean;
}

export function searchFor(texts: readonly string[]): Search {
  const forms = texts.flatMap(formsOf);
  const has = (bytes: Buffer): boolean => forms.some((form) => bytes.includes(form));
  return {
    holds(content) {
      const bytes = Buffer.from(content);
      if (has(bytes)) return true;
      // A disk.
      if (bytes.length > 16_000_000) return false;
      const shown = bytes.toString('latin1');
      const inHex = [...shown.matchAll(/\\x([0-9a-f]{2,})/g)].map(([, digits = '']) =>
        Buffer.from(digits, 'hex'),
      );
      const inBase64 = [...shown.matchAll(/[A-Za-z0-9+/]{16,}={0,2}/g)].map(([digits]) =>
        Buffer.from(digits, 'base64'),
      );
      return [...inHex, ...inBase64].some(has);
    },
  };
}

/** Every run of the namespace: what its history holds, and what Temporal says of it (memo, pending steps with their beats and failures). */
export async function inHistories({ temporal: { address } }: Installation, search: Search): Promise<Found> {
  const temporal = openTemporal({ address, namespace: 'default', deadlineMs: 10_000 });
  const found: string[] = [];
  try {
    for await (const { workflowId, runId, type } of temporal.client.workflow.list()) {
      const handle = temporal.client.workflow.getHandle(workflowId, runId);
      const history = await handle.fetchHistory();
      const encoded = proto.temporal.api.history.v1.History.encode(history).finish();
      const { raw } = await handle.describe();
      const described =
        proto.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse.encode(raw).finish();
      if (search.holds(encoded)) found.push(`history of ${type}`);
      if (search.holds(described)) found.push(`description of ${type}`);
    }
  } finally {
    await temporal.close();
  }
  return found;
}

/** Every row of every table, whatever its schema; chunks of the log also as they are. */
export async function inDatabase({ database }: Installation, search: Search): Promise<Found> {
  const { db } = database.store;
  const { rows: tables } = await sql<{ schema: string; name: string }>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`.execute(db);
  const found: string[] = [];
  for (const { schema, name } of tables) {
    const table = sql.id(schema, name);
    const { rows } = await sql<{ row: string }>`select t::text as row from ${table} t`.execute(db);
    if (rows.some(({ row }) => search.holds(row))) found.push(`table ${name}`);
  }
  const { rows: chunks } = await sql<{ stream: string; content: Uint8Array }>`
    select stream, content from log_chunk order by stream, byte_offset`.execute(db);
  // A value may lie on both sides of a chunk's end.
  const streams = Map.groupBy(chunks, ({ stream }) => stream);
  for (const parts of streams.values()) {
    if (search.holds(Buffer.concat(parts.map(({ content }) => content)))) found.push('log store');
  }
  return found;
}

/** Files below the folder, by name and by content. */
export function inFiles(folder: string, search: Search): Found {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => search.holds(readFileSync(file)) || search.holds(path.relative(folder, file)))
    .map((file) => path.relative(folder, file));
}

export interface Seen {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly environment: string;
}

/** Nothing of one that has ended. */
const readProc = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
};

/** All processes of the machine that we may look at, but for this one. */
export function processes(): readonly Seen[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .map((pid) => ({
      pid: Number(pid),
      parent: Number(/^PPid:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? 0),
      command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim(),
      environment: readProc(pid, 'environ'),
    }));
}

/** Itself and all that it started, directly or not. */
export function familyOf(all: readonly Seen[], isHead: (one: Seen) => boolean): ReadonlySet<number> {
  const family = new Set(all.filter(isHead).map(({ pid }) => pid));
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return family;
}

/** Notes every command line there is, many times a second, until it is stopped. */
export function watchCommands(): { stop(): ReadonlySet<string> } {
  const seen = new Set<string>();
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      seen.add(readProc(pid, 'cmdline'));
    }
  }, 40);
  return {
    stop() {
      clearInterval(timer);
      return seen;
    },
  };
}
