/** The workflows' code as one file, kept by the digest of what it is made from: a start costs a second only after a change. */
import { createHash, randomUUID } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode } from '@temporalio/worker';

import { installationRoot } from '../config/tools.ts';
import type { Logger } from '../observe/logger.ts';
import { createTemporalLogger } from '../observe/temporal-log.ts';

const source = fileURLToPath(new URL('../', import.meta.url));

/** The import rules let nothing else into the bundle. The SDK that makes it must be the one that runs it. */
const rooms = ['domain', 'workflows'];

/**
 * Path of the bundle below `folder`; made when it is not there. Several processes may ask at once. How failures are written is part of it,
 * so there is one for workers with payload keys and one for those without.
 */
export async function workflowBundle(
  folder: string,
  { failureConverterPath }: Pick<DataConverter, 'failureConverterPath'>,
  log: Logger,
): Promise<string> {
  const kind = failureConverterPath === undefined ? '' : '-sealed';
  const path = join(folder, `workflows-${digest()}${kind}.js`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(source, 'workflows/index.ts'),
    payloadConverterPath: join(source, 'workflows/payloads.ts'),
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    logger: createTemporalLogger(log.child({}, { level: 'warn' })),
  });
  // Containers that share the folder have the same process ids.
  const half = `${path}.${randomUUID()}`;
  writeFileSync(half, code);
  renameSync(half, path);
  return path;
}

/** Inside the installation, for all its workers; where nobody may write there (a container's image), below this worker's own data. */
export function bundleFolder(dataDir: string): string {
  const shared = join(installationRoot, 'node_modules/.cache/bakehouse/bundles');
  try {
    mkdirSync(shared, { recursive: true });
    accessSync(shared, constants.W_OK);
    return shared;
  } catch {
    return join(dataDir, 'bundles');
  }
}

function digest(): string {
  const hash = createHash('sha256').update(sdkVersion());
  const files = rooms.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: source })).toSorted();
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(source, file)));
  return hash.digest('hex').slice(0, 16);
}

function sdkVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('@temporalio/worker/package.json');
  return JSON.stringify(manifest);
}
