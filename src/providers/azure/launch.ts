/** Launching: every piece has a fixed name in the launch's own group, so a second try finds what the first one made. */
import { randomBytes } from 'node:crypto';
import { makeSshKeyPair } from '../ssh-key.ts';
import type { GalleryImage, VirtualMachine } from '@azure/arm-compute';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { CallContext, LaunchInput, Machine } from '../provider.ts';
import type { Account, Accounts } from './clients.ts';
import { readDefinition } from './definitions.ts';
import { call, callFresh, callOrAbsent } from './errors.ts';
import { machinePath, versionPath, type VersionId } from './ids.ts';
import { imageMissing, locate, type Located } from './images.ts';
import { lookedAgain } from './lro.ts';
import { launchGroup, machineName, tag } from './names.ts';
import { ensureNetwork } from './network.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { parseLaunchSettings, type LaunchSettings } from './settings.ts';
import { shutDownAt } from './shutdown.ts';
import { findVersion, stateIn } from './versions.ts';

export async function launch(accounts: Accounts, input: LaunchInput, context: CallContext): Promise<Machine> {
  const settings = parseLaunchSettings(input.settings);
  const { launchId, image } = input;
  const account = accounts.of(image.target);
  const located = locate(accounts, image);
  const version = located === undefined ? undefined : await findVersion(located.account, located.id);
  if (located === undefined || stateIn(version, image.target.region) === 'absent')
    throw imageMissing(image.imageId);
  const group = launchGroup(launchId);
  // Two tries at once in one process: the second one finds what the first one made.
  return oneAtATime(`launch ${group}`, () => make({ account, group, located, settings }, input, context));
}

interface Making {
  readonly account: Account;
  readonly group: string;
  readonly located: Located;
  readonly settings: LaunchSettings;
}

async function make(
  { account, group, located, settings }: Making,
  input: LaunchInput,
  context: CallContext,
): Promise<Machine> {
  const { launchId, image } = input;
  const deadline = await ensureGroup(account, group, input);
  const definition = await lookedAgain(located.account, () => readDefinition(located.account, located.id));
  if (definition === undefined) throw imageMissing(image.imageId);
  context.beat({ phase: 'network' });
  const tags = { [tag.launchId]: launchId, [tag.deadline]: deadline };
  let there = await readMachine(account, group);
  if (there === undefined) {
    const networkInterface = await ensureNetwork(account, {
      group,
      region: image.target.region,
      tags,
      settings,
      context,
    });
    context.beat({ phase: 'machine' });
    const body = bodyOf({ definition, image: located.id }, input, settings, { tags, networkInterface });
    there = await create(account, group, body, context);
  }
  const imageId = there.storageProfile?.imageReference?.id ?? '';
  if (imageId.toLowerCase() !== versionPath(located.id).toLowerCase()) {
    throw new Failure(
      'already_exists',
      `azure: launch ${launchId} is a machine of image ${imageId}, not of ${image.imageId}: use another launch id`,
    );
  }
  await shutDownAt(account, { group, region: image.target.region, tags, deadline: new Date(deadline) });
  return {
    launchId,
    target: image.target,
    machineId: machinePath(account.subscription.id, group),
    // Not by the machine: one that is still being made does not tell.
    shell: definition.osType === 'Windows' ? 'powershell' : 'posix',
    handle: { imageId: image.imageId, bootTimeoutMs: settings.bootTimeoutMs },
  };
}

/** Answers when the machine has to end: fixed by the first try. */
async function ensureGroup(
  account: Account,
  group: string,
  { launchId, image, timeLimitMs }: LaunchInput,
): Promise<string> {
  const { resources } = account;
  const there = await lookedAgain(account, () =>
    callOrAbsent(`read resource group ${group}`, () => resources.resourceGroups.get(group)),
  );
  if (there?.properties?.provisioningState === 'Deleting') {
    throw new Failure('illegal_state', `azure: launch ${launchId} was ended: launch again under a new id`);
  }
  const known = there?.tags?.[tag.deadline];
  if (known !== undefined) return known;
  const deadline = new Date(Date.now() + timeLimitMs).toISOString();
  await call(`make resource group ${group}`, () =>
    resources.resourceGroups.createOrUpdate(group, {
      location: image.target.region,
      tags: { [tag.launchId]: launchId, [tag.deadline]: deadline },
    }),
  );
  return deadline;
}

async function readMachine({ compute }: Account, group: string): Promise<VirtualMachine | undefined> {
  return callOrAbsent(`read the machine of ${group}`, () => compute.virtualMachines.get(group, machineName));
}

