/** docs/clouds.md lists the calls that our providers make: no fewer, so that a policy made of it works, and no more. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(path.join(root, 'docs/clouds.md'), 'utf8');
const sources = (provider: string): readonly string[] =>
  globSync(`src/providers/${provider}/*.ts`, { cwd: root }).map((file) =>
    readFileSync(path.join(root, file), 'utf8'),
  );

/** Rows of the table below a heading, without what is said around it. */
function table(heading: string, permission: RegExp): readonly string[] {
  const section = new RegExp(`\n## ${heading}\n([\\s\\S]*?)(\n## |$)`).exec(page)?.[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return [...new Set(rows.flatMap((row) => row.match(permission) ?? []))].toSorted();
}

const prefixes: Readonly<Record<string, string>> = {
  'client-ec2': 'ec2',
  'client-ssm': 'ssm',
  'client-sts': 'sts',
  'client-auto-scaling': 'autoscaling',
};

function awsCalls(text: string): readonly string[] {
  const imports = text.matchAll(/import \{([^}]+)\} from '@aws-sdk\/([\w-]+)'/g);
  return [...imports].flatMap(([, names = '', client = '']) =>
    names
      .split(',')
      .map((name) => /^\s*(?:paginate(\w+)|(\w+?)Command)\s*$/.exec(name))
      .flatMap((match) => match?.[1] ?? match?.[2] ?? [])
      .map((operation) => `${prefixes[client] ?? client}:${operation}`),
  );
}

/** Method of an SDK's collection → the permission that Azure documents for it. */
const azurePermissions: Readonly<Record<string, string>> = {
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
  'networkSecurityGroups.beginCreateOrUpdateAndWait': 'Microsoft.Network/networkSecurityGroups/write',
  'virtualNetworks.beginCreateOrUpdateAndWait': 'Microsoft.Network/virtualNetworks/write',
  'networkInterfaces.beginCreateOrUpdateAndWait': 'Microsoft.Network/networkInterfaces/write',
  'resourceGroups.get': 'Microsoft.Resources/subscriptions/resourceGroups/read',
  'resourceGroups.list': 'Microsoft.Resources/subscriptions/resourceGroups/read',
  'resourceGroups.createOrUpdate': 'Microsoft.Resources/subscriptions/resourceGroups/write',
  'resourceGroups.beginDelete': 'Microsoft.Resources/subscriptions/resourceGroups/delete',
  'resources.list': 'Microsoft.Resources/subscriptions/resources/read',
  // By id: of the one kind that is asked for so.
  'resources.getById': 'Microsoft.DevTestLab/schedules/read',
  'resources.beginCreateOrUpdateByIdAndWait': 'Microsoft.DevTestLab/schedules/write',
};

const collections = new Set(Object.keys(azurePermissions).map((call) => call.split('.')[0] ?? ''));

/** As the code calls them: through a client, or through a name that it gave the collection. */
function azureCalls(text: string): readonly string[] {
  const named = [...text.matchAll(/const (\w+) = [\w.]*?compute\.(\w+);/g)];
  const aliases = new Map(named.map(([, alias = '', collection = '']) => [alias, collection]));
  const all = [...text.matchAll(/\b(\w+)\.(\w+)(?=[(,])/g)];
  return (
    all
      .map(([, owner = '', method = '']) => [aliases.get(owner) ?? owner, method] as const)
      // An array of the same name has methods of its own.
      .filter(([owner, method]) => collections.has(owner) && !Object.hasOwn(Array.prototype, method))
      .map(([owner, method]) => `${owner}.${method}`)
  );
}

describe('the permissions in docs/clouds.md', () => {
  it('are the calls of the aws provider', () => {
    const called = [...new Set(sources('aws').flatMap(awsCalls))].toSorted();

    expect(called.length).toBeGreaterThan(40);
    expect(table('AWS', /\b(?:ec2|ssm|sts|autoscaling):[A-Z]\w+/g)).toEqual(called);
  });

  it('are the calls of the azure provider, and the deletion of all that it sweeps', () => {
    const called = new Set(sources('azure').flatMap(azureCalls));
    const deletedById = 'resources.beginDeleteByIdAndWait';
    expect(called).toContain(deletedById);
    const unknown = [...called].filter(
      (call) => call !== deletedById && azurePermissions[call] === undefined,
    );
    expect(unknown).toEqual([]);

    const swept = sources('azure').flatMap((text) => [...text.matchAll(/\['(Microsoft\.[\w/]+)', '\d{4}-/g)]);
    expect(swept.length).toBeGreaterThan(5);
    const needed = [
      ...[...called].flatMap((call) => azurePermissions[call] ?? []),
      ...swept.map(([, kind]) => `${kind}/delete`),
    ];
    expect(table('Azure', /Microsoft\.\w+(?:\/\w+)+/g)).toEqual([...new Set(needed)].toSorted());
  });
});
