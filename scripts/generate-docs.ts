/**
 * Writes `docs/reference`, and what else follows from the code: `npm run docs`. With `--check` it writes nothing and fails when a file is not what the code
 * says now.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cloudsJsonSchema } from '../src/config/clouds-schema.ts';
import { bakehouseJsonSchema } from '../src/config/line-schema.ts';
import { clientAddresses } from './docs/addresses.ts';
import { hcpApiPage } from './docs/hcp-api.ts';
import { httpApiPage } from './docs/http-api.ts';
import { openApi } from './docs/open-api.ts';
import { cliPage, configPage, errorsPage } from './docs/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const addresses = 'src/client/addresses.ts';
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const pages: Readonly<Record<string, string>> = {
  'docs/reference/bakehouse.schema.json': json(bakehouseJsonSchema()),
  'docs/reference/cli.md': await cliPage(),
  'docs/reference/clouds.schema.json': json(cloudsJsonSchema()),
  'docs/reference/config.md': configPage(),
  'docs/reference/errors.md': errorsPage(),
  'docs/reference/hcp-api.md': hcpApiPage(),
  'docs/reference/http-api.md': httpApiPage(),
  'docs/reference/openapi.json': json(openApi()),
  [addresses]: await clientAddresses(path.join(root, addresses)),
};

const stale = Object.entries(pages).filter(([name, text]) => read(path.join(root, name)) !== text);
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`${name} is not what the code says: run \`npm run docs\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(path.join(root, 'docs/reference'), { recursive: true });
  for (const [name, text] of stale) {
    writeFileSync(path.join(root, name), text);
    console.log(`wrote ${name}`);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
