import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { latestPackerPath } from '../../scripts/setup/packer-latest.ts';
import { createClient } from '../../src/client/index.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { startServer } from '../../src/http/main.ts';
import type { RunningServer } from '../../src/http/main.ts';
import { useDatabase } from '../support/database.ts';
import { quietLog } from '../support/quiet-log.ts';
import { freePort } from '../support/temporal-server.ts';

const database = useDatabase();
let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-packer-token-'));
  const settings = loadSettings({
    DATABASE_URL: database().url,
    TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TLS_LISTEN: `127.0.0.1:${await freePort()}`,
    BAKEHOUSE_TOKEN: 'a-token',
    BAKEHOUSE_DATA_DIR: path.join(folder, 'data'),
  });
  server = startServer(settings, quietLog().log);
  await server.address;
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const template = `
hcp_packer_registry {
  bucket_name = "asks-for-a-token"
}
source "null" "one" {
  communicator = "none"
}
build {
  sources = ["source.null.one"]
}
`;

it('stock Packer gets a token over TLS', async () => {
  // Where it was not set up, test/packer says so, and refuses in CI.
  if (!existsSync(latestPackerPath())) return;
  const client = createClient({ url: await server.address, token: 'a-token' });
  await client.createProject({ organization: 'acme', name: 'stock' });
  const made = await client.createPrincipal({ project: 'stock', name: 'packer', role: 'contributor' });
  const { organization, project, tls } = await client.getConnection({ project: 'stock' });
  const ca = path.join(folder, 'ca.pem');
  writeFileSync(ca, tls?.ca ?? '');
  writeFileSync(path.join(folder, 'main.pkr.hcl'), template);
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    CHECKPOINT_DISABLE: '1',
    HCP_API_ADDRESS: `127.0.0.1:${tls?.port}`,
    HCP_AUTH_URL: `https://127.0.0.1:${tls?.port}`,
    HCP_ORGANIZATION_ID: organization.id,
    HCP_PROJECT_ID: project.id,
    HCP_CLIENT_ID: made.clientId,
    HCP_CLIENT_SECRET: made.clientSecret,
    SSL_CERT_FILE: ca,
  };

  const said = await new Promise<string>((resolve) => {
    execFile(latestPackerPath(), ['build', folder], { env, cwd: folder }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });

  expect(said).not.toMatch(/x509|oauth2|certificate/);
  const { principals } = await client.listPrincipals({ project: 'stock' });
  expect(principals[0]?.secrets[0]?.usedAt, said).not.toBeNull();
});
