/** The test clouds as places of an installation: what a bake leaves there, how slow a copy is, and everything of ours that is there. */
import { RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { Target } from '../../../src/domain/target.ts';
import type { BakeMark, ImageProvider, PackerArtifact } from '../../../src/providers/provider.ts';
import * as aws from '../../contract/aws-fixture.ts';
import { type AzureFixture, gallery, group, home, openAzure } from '../../contract/azure-fixture.ts';
import { type AwsCloud, awsAccounts, startAwsCloud } from './aws.ts';
import { providerOf, type Reached } from './worker.ts';

export interface CloudPlaces {
  readonly reached: Reached;
  readonly provider: ImageProvider;
  readonly baked: Target;
  /** Two places for copies: another region, and another account. */
  readonly copies: readonly [Target, Target];
  /** An account that images are shared with; absent: a share is no matter of the image there. */
  readonly share?: string;
  /** Copies of one image that the cloud makes at the same time. */
  readonly atOnce: number;
  /** How `everything` calls an image that a revocation has reached. */
  readonly blocked: 'disabled' | 'hidden';
  readonly source: string;
  readonly launch: Readonly<Record<string, unknown>>;
  artifact(mark: BakeMark): Promise<PackerArtifact>;
  /** A machine as Packer has one while it bakes, with the attempt's mark. */
  packerMachine(mark: BakeMark): Promise<void>;
  /** Copies that are begun from now on end after some seconds. */
  copiesTakeLong(): Promise<void>;
  copiesTakeAMoment(): Promise<void>;
  /** Copies that were asked for and begun, since the start. */
  copiesBegun(): Promise<number>;
  /** Where `share` is: shares that begin from now on do not end, until they are let go. */
  holdShares?(): Promise<void>;
  sharesHeld?(): Promise<boolean>;
  letSharesGo?(): Promise<void>;
  /** What is there of ours, beside what every installation has. */
  everything(): Promise<Everything>;
  stop(): Promise<void>;
}

export interface Everything {
  /** Where, id, and whether it can be launched. */
  readonly images: readonly string[];
  /** Where, and id, of what is behind images; where a cloud shows it. */
  readonly storage: readonly string[];
  /** Anything else; a machine that is ended is none. */
  readonly others: readonly string[];
}

const longMs = 15_000;

export async function awsPlaces(): Promise<CloudPlaces> {
  return awsPlacesOn(
    await startAwsCloud({
      delays: { image: 60, running: 60, statusOk: 60, stopped: 40, agent: 60, visible: 20 },
    }),
  );
}

export function awsPlacesOn(cloud: AwsCloud): CloudPlaces {
  const { owner, firstShare } = awsAccounts;
  aws.useCredentials(cloud);
  const { options, provider } = aws.openProvider(cloud);
  const places = [aws.place(), aws.place(aws.away), aws.place(aws.home, firstShare)];
  return {
    reached: { code: 'aws', options },
    provider,
    baked: aws.place(),
    copies: [aws.place(aws.away), aws.place(aws.home, firstShare)],
    share: firstShare,
    atOnce: 2,
    blocked: 'disabled',
    source: 'amazon-ebs.base',
    launch: { instanceType: 't3.small' },
    artifact: async (mark) =>
      aws.artifactOf({ [aws.home]: await aws.makeImage(cloud, mark, aws.home, { team: 'platform' }) }),
    async packerMachine({ bakeId, attemptId }) {
      const ImageId = await cloud.baseImage(aws.home);
      const Tags = Object.entries({ bake_id: bakeId, attempt_id: attemptId }).map(([Key, Value]) => ({
        Key,
        Value,
      }));
      const TagSpecifications = [{ ResourceType: 'instance' as const, Tags }];
      const run = new RunInstancesCommand({ ImageId, MinCount: 1, MaxCount: 1, TagSpecifications });
      await cloud.ec2(owner, aws.home).send(run);
    },
    copiesTakeLong: () => cloud.setDelays({ image: longMs }),
    copiesTakeAMoment: () => cloud.setDelays({ image: 60 }),
    async copiesBegun() {
      const calls = await cloud.calls();
      return calls.filter(({ action, answer }) => action === 'CopyImage' && answer === 'done').length;
    },
    // Only who writes tags for a share reads them there.
    holdShares: () => cloud.fault({ action: 'DescribeTags', account: firstShare, answer: 'throttled' }),
    async sharesHeld() {
      const calls = await cloud.calls();
      return calls.some(
        ({ action, account, answer }) =>
          action === 'DescribeTags' && account === firstShare && answer === 'throttled',
      );
    },
    letSharesGo: () => cloud.clearFaults(),
    async everything() {
      const images: string[] = [];
      const storage: string[] = [];
      const others: string[] = [];
      for (const { account, region } of places) {
        const list = await cloud.everything(account, region);
        const where = `${account}/${region}`;
        const named = list.images.filter(({ name }) => name !== 'base');
        images.push(...named.map(({ id, state }) => `${where} ${id} ${state}`));
        storage.push(
          ...list.snapshots.filter(({ tags }) => 'bake_id' in tags).map(({ id }) => `${where} ${id}`),
        );
        others.push(
          ...list.instances
            .filter(({ state }) => state !== 'shutting-down')
            .map(({ id }) => `${where} instance ${id}`),
          ...list.keyPairs.map(({ id }) => `${where} key ${id}`),
          ...list.securityGroups.map(({ id }) => `${where} group ${id}`),
        );
      }
      return { images: images.toSorted(), storage, others };
    },
    stop: () => cloud.stop(),
  };
}

export async function azurePlaces(): Promise<CloudPlaces> {
  return azurePlacesOn(await openAzure());
}

export function azurePlacesOn(fixture: AzureFixture): CloudPlaces {
  const { cloud, subscriptions } = fixture;
  const [first, second] = subscriptions;
  const reached: Reached = {
    code: 'azure',
    endpoint: cloud.endpoint,
    ca: cloud.ca,
    login: { tenantId: cloud.tenantId, clientId: cloud.clientId, clientSecret: cloud.clientSecret },
    subscriptions: subscriptions.map(({ id, locations }) => ({
      id,
      locations,
      resourceGroup: group,
      gallery,
    })),
  };
  const away = 'northeurope';
  const own = new Set(
    subscriptions.flatMap(({ id }) => [
      `/subscriptions/${id}/resourceGroups/${group}`,
      `/subscriptions/${id}/resourceGroups/${group}/providers/Microsoft.Compute/galleries/${gallery}`,
    ]),
  );
  return {
    reached,
    provider: providerOf(reached),
    baked: { provider: 'azure', account: first.id, region: home },
    copies: [
      { provider: 'azure', account: first.id, region: away },
      // Where its source is: Azure makes no version out of one of another region.
      { provider: 'azure', account: second.id, region: home },
    ],
    // A version that is being replicated is no source of another one.
    atOnce: 1,
    blocked: 'hidden',
    source: 'azure-arm.base',
    launch: { vmSize: 'Standard_B1s' },
    artifact: (mark) => fixture.artifact(mark),
    packerMachine: async ({ bakeId, attemptId, imageName }) => {
      const tags = { bake_id: bakeId, attempt_id: attemptId };
      await cloud.managedImage(first.id, 'packer', `half-${imageName}`, home, { tags });
    },
    copiesTakeLong: () => cloud.setDelays({ replication: longMs }),
    copiesTakeAMoment: () => cloud.setDelays({ replication: 150 }),
    async copiesBegun() {
      const requests = await cloud.requests();
      const puts = requests.filter(
        ({ operation, status }) => operation === 'PUT galleries/images/versions' && status < 300,
      );
      return puts.length;
    },
    async everything() {
      const images: string[] = [];
      const others: string[] = [];
      for (const id of await cloud.everything()) {
        const resource = await cloud.resource(id);
        if (own.has(id) || resource === undefined) continue;
        if (/\/galleries\/[^/]+\/images\/[^/]+$/.test(id) || id.endsWith('/resourceGroups/packer')) continue;
        const [, account = ''] = /^\/subscriptions\/([^/]+)/.exec(id) ?? [];
        if (!id.includes('/versions/')) others.push(id);
        else {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the id says that it is a version of a gallery.
          const { publishingProfile } = resource.properties as {
            publishingProfile?: { targetRegions?: readonly { readonly name: string }[] };
          };
          for (const { name } of publishingProfile?.targetRegions ?? []) {
            const hidden = resource.tags?.[`bakehouse_hidden_${name}`] === 'true';
            images.push(`${account}/${name} ${id} ${hidden ? 'hidden' : 'available'}`);
          }
        }
      }
      return { images: images.toSorted(), storage: [], others };
    },
    stop: () => fixture.dispose(),
  };
}
