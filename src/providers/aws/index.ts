/**
 * The `aws` provider: images are AMIs of the accounts that are configured, machines are EC2 instances, channels are parameters of the
 * Systems Manager parameter store.
 */
import { targetKey } from '../../domain/target.ts';
import type { ImageProvider } from '../provider.ts';
import { bootStatus, consoleOf } from './boot-status.ts';
import { openCloud } from './cloud.ts';
import { collect, findFinished } from './collect.ts';
import { copy } from './copy.ts';
import { doctor } from './doctor.ts';
import { deprecate, inspect, setLaunchable } from './images.ts';
import { launch } from './launch.ts';
import { leftovers } from './leftovers.ts';
import type { AwsOptions } from './options.ts';
import { pointers } from './pointers.ts';
import { prepareBake } from './prepare-bake.ts';
import { remove } from './remove.ts';
import { runCommand } from './run-command.ts';
import { launchFacts, parseLaunchSettings, parsePlaceSettings } from './settings.ts';
import { sharing } from './sharing.ts';
import { sweep } from './sweep.ts';
import { terminate } from './terminate.ts';
import { uses } from './uses.ts';

export type { AwsOptions } from './options.ts';

export function createAwsProvider(options: AwsOptions): ImageProvider {
  const cloud = openCloud(options);
  const places = options.accounts.flatMap(({ id, regions, callsPerSecond }) =>
    regions.map((region) => ({
      target: { provider: 'aws', account: id, region },
      ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
    })),
  );
  return {
    code: 'aws',
    places: [...new Map(places.map((place) => [targetKey(place.target), place])).values()],
    capabilities: {
      disable: 'blocks',
      deprecate: true,
      share: true,
      pointers: true,
      distribute: true,
      tagShares: true,
      readDisk: false,
      hostBound: false,
    },
    builders: ['amazon-ebs', 'amazon-ebssurrogate', 'amazon-chroot', 'amazon-instance'],
    images: {
      collect: (input, context) => collect(cloud, input, context),
      findFinished: ({ bakeId }, targets) => findFinished(cloud, bakeId, targets),
      inspect: (image) => inspect(cloud, image),
      setLaunchable: (image, launchable) => setLaunchable(cloud, image, launchable),
      remove: (image) => remove(cloud, image),
      uses: (image, recordedShares) => uses(cloud, image, recordedShares),
    },
    machines: {
      // A boot takes minutes, and every look is a call or two.
      bootPace: { firstMs: 2 * cloud.pace.shortPollMs, mostMs: 3 * cloud.pace.pollMs },
      launch: (input, context) => launch(cloud, input, context),
      status: (machine) => bootStatus(cloud, machine),
      run: (machine, command, timeoutMs, context, runId) =>
        runCommand(cloud, machine, command, timeoutMs, context, runId),
      console: (machine) => consoleOf(cloud.at(machine.target), machine.machineId),
      terminate: (launchId, target) => terminate(cloud, launchId, target),
    },
    cleanup: {
      leftovers: (mark, targets) => leftovers(cloud, mark, targets),
      sweep: (leftover) => sweep(cloud, leftover),
    },
    pointers: pointers(cloud),
    sharing: sharing(cloud),
    distribution: { copy: (input, context) => copy(cloud, input, context) },
    deprecate: (image, at) => deprecate(cloud, image, at),
    prepareBake: (bake) => prepareBake(cloud, bake),
    checkSettings: (settings) => launchFacts(parseLaunchSettings(settings)),
    checkPlaceSettings: (settings) => void parsePlaceSettings(settings),
    doctor: () => doctor(cloud),
  };
}
