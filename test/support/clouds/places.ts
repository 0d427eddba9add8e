/** The test clouds as places of an installation: what a bake leaves there, how slow a copy is, and everything of ours that is there. */
import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import type { GalleryImageVersionProperties, GalleryProperties } from '@azure/arm-compute';
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
  /** An account with whom a line can share: another one each time, where a share is the gallery's and somebody else may have asked for it. */
  reader(): string;
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
  /** The next call that does this has its effect, and its answer waits until it is let go. Answers whether one waits. */
  hold(act: CloudAct): Promise<() => Promise<boolean>>;
  letGo(): Promise<void>;
  /** As this test launch, whatever became of them. */
  machinesMade(launchId: string): Promise<number>;
  /** What is there of ours, beside what every installation has. */
  everything(): Promise<Everything>;
  /** What of it is given to others. */
  granted(): Promise<Granted>;
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

export interface Granted {
  /** Where, which channel, and the image that it shows. */
  readonly channels: readonly string[];
  /** Where, which image, and to whom. */
  readonly shares: readonly string[];
}

/** What a step does to a cloud, by one call. */
export type CloudAct = 'launch' | 'end' | 'share' | 'publish' | 'block' | 'announce' | 'remove';

const awsActs: Readonly<Record<CloudAct, string>> = {
  launch: 'RunInstances',
  end: 'TerminateInstances',
  share: 'ModifyImageAttribute',
  publish: 'PutParameter',
  block: 'DisableImage',
  announce: 'EnableImageDeprecation',
  remove: 'DeregisterImage',
};

const azureActs: Readonly<Record<CloudAct, { readonly operation: string; readonly after?: number }>> = {
  launch: { operation: 'PUT virtualMachines' },
  end: { operation: 'DELETE resourceGroups' },
  share: { operation: 'POST galleries/share' },
  publish: { operation: 'PUT galleries/images/versions' },
  block: { operation: 'PUT galleries/images/versions' },
  // Two go before: it is hidden, and what it asks to be shared with is taken out of its tags.
  announce: { operation: 'PUT galleries/images/versions', after: 2 },
  remove: { operation: 'DELETE galleries/images/versions' },
};

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
    // An answer may be held for longer than an answer takes.
    reached: { code: 'aws', options: { ...options, pace: { ...aws.pace, callMs: 60_000 } } },
    provider,
    baked: aws.place(),
    copies: [aws.place(aws.away), aws.place(aws.home, firstShare)],
    share: firstShare,
    reader: () => firstShare,
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
    async hold(act) {
      const held = async () => (await cloud.calls()).filter(({ answer }) => answer === 'held').length;
      const before = await held();
      await cloud.fault({ action: awsActs[act], answer: 'held', times: 1 });
      return async () => (await held()) > before;
    },
    letGo: () => cloud.clearFaults(),
    async machinesMade(launchId) {
      const request = new DescribeInstancesCommand({
        Filters: [{ Name: 'tag:launch_id', Values: [launchId] }],
      });
      const { Reservations = [] } = await cloud.ec2(owner, aws.home).send(request);
      return Reservations.flatMap(({ Instances = [] }) => Instances).length;
    },
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
          ...list.launchTemplates.map(({ id }) => `${where} launch template ${id}`),
          ...list.spotRequests.map(({ id }) => `${where} spot request ${id}`),
          // What is a machine's goes with it, and what is an image's with that.
          ...list.volumes.filter(({ attached }) => !attached).map(({ id }) => `${where} volume ${id}`),
          ...list.networkInterfaces
            .filter(({ attached }) => !attached)
            .map(({ id }) => `${where} network interface ${id}`),
          ...list.snapshots
            .filter(({ id }) => !list.images.some(({ snapshots }) => snapshots.includes(id)))
            .map(({ id }) => `${where} snapshot ${id}`),
        );
      }
      return { images: images.toSorted(), storage, others };
    },
    async granted() {
      const channels: string[] = [];
      const shares: string[] = [];
      for (const { account, region } of places) {
        const list = await cloud.everything(account, region);
        const where = `${account}/${region}`;
        channels.push(
          ...list.parameters.map(({ id, value }) => `${where} ${id.replace('/bakehouse/', '')} ${value}`),
        );
        for (const { id, sharedWith, snapshots } of list.images) {
          shares.push(...sharedWith.map((share) => `${where} ${id} with ${share}`));
          const behind = list.snapshots.filter((one) => snapshots.includes(one.id));
          for (const share of new Set(behind.flatMap((one) => one.sharedWith)))
            if (!sharedWith.includes(share)) shares.push(`${where} storage of ${id} with ${share}`);
        }
      }
      return { channels: channels.toSorted(), shares: shares.toSorted() };
    },
    stop: () => cloud.stop(),
  };
}

