/** An installation in front of the Azure test cloud: three subscriptions in three regions, and a worker in a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ImageLine, type LineTarget, openGates } from '../../src/domain/image-line.ts';
import { openAzure } from '../contract/azure-fixture.ts';
import { installBefore } from '../kill/cloud-installation.ts';
import { azurePlacesOn } from '../support/clouds/places.ts';

export const regions = ['westeurope', 'northeurope', 'uksouth'] as const;

export type AzureInstallation = Awaited<ReturnType<typeof installInAzure>>;

export async function installInAzure() {
  const subscriptionIds = ['1', '2', '3'].map((one) => `50b50000-0000-4000-8000-00000000000${one}`);
  const fixture = await openAzure({ subscriptionIds });
  const places = azurePlacesOn(fixture);
  const at = await installBefore(places);
  const { relay, bakeUntested } = at;
  const [owner = '', ...sharedWith] = subscriptionIds;

  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const stopping = new AbortController();
  const relaying = (async () => {
    for (; !stopping.signal.aborted; await sleep(200)) await inTurn(relay);
  })();

  return {
    ...at,
    cloud: fixture.cloud,
    owner,
    sharedWith,
    everything: () => places.everything(),
    /** Its release begins after that: it would bake by itself. */
    bakeUntested: (bucket: string) =>
      inTurn(async () => {
        const baked = await bakeUntested(bucket);
        await relay();
        return baked;
      }),
    /** At home in the first region, with replicas in the others; without a parent it is a root. Answers its bucket. */
    layer(parent: string | undefined, over: Pick<ImageLine, 'deleteAfterMs'>): Promise<string> {
      const account = { provider: 'azure', account: owner };
      const targets = regions.map((region, index): LineTarget =>
        index === 0
          ? { ...account, region, launch: places.launch, shareWith: sharedWith }
          : { ...account, region, launch: {}, copy: true },
      );
      return at.line({
        targets,
        parents: parent === undefined ? [] : [{ bucket: parent, channel: 'prod', variable: 'parent' }],
        tests: [{ name: 'a shell', kind: 'command', command: 'echo hello', timeoutMs: 20_000 }],
        channels: [{ name: 'prod', gates: { ...openGates, tested: true, verified: true } }],
        ...over,
      });
    },
    async stop(): Promise<void> {
      stopping.abort();
      await relaying;
      await at.stop();
      await places.stop();
    },
  };
}
