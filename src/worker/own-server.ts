/** The server of this installation as the Packer of a bake host reaches it, from the settings. */
import { readFileSync } from 'node:fs';

import type { OwnServer } from '../activities/publishing.ts';
import { writeRootsBundle } from '../config/extra-roots.ts';
import type { Settings } from '../config/settings.ts';
import { Failure } from '../domain/failure.ts';

export function ownServer({ registry }: Pick<Settings, 'registry'>): OwnServer | undefined {
  if (registry === undefined) return undefined;
  const { url, caFile } = registry;
  return {
    url: new URL(url).origin,
    // Read for each bake: a server makes its own authority at its first start.
    roots: (folder) => (caFile === undefined ? undefined : writeRootsBundle(folder, authorityIn(caFile))),
  };
}

function authorityIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `BAKEHOUSE_REGISTRY_CA names ${file}, which cannot be read: put the authority of the server's certificate there`;
    throw new Failure('invalid_input', message, { cause });
  }
}