interface Replica {
  readonly id: string;
  readonly where: string;
  readonly definition: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly hidden: boolean;
  readonly excluded: boolean;
}

export async function azurePlaces(): Promise<CloudPlaces> {
  return azurePlacesOn(await openAzure());
}

/** `latest`: the channel that the definitions' `latest` follows; absent: none. */
export function azurePlacesOn(fixture: AzureFixture, latest?: string): CloudPlaces {
  const { cloud, subscriptions } = fixture;
  const [first, second, ...more] = subscriptions;
  const readers = more.map(({ id }) => id);
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
      ...(latest === undefined ? {} : { pointerChannel: latest }),
    })),
  };
  const away = 'northeurope';
  const own = new Set(
    subscriptions.flatMap(({ id }) => [
      `/subscriptions/${id}/resourceGroups/${group}`,
      `/subscriptions/${id}/resourceGroups/${group}/providers/Microsoft.Compute/galleries/${gallery}`,
    ]),
  );
  /** Every version in each of its regions. */
  const replicas = async () => {
    const found: Replica[] = [];
    for (const id of await cloud.everything()) {
      const resource = id.includes('/versions/') ? await cloud.resource(id) : undefined;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the id says that it is a version of a gallery.
      const version = resource?.properties as Pick<GalleryImageVersionProperties, 'publishingProfile'>;
      for (const { name, excludeFromLatest } of version?.publishingProfile?.targetRegions ?? []) {
        const [, account = '', definition = ''] =
          /^\/subscriptions\/([^/]+)\/.*\/images\/([^/]+)\//.exec(id) ?? [];
        const tags = resource?.tags ?? {};
        const hidden = tags[`bakehouse_hidden_${name}`] === 'true';
        found.push({
          id,
          where: `${account}/${name}`,
          definition,
          tags,
          hidden,
          excluded: excludeFromLatest === true,
        });
      }
    }
    return found;
  };
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
    reader: () => readers.shift() ?? second.id,
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
    async hold(act) {
      const held = async () => (await cloud.requests()).filter(({ fault }) => fault === 'held').length;
      const before = await held();
      await cloud.fault({ ...azureActs[act], answer: 'held' });
      return async () => (await held()) > before;
    },
    letGo: () => cloud.clearFaults(),
    async machinesMade(launchId) {
      const made = (await cloud.requests()).filter(
        ({ operation, path, status }) =>
          operation === 'PUT virtualMachines' && status < 300 && path.includes(launchId),
      );
      // One name, one machine.
      return new Set(made.map(({ path }) => path)).size;
    },
    async everything() {
      const images = (await replicas()).map(
        ({ where, id, hidden }) => `${where} ${id} ${hidden ? 'hidden' : 'available'}`,
      );
      const others = (await cloud.everything()).filter(
        (id) =>
          !own.has(id) &&
          !id.includes('/versions/') &&
          !/\/galleries\/[^/]+\/images\/[^/]+$/.test(id) &&
          !id.endsWith('/resourceGroups/packer'),
      );
      return { images: images.toSorted(), storage: [], others };
    },
    async granted() {
      const all = await replicas();
      const shown = all.filter(({ excluded }) => !excluded);
      const channels = shown.map(
        ({ where, definition, id }) => `${where} ${definition}/${latest ?? 'latest'} ${id}`,
      );
      const asked = all.flatMap(({ where, id, tags }) =>
        (tags['bakehouse_shares_0'] ?? '')
          .split(' ')
          .filter((share) => share !== '')
          .map((share) => ({ share, line: `${where} ${id} with ${share}` })),
      );
      const shares = asked.map(({ line }) => line);
      for (const id of own) {
        const { properties } = (await cloud.resource(id)) ?? {};
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the id says whether it is a gallery; a group has no such profile.
        const { sharingProfile } = properties as Pick<GalleryProperties, 'sharingProfile'>;
        for (const share of sharingProfile?.groups?.flatMap(({ ids = [] }) => ids) ?? [])
          if (!asked.some((one) => one.share === share))
            shares.push(`${id} with ${share}, which no image asks for`);
      }
      return { channels: channels.toSorted(), shares: shares.toSorted() };
    },
    stop: () => fixture.dispose(),
  };
}
