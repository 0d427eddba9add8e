/** A worker in a process of its own, to be killed: the product's, with providers of test clouds. Argument: how they are reached, as JSON. */
import { loadSettings } from '../../../src/config/settings.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { createAwsProvider, type AwsOptions } from '../../../src/providers/aws/index.ts';
import { createAzureProvider, type AzureSubscription } from '../../../src/providers/azure/index.ts';
import type { ImageProvider, Providers } from '../../../src/providers/provider.ts';
import { openDeps } from '../../../src/worker/deps.ts';
import { serveQueues } from '../../../src/worker/main.ts';
import { startProcess } from '../../../src/worker/running.ts';
import { installRuntime } from '../../../src/worker/runtime.ts';

export type Reached =
  | { readonly code: 'aws'; readonly options: AwsOptions }
  | {
      readonly code: 'azure';
      readonly endpoint: string;
      readonly ca: string;
      readonly login: { readonly tenantId: string; readonly clientId: string; readonly clientSecret: string };
      readonly subscriptions: readonly Omit<AzureSubscription, 'credentials'>[];
    };

export function providerOf(reached: Reached): ImageProvider {
  if (reached.code === 'aws') return createAwsProvider(reached.options);
  const { endpoint, ca, login, subscriptions } = reached;
  return createAzureProvider({
    subscriptions: subscriptions.map((one) => ({
      ...one,
      credentials: {
        kind: 'clientSecret',
        ...login,
        clientSecret: () => Promise.resolve(login.clientSecret),
      },
    })),
    // Else no image is ever proved to be unused, and none is deleted.
    allReadersConfigured: true,
    clients: { endpoint, authorityHost: endpoint, tls: { ca }, pollEveryMs: 50 },
  });
}

if (import.meta.main) {
  const reached: Reached = JSON.parse(process.argv[2] ?? '');
  const provider = providerOf(reached);
  const providers: Providers = { all: () => [provider], get: () => provider };
  const settings = loadSettings();
  const log = createLogger({ settings: settings.log, process: 'worker' });
  const running = startProcess({ log, readyFile: settings.readyFile }, async (lifetime) => {
    await using closing = new AsyncDisposableStack();
    installRuntime(log);
    await serveQueues({ ...(await openDeps(settings, lifetime, closing)), providers }, lifetime, closing);
  });
  await running.finished;
}
