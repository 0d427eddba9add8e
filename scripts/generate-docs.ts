/**
 * Writes `docs/reference` from the code: `npm run docs`. With `--check` it writes nothing and fails when a page is not what the code
 * says now.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bakehouseJsonSchema } from '../src/config/line-schema.ts';
import { httpApiPage } from './docs/http-api.ts';
import { openApi } from './docs/open-api.ts';
import { cliPage, configPage, errorsPage } from './docs/pages.ts';

const folder = fileURLToPath(new URL('../docs/reference', import.meta.url));
const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

const pages: Readonly<Record<string, string>> = {
  'bakehouse.schema.json': json(bakehouseJsonSchema()),
  'cli.md': await cliPage(),
  'config.md': configPage(),
  'errors.md': errorsPage(),
  'http-api.md': httpApiPage(),
  'openapi.json': json(openApi()),
};

const stale = Object.entries(pages).filter(([name, text]) => read(path.join(folder, name)) !== text);
if (process.argv.includes('--check')) {
  for (const [name] of stale)
    console.error(`docs/reference/${name} is not what the code says: run \`npm run docs\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of stale) {
    writeFileSync(path.join(folder, name), text);
    console.log(`wrote docs/reference/${name}`);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
