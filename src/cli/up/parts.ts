/** The processes of `up`, as commands: the same ones that run apart in containers. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Settings } from '../../config/settings.ts';
import { loadTools } from '../../config/tools.ts';
import { Failure } from '../../domain/failure.ts';
import { devServerArguments, untilServing } from '../../temporal/dev-server.ts';
import type { UpFolder } from './folder.ts';
import type { PartSpec } from './part.ts';
import { answersAt, readyFileOf } from './ready.ts';

const cli = fileURLToPath(new URL('../main.ts', import.meta.url));

export const loopback = '127.0.0.1';

export function temporalPart(
  settings: Settings,
  folder: UpFolder,
  ports: { readonly temporal: number; readonly ui: number },
): PartSpec {
  const { temporal } = loadTools();
  if (temporal === undefined) {
    throw new Failure(
      'tool_missing',
      'the temporal program is not installed: run `npm run setup`, or set TEMPORAL_ADDRESS to a server that runs',
    );
  }
  const { namespace } = settings.temporal;
  return {
    name: 'temporal',
    file: temporal.path,
    args: devServerArguments({
      host: loopback,
      port: ports.temporal,
      uiPort: ports.ui,
      dbFile: join(folder.dataDir, 'temporal.db'),
      namespace,
    }),
    env: {},
    untilReady: (signal) => untilServing({ address: `${loopback}:${ports.temporal}`, namespace }, signal),
    graceMs: 10_000,
  };
}

export interface Shared {
  readonly settings: Settings;
  readonly folder: UpFolder;
  /** For all three: database, Temporal, token. */
  readonly env: Readonly<Record<string, string>>;
}

/** Both places as `host:port`; no second one: no TLS. */
export interface ServerPlaces {
  readonly listen: string;
  readonly tlsListen: string | undefined;
}

export function serverPart(
  { settings, env }: Shared,
  { listen, tlsListen }: ServerPlaces,
  url: string,
): PartSpec {
  return {
    name: 'server',
    file: process.execPath,
    args: [cli, 'server'],
    env: {
      ...env,
      BAKEHOUSE_LISTEN: listen,
      // By default it is no more than that: a server that cannot speak TLS works without.
      BAKEHOUSE_TLS_LISTEN: settings.tls.listenAsked ? (tlsListen ?? '') : '',
      BAKEHOUSE_TLS_LISTEN_DEFAULT: settings.tls.listenAsked ? '' : (tlsListen ?? ''),
      BAKEHOUSE_READY_FILE: '',
    },
    untilReady: answersAt(`${url}/healthz`),
    graceMs: settings.stopAfterMs + 5_000,
  };
}

export function workingPart(name: 'worker' | 'bake-host', { settings, folder, env }: Shared): PartSpec {
  const readyFile = join(folder.run, `${name}.ready`);
  return {
    name,
    file: process.execPath,
    args: [cli, name],
    env: { ...env, BAKEHOUSE_READY_FILE: readyFile },
    untilReady: readyFileOf(readyFile),
    graceMs: settings.stopAfterMs + 5_000,
  };
}
