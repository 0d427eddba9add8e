/** Is each subscription usable: a token, the gallery, and the right to see what is in it. */
import { Failure } from '../../domain/failure.ts';
import { type Check, checked } from '../checked.ts';
import type { Account, Accounts } from './clients.ts';
import { call } from './errors.ts';
import { listed } from './listing.ts';

/** What images, machines, their networks and their time limits are made by. */
const namespaces = ['Microsoft.Compute', 'Microsoft.Network', 'Microsoft.DevTestLab'];

export async function doctor(accounts: Accounts): Promise<readonly Check[]> {
  return (await Promise.all(accounts.all.map(checksOf))).flat();
}

async function checksOf(account: Account): Promise<readonly Check[]> {
  const { subscription, compute, resources, credential, scope } = account;
  const { id, resourceGroup, gallery, locations } = subscription;
  const about = (name: string, look: () => Promise<string>) => checked(`azure ${id}: ${name}`, look);
  const token = await about('credentials', async () => {
    await call('get a token', () => credential.getToken(scope));
    return 'Microsoft Entra ID gave a token';
  });
  if (!token.ok) return [token];
  return [
    token,
    await about('resource providers', async () => {
      const states = await Promise.all(
        namespaces.map(async (name) => {
          const { registrationState } = await call(`read provider ${name}`, () =>
            resources.providers.get(name),
          );
          return { name, isRegistered: registrationState === 'Registered' };
        }),
      );
      const missing = states.filter(({ isRegistered }) => !isRegistered).map(({ name }) => name);
      if (missing.length === 0) return `${namespaces.join(', ')} are registered`;
      const commands = missing.map((name) => `az provider register --subscription ${id} --namespace ${name}`);
      throw new Failure('illegal_state', `${missing.join(', ')} not registered: ${commands.join('; ')}`);
    }),
    await about('gallery', async () => {
      const found = await call(`read gallery ${gallery} in ${resourceGroup}`, () =>
        compute.galleries.get(resourceGroup, gallery),
      );
      const permissions = found.sharingProfile?.permissions ?? 'Private';
      const shares =
        permissions === 'Groups'
          ? `images at home in ${found.location} can be shared`
          : `its images cannot be shared, because its sharingProfile.permissions is ${permissions}`;
      return `${gallery} is in ${found.location}; images go to ${locations.join(', ')}; ${shares}`;
    }),
    await about('image definitions', async () => {
      const all = await listed(
        `list definitions of ${gallery}`,
        compute.galleryImages.listByGallery(resourceGroup, gallery),
      );
      return `${all.length} seen`;
    }),
    await about('machines and scale sets', async () => {
      const machines = await listed('list machines', compute.virtualMachines.listAll());
      const scaleSets = await listed('list scale sets', compute.virtualMachineScaleSets.listAll());
      return `${machines.length} machines and ${scaleSets.length} scale sets seen: uses can be proved`;
    }),
    await about('resource groups', async () => {
      const groups = await listed('list resource groups', resources.resourceGroups.list());
      return `${groups.length} seen: leftovers can be found`;
    }),
  ];
}
