/** What `bakehouse env` prints is enough for HCP's own Go client, in a shell that knows nothing else. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hcpWalkPath } from '../../scripts/setup/hcp-walk.ts';
import { startCli } from '../cli/support/cli.ts';
import { useDatabase } from '../support/database.ts';
import type { Environment, StockServer } from './support/server.ts';
import { startStockServer } from './support/server.ts';

const database = useDatabase();
let server: StockServer;
let principal: Environment;

beforeAll(async () => {
  server = await startStockServer(database().url);
  principal = await server.environment('shell', 'viewer');
});
afterAll(() => server.stop());

describe.runIf(existsSync(hcpWalkPath()))('bakehouse env --for packer', () => {
  it.each([[[]], [['--plain-api']]])('%j is all that a stock client needs', async (more) => {
    const { HCP_CLIENT_ID, HCP_CLIENT_SECRET } = principal;
    const { host, port } = server.settings.listen;
    const printed = await startCli(['env', '--for', 'packer', ...more], {
      cwd: server.folder,
      env: {
        BAKEHOUSE_URL: `http://${host}:${port}`,
        BAKEHOUSE_PROJECT: 'stock',
        HCP_CLIENT_ID: HCP_CLIENT_ID ?? '',
        HCP_CLIENT_SECRET: HCP_CLIENT_SECRET ?? '',
      },
    }).ended;
    expect(printed.code, printed.stderr).toBe(0);
    const { stdout } = await promisify(execFile)(
      'sh',
      ['-euc', `${printed.stdout}\nexec ${hcpWalkPath()} viewer`],
      {
        env: { PATH: '/usr/bin:/bin', HOME: mkdtempSync(path.join(server.folder, 'home-')) },
      },
    );
    const lines = stdout
      .trim()
      .split('\n')
      .map((line): { http: number; error?: string } => JSON.parse(line));

    // Answered by the API, as somebody it knows: there is nothing to read yet.
    expect(lines.length).toBeGreaterThan(0);
    for (const { http, error } of lines) {
      expect(error).toBeUndefined();
      expect([403, 404]).toContain(http);
    }
  });
});
