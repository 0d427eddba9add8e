import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchesOf } from '../../src/cli/osv/batches.ts';
import { recordsOf } from '../../src/cli/osv/records.ts';
import { startApi, tokens } from '../http/support/api.ts';
import type { Api } from '../http/support/api.ts';
import { useDatabase } from '../support/database.ts';
import { startCli } from './support/cli.ts';

const database = useDatabase();
let api: Api;
let url: string;
let cwd: string;

beforeAll(async () => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-osv-'));
  api = startApi(database());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.app.close();
  rmSync(cwd, { recursive: true, force: true });
});

const advisory = (id: string) => ({
  id,
  details: `${'x'.repeat(3000)}\0`,
  credits: ['nobody'],
  database_specific: { severity: 'HIGH', source: 'somewhere' },
  affected: [
    { package: { ecosystem: 'npm', name: 'left-pad', purl: 'pkg:npm/left-pad' }, versions: ['1.0.0'] },
  ],
});

/** Files as they are, one after the other, with a list of them: what a zip without compression is. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const list: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(content), 0);
    sizes.writeUInt32LE(content.length, 4);
    sizes.writeUInt32LE(content.length, 8);
    const nameLength = Buffer.from([name.length, 0]);
    const at = Buffer.alloc(4);
    at.writeUInt32LE(parts.reduce((sum, part) => sum + part.length, 0));
    const head = Buffer.concat([Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 0, 0]), sizes, nameLength]);
    parts.push(Buffer.from('PK\u0003\u0004'), head, Buffer.alloc(2), Buffer.from(name), content);
    list.push(
      Buffer.from('PK\u0001\u0002'),
      Buffer.from([20, 0]),
      head,
      Buffer.alloc(12),
      at,
      Buffer.from(name),
    );
  }
  const body = Buffer.concat(parts);
  const directory = Buffer.concat(list);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  const count = Object.keys(files).length;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(body.length, 16);
  return Buffer.concat([body, directory, end]);
}

function written(name: string, content: string | Buffer): string {
  const file = path.join(cwd, name);
  writeFileSync(file, content);
  return file;
}

async function collected<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const ids = async (file: string) =>
  (await collected(recordsOf(file))).map((one) =>
    typeof one === 'object' && one !== null && 'id' in one ? one.id : one,
  );

const run = (token: string, ...args: readonly string[]) =>
  startCli(['vulnerabilities', ...args], { cwd, env: { BAKEHOUSE_URL: url, BAKEHOUSE_TOKEN: token } }).ended;

describe('an OSV file', () => {
  it('is an object, an array, lines or a zip of them', async () => {
    const [a, b] = [JSON.stringify(advisory('A')), JSON.stringify(advisory('B'), null, 2)];
    expect(await ids(written('one.json', b))).toEqual(['B']);
    expect(await ids(written('array.json', ` \n[${a},\n${b}]`))).toEqual(['A', 'B']);
    expect(await ids(written('lines.jsonl', `${a}\n${a}\n${b}\n`))).toEqual(['A', 'A', 'B']);
    const files = { 'A.json': a, 'read.me': 'no json', 'both.json': `[${a},${b}]` };
    expect(await ids(written('all.zip', zip(files)))).toEqual(['A', 'A', 'B']);
    for (const [name, content] of [
      ['bad.json', '{"id":'],
      ['bad.zip', zip(files).subarray(0, 100)],
      ['bad-inside.zip', zip({ 'x.json': '{' })],
    ] as const) {
      await expect(ids(written(name, content)), name).rejects.toMatchObject({ code: 'invalid_input' });
    }
    await expect(ids(path.join(cwd, 'none.json'))).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('is sent in bounded calls, without what nobody is shown', async () => {
    const records = [...Array.from({ length: 501 }, (_, index) => advisory(`A-${index}`)), 'no advisory'];
    const file = written('many.json', JSON.stringify(records));
    const batches = await collected(batchesOf(recordsOf(file)));
    expect(batches.map(({ advisories, last }) => [advisories.length, last])).toEqual([
      [500, false],
      [1, true],
    ]);
    expect(batches.at(-1)?.passedOver).toBe(1);
    expect(batches[0]?.advisories[0]).toEqual({
      id: 'A-0',
      details: 'x'.repeat(2000),
      database_specific: { severity: 'HIGH' },
      affected: [
        {
          package: { ecosystem: 'npm', name: 'left-pad', purl: 'pkg:npm/left-pad' },
          versions: ['1.0.0'],
        },
      ],
    });
    const none = await collected(batchesOf(recordsOf(written('none.json', '[]'))));
    expect(none).toEqual([{ advisories: [], last: true, passedOver: 0 }]);
  });

  it('is imported by the command, for whoever holds the token of the installation', async () => {
    const file = written('import.zip', zip({ 'A.json': JSON.stringify(advisory('A')), 'B.json': '{}' }));
    const done = await run(tokens.admin, 'import', file, '--json');
    expect(JSON.parse(done.stdout), done.stderr).toMatchObject({
      file: 'import.zip',
      advisories: 1,
      passedOver: 1,
      endedAt: expect.any(String),
    });
    const refused = await run(tokens.viewer, 'import', file);
    expect(refused).toMatchObject({ code: expect.any(Number), stderr: expect.stringContaining('admin') });
    expect((await run(tokens.admin, 'export', file)).stderr).toContain('write import');
  });
});
