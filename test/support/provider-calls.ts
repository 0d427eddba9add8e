/** The calls of the clouds that our providers make, read from their source. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The text of each of its files. */
export const sources = (provider: string): readonly string[] =>
  globSync(`src/providers/${provider}/*.ts`, { cwd: root }).map((file) =>
    readFileSync(path.join(root, file), 'utf8'),
  );

const prefixes: Readonly<Record<string, string>> = {
  'client-ec2': 'ec2',
  'client-ssm': 'ssm',
  'client-sts': 'sts',
  'client-auto-scaling': 'autoscaling',
};

/** `ec2:RunInstances`, as a policy names it. */
export function awsCalls(text: string): readonly string[] {
  const imports = text.matchAll(/import \{([^}]+)\} from '@aws-sdk\/([\w-]+)'/g);
  return [...imports].flatMap(([, names = '', client = '']) =>
    names
      .split(',')
      .map((name) => /^\s*(?:paginate(\w+)|(\w+?)Command)\s*$/.exec(name))
      .flatMap((match) => match?.[1] ?? match?.[2] ?? [])
      .map((operation) => `${prefixes[client] ?? client}:${operation}`),
  );
}

/** What the azure provider deletes by id: kinds, each with the API version that does it. */
export const swept = sources('azure')
  .flatMap((text) => [...text.matchAll(/\['(Microsoft\.[\w/]+)', '\d{4}-/g)])
  .flatMap(([, kind]) => kind ?? []);

/** The SDK ends a long write with a look at what it made. */
const both = (kind: string): readonly string[] => [`${kind}/write`, `${kind}/read`];

/** Method of an SDK's collection → the permission, or the permissions, that Azure documents for it. */
export const azurePermissions: Readonly<Record<string, string | readonly string[]>> = {
  'galleries.get': 'Microsoft.Compute/galleries/read',
  'gallerySharingProfile.update': 'Microsoft.Compute/galleries/share/action',
  'galleryImages.get': 'Microsoft.Compute/galleries/images/read',
  'galleryImages.listByGallery': 'Microsoft.Compute/galleries/images/read',
  'galleryImages.createOrUpdate': 'Microsoft.Compute/galleries/images/write',
  'galleryImageVersions.get': 'Microsoft.Compute/galleries/images/versions/read',
  'galleryImageVersions.listByGalleryImage': 'Microsoft.Compute/galleries/images/versions/read',
  'galleryImageVersions.createOrUpdate': 'Microsoft.Compute/galleries/images/versions/write',
  'galleryImageVersions.delete': 'Microsoft.Compute/galleries/images/versions/delete',
  'images.get': 'Microsoft.Compute/images/read',
  'images.delete': 'Microsoft.Compute/images/delete',
  'virtualMachines.get': 'Microsoft.Compute/virtualMachines/read',
  'virtualMachines.listAll': 'Microsoft.Compute/virtualMachines/read',
  'virtualMachines.createOrUpdate': 'Microsoft.Compute/virtualMachines/write',
  'virtualMachines.retrieveBootDiagnosticsData':
    'Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action',
  'virtualMachineRunCommands.createOrUpdate': 'Microsoft.Compute/virtualMachines/runCommands/write',
  'virtualMachineRunCommands.delete': 'Microsoft.Compute/virtualMachines/runCommands/delete',
  'virtualMachineRunCommands.getByVirtualMachine': 'Microsoft.Compute/virtualMachines/runCommands/read',
  'virtualMachineScaleSets.listAll': 'Microsoft.Compute/virtualMachineScaleSets/read',
  'virtualMachineScaleSetVMs.list': 'Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read',
  'networkSecurityGroups.beginCreateOrUpdateAndWait': both('Microsoft.Network/networkSecurityGroups'),
  'virtualNetworks.beginCreateOrUpdateAndWait': both('Microsoft.Network/virtualNetworks'),
  'networkInterfaces.beginCreateOrUpdateAndWait': both('Microsoft.Network/networkInterfaces'),
  'resourceGroups.get': 'Microsoft.Resources/subscriptions/resourceGroups/read',
  'resourceGroups.list': 'Microsoft.Resources/subscriptions/resourceGroups/read',
  'resourceGroups.createOrUpdate': 'Microsoft.Resources/subscriptions/resourceGroups/write',
  'resourceGroups.beginDelete': 'Microsoft.Resources/subscriptions/resourceGroups/delete',
  'resources.list': 'Microsoft.Resources/subscriptions/resources/read',
  // By id: what is swept is read first, whatever it is.
  'resources.getById': [...swept.map((kind) => `${kind}/read`), 'Microsoft.DevTestLab/schedules/read'],
  'resources.beginCreateOrUpdateByIdAndWait': both('Microsoft.DevTestLab/schedules'),
  'resources.beginDeleteByIdAndWait': swept.map((kind) => `${kind}/delete`),
  'providers.get': 'Microsoft.Resources/subscriptions/providers/read',
  'tagsOperations.beginUpdateAtScopeAndWait': both('Microsoft.Resources/tags'),
};

const client = String.raw`\b(?:compute|network|resources)\b`;

/** As the code calls them: through a client, or through a name that it gave the collection. */
export function azureCalls(text: string): readonly string[] {
  const through = [...text.matchAll(new RegExp(String.raw`${client}\s*\.\s*(\w+)\s*\.\s*(\w+)`, 'g'))];
  const calls = through.map(([, collection = '', method = '']) => `${collection}.${method}`);
  const renamed = [...text.matchAll(new RegExp(String.raw`const (\w+) = [\w.]*${client}\.(\w+);`, 'g'))];
  const taken = [...text.matchAll(new RegExp(String.raw`const \{([^{}=]+)\} = [\w.]*${client};`, 'g'))];
  const names = [
    ...renamed.map(([, name = '', collection = '']) => [name, collection] as const),
    ...taken.flatMap(([, list = '']) =>
      list.split(',').map((one) => {
        const [collection = '', name = collection] = one.trim().split(/\s*:\s*/);
        return [name, collection] as const;
      }),
    ),
  ];
  const named = names.flatMap(([name, collection]) =>
    [...text.matchAll(new RegExp(String.raw`\b${name}\s*\.\s*(\w+)(?=[(,])`, 'g'))].map(
      ([, method = '']) => `${collection}.${method}`,
    ),
  );
  return [...calls, ...named];
}
