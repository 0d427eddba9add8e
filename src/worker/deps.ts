/** What worker and bake host are made of. Here, and only here, concrete things meet. */
import type { DataConverter } from '@temporalio/common';

import type { Settings } from '../config/settings.ts';
import { requireDatabase } from '../config/settings.ts';
import type { Tools } from '../config/tools.ts';
import { loadTools } from '../config/tools.ts';
import { isFailure } from '../domain/failure.ts';
import { newClientSecret } from '../http/credentials.ts';
import type { Providers } from '../providers/provider.ts';
import { createRegistry } from '../registry/create-registry.ts';
import type { Registry } from '../registry/registry.ts';
import { migrate } from '../store/migrate.ts';
import { openStore } from '../store/pool.ts';
import { dataConverterOf, openKeyring } from '../temporal/codec/index.ts';
import type { Credentials } from '../activities/credentials.ts';
import { createCredentials } from '../activities/credentials.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { openTemporal } from '../temporal/connection.ts';
import type { Gateway } from '../temporal/starter.ts';
import { createGateway } from '../temporal/starter.ts';
import { untilItWorks } from '../temporal/until-it-works.ts';
import { createVault, type Vault } from '../vault/index.ts';
import { createProviders } from './providers.ts';
import type { Lifetime } from './running.ts';

export interface Deps {
  readonly settings: Settings;
  readonly tools: Tools;
  readonly registry: Registry;
  readonly providers: Providers;
  /** Absent: this installation uses none. */
  readonly vault: Vault | undefined;
  readonly credentials: Credentials;
  readonly temporal: TemporalConnection;
  readonly dataConverter: DataConverter;
  readonly gateway: Gateway;
}

/** Waits for PostgreSQL and brings its schema up to date. `closing` gets what has to be closed at the end. */
export async function openDeps(
  settings: Settings,
  { signal, log }: Lifetime,
  closing: AsyncDisposableStack,
): Promise<Deps> {
  const url = requireDatabase(settings).reveal();
  const { payloadKeysFile } = settings;
  const vault = settings.vault === undefined ? undefined : await createVault(settings.vault);
  closing.defer(() => vault?.close());
  const tools = loadTools();
  const providers = await createProviders(settings, tools, vault);
  const keyring =
    payloadKeysFile === undefined
      ? undefined
      : await untilItWorks(
          'unwrap the payload keys',
          () => openKeyring(payloadKeysFile, vault?.unwrapDataKeys),
          { signal, log, retry: isAway },
        );
  await untilItWorks('reach PostgreSQL', () => migrate(url), { signal, log, retry: isAway });
  const store = openStore(url);
  closing.defer(() => store.close());
  const temporal = openTemporal(settings.temporal, keyring);
  closing.defer(() => temporal.close());
  const registry = createRegistry(store);
  return {
    settings,
    tools,
    registry,
    providers,
    vault,
    credentials: createCredentials({
      ledger: registry.ledger,
      bakes: registry.bakes,
      vault,
      principals: { principals: registry.principals, newSecret: newClientSecret },
    }),
    temporal,
    dataConverter: dataConverterOf(keyring, settings.temporal.namespace),
    gateway: createGateway(temporal),
  };
}

const isAway = (error: unknown): boolean => isFailure(error) && error.code === 'provider_unavailable';
