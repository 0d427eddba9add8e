/** Makes one copy in a process of its own, which can be killed: prints each beat. Arguments: how to reach the cloud, and the copy, as JSON. */
import { createAzureProvider, type AzureSubscription } from '../../src/providers/azure/index.ts';
import type { CopyInput } from '../../src/providers/provider.ts';

interface Given {
  readonly endpoint: string;
  readonly ca: string;
  readonly subscription: Omit<AzureSubscription, 'credentials'>;
  readonly login: { readonly tenantId: string; readonly clientId: string; readonly clientSecret: string };
  readonly copy: CopyInput;
}

const { endpoint, ca, subscription, login, copy }: Given = JSON.parse(process.argv[2] ?? '{}');
const provider = createAzureProvider({
  subscriptions: [
    {
      ...subscription,
      credentials: {
        kind: 'clientSecret',
        ...login,
        clientSecret: () => Promise.resolve(login.clientSecret),
      },
    },
  ],
  clients: { endpoint, authorityHost: endpoint, tls: { ca }, pollEveryMs: 20 },
});
await provider.distribution?.copy(copy, {
  signal: new AbortController().signal,
  beat: (progress) => void process.stdout.write(`${JSON.stringify(progress)}\n`),
});
process.stdout.write('"done"\n');
