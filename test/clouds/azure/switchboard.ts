/** What a test turns and reads: in the process of the cloud, or over https where the cloud is a process of its own. */
import { keepContent, plainContent } from './content.ts';
import type { Content } from './content.ts';
import type { Cloud, LoggedRequest } from './cloud.ts';
import type { Delays } from './delays.ts';
import type { Fault } from './faults.ts';
import type { ManagedImage } from './compute/images.ts';
import { groupId, key } from './ids.ts';
import { passTime } from './schedules.ts';
import type { Resource } from './wire.ts';

export interface ManagedImageOptions extends Partial<Content> {
  readonly tags?: Readonly<Record<string, string>>;
  readonly osType?: 'Linux' | 'Windows';
  readonly hyperVGeneration?: 'V1' | 'V2';
}

export interface Switchboard {
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  requests(): Promise<readonly LoggedRequest[]>;
  setDelays(delays: Partial<Delays>): Promise<void>;
  /** Lists come in pages from now on, the first one empty, the others of so many entries. Absent: as a whole again. */
  pages(size?: number): Promise<void>;
  /** What auto-shutdown would do within this time it does now. Milliseconds. */
  passTime(ms: number): Promise<void>;
  /** As Packer's azure-arm leaves it, in a group that is made if it is not there. Answers its id. */
  managedImage(
    subscription: string,
    group: string,
    name: string,
    location: string,
    options?: ManagedImageOptions,
  ): Promise<string>;
  /** Ids of all there is, groups too, soft-deleted versions not. Of one subscription or of all. */
  everything(subscription?: string): Promise<readonly string[]>;
  /** As it is stored, whatever a caller may see. */
  resource(id: string): Promise<Resource<object> | undefined>;
  /** Whether tokens given so far are still good is not changed by any of this. */
  setTokenLifetime(seconds: number): Promise<void>;
  /** Nothing is left but subscriptions and clients. */
  reset(): Promise<void>;
}

export function switchboard(cloud: Cloud): Switchboard {
  const done = Promise.resolve();
  return {
    fault(fault) {
      cloud.faults.add(fault);
      return done;
    },
    clearFaults() {
      cloud.faults.clear();
      return done;
    },
    requests: () => Promise.resolve([...cloud.requests]),
    setDelays(delays) {
      cloud.delays = { ...cloud.delays, ...delays };
      return done;
    },
    pages(size) {
      cloud.pageSize = size;
      return done;
    },
    passTime(ms) {
      passTime(cloud, ms);
      return done;
    },
    managedImage: (...of) => Promise.resolve(managedImage(cloud, ...of)),
    everything: (subscription) =>
      Promise.resolve(
        cloud.all(subscription === undefined ? '' : `/subscriptions/${subscription}`).map((one) => one.id),
      ),
    resource: (id) => Promise.resolve(cloud.find<object>(id)),
    setTokenLifetime(seconds) {
      cloud.tokens.lifetime = seconds;
      return done;
    },
    reset() {
      cloud.reset();
      return done;
    },
  };
}

function managedImage(
  cloud: Cloud,
  subscription: string,
  group: string,
  name: string,
  location: string,
  options: ManagedImageOptions = {},
): string {
  const groupPath = groupId(subscription, group);
  if (cloud.find(groupPath) === undefined)
    cloud.put({
      id: groupPath,
      name: group,
      type: 'Microsoft.Resources/resourceGroups',
      location,
      tags: {},
      properties: { provisioningState: 'Succeeded' },
    });
  const id = `${groupPath}/providers/Microsoft.Compute/images/${name}`;
  const image: Resource<ManagedImage> = {
    id,
    name,
    type: 'Microsoft.Compute/images',
    location,
    ...(options.tags !== undefined && { tags: { ...options.tags } }),
    properties: {
      provisioningState: 'Succeeded',
      hyperVGeneration: options.hyperVGeneration ?? 'V1',
      storageProfile: {
        osDisk: {
          osType: options.osType ?? 'Linux',
          osState: 'Generalized',
          diskSizeGB: 30,
          blobUri: `https://packer${key(name).replaceAll(/[^a-z0-9]/g, '')}.blob.core.windows.net/system/pkros.vhd`,
          caching: 'ReadWrite',
          storageAccountType: 'Standard_LRS',
        },
        dataDisks: [],
        zoneResilient: false,
      },
    },
  };
  cloud.put(image);
  keepContent(cloud, id, {
    boots: options.boots ?? plainContent.boots,
    files: options.files ?? plainContent.files,
  });
  return id;
}

export const switches = [
  'fault',
  'clearFaults',
  'requests',
  'setDelays',
  'pages',
  'passTime',
  'managedImage',
  'everything',
  'resource',
  'setTokenLifetime',
  'reset',
] as const;