/** Sent and not waited for: `status` sees it come up, or why it does not. */
async function create(
  account: Account,
  group: string,
  body: VirtualMachine,
  { signal }: CallContext,
): Promise<VirtualMachine> {
  const { compute, pollEveryMs } = account;
  const what = `make the machine of ${group}`;
  try {
    await callFresh(
      what,
      () => {
        const options = { updateIntervalInMs: pollEveryMs };
        return compute.virtualMachines.createOrUpdate(group, machineName, body, options).submitted();
      },
      signal,
    );
  } catch (error) {
    // A second machine of the same name differs in its key, which Azure refuses to change: then another try was quicker.
    const there =
      isFailure(error) && error.code === 'illegal_state' ? await readMachine(account, group) : undefined;
    if (there === undefined) throw error;
    return there;
  }
  return callFresh(what, () => compute.virtualMachines.get(group, machineName), signal);
}

interface Around {
  readonly tags: Record<string, string>;
  /** Resource id. */
  readonly networkInterface: string;
}

interface Launched {
  readonly definition: GalleryImage;
  readonly image: VersionId;
}

function bodyOf(
  { definition, image: id }: Launched,
  { image }: LaunchInput,
  settings: LaunchSettings,
  { tags, networkInterface }: Around,
): VirtualMachine {
  const { purchasePlan, osState, osType } = definition;
  return {
    location: image.target.region,
    tags: { ...tags, [tag.image]: image.imageId.slice(-256) },
    // A marketplace image is launched under the terms of its plan, also what was made from it.
    ...(purchasePlan === undefined
      ? {}
      : {
          plan: {
            ...(purchasePlan.name === undefined ? {} : { name: purchasePlan.name }),
            ...(purchasePlan.publisher === undefined ? {} : { publisher: purchasePlan.publisher }),
            ...(purchasePlan.product === undefined ? {} : { product: purchasePlan.product }),
          },
        }),
    hardwareProfile: { vmSize: settings.vmSize },
    storageProfile: {
      imageReference: { id: versionPath(id) },
      osDisk: { createOption: 'FromImage', deleteOption: 'Delete' },
    },
    networkProfile: { networkInterfaces: [{ id: networkInterface, primary: true, deleteOption: 'Delete' }] },
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
    ...securityOf(definition, settings, image.imageId),
    // A specialized image brings its own users.
    ...(osState === 'Specialized' ? {} : { osProfile: osProfile(settings, osType === 'Windows') }),
  };
}

/** A definition that asks for a security type takes no machine of another: https://learn.microsoft.com/azure/virtual-machines/trusted-launch */
function securityOf(
  { features = [] }: GalleryImage,
  settings: LaunchSettings,
  imageId: string,
): Pick<VirtualMachine, 'securityProfile'> {
  const asked = features.find(({ name }) => name === 'SecurityType')?.value;
  if (asked === 'ConfidentialVM') {
    throw new Failure(
      'unsupported',
      `azure: image ${imageId} is for confidential machines only, which are not launched from here: give its definition the SecurityType ConfidentialVmSupported or TrustedLaunch, or take the test out of its line`,
    );
  }
  if (asked === 'TrustedLaunch' && settings.securityType === 'Standard') {
    throw new Failure(
      'invalid_input',
      `azure: image ${imageId} asks for TrustedLaunch: take launch.securityType "Standard" out of its line`,
    );
  }
  const securityType = asked === 'TrustedLaunch' ? asked : settings.securityType;
  if (securityType === undefined) return {};
  return securityType === 'Standard'
    ? { securityProfile: { securityType } }
    : {
        securityProfile: { securityType, uefiSettings: { secureBootEnabled: true, vTpmEnabled: true } },
      };
}

/** Nobody keeps the key or the password: commands come through the agent. */
function osProfile(
  { adminUsername }: LaunchSettings,
  isWindows: boolean,
): NonNullable<VirtualMachine['osProfile']> {
  const computerName = 'bakehouse';
  if (isWindows)
    return { computerName, adminUsername, adminPassword: `Aa1-${randomBytes(24).toString('base64url')}` };
  const { public: keyData } = makeSshKeyPair();
  const path = `/home/${adminUsername}/.ssh/authorized_keys`;
  return {
    computerName,
    adminUsername,
    linuxConfiguration: { disablePasswordAuthentication: true, ssh: { publicKeys: [{ path, keyData }] } },
  };
}
