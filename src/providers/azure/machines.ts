/** Test machines: each in a resource group of its own, which is all that has to go in the end. */
import { Failure } from '../../domain/failure.ts';
import type { Target } from '../../domain/target.ts';
import type { BootPace, Machine, Machines } from '../provider.ts';
import { bootStatus } from './boot-status.ts';
import type { Account, Accounts } from './clients.ts';
import { readConsole } from './console.ts';
import { callOrAbsent } from './errors.ts';
import { launch } from './launch.ts';
import { finish, lookedAgain, until } from './lro.ts';
import { launchGroup } from './names.ts';
import { runInGuest } from './run-in-guest.ts';

/** A machine takes minutes to go; what is left then is gone on with by the retry. */
const endMs = 9 * 60_000;

export function machines(accounts: Accounts, bootPace: BootPace): Machines {
  const find = ({ target, launchId }: Machine) => ({
    account: accounts.of(target),
    group: launchGroup(launchId),
  });
  return {
    bootPace,
    launch: (input, context) => launch(accounts, input, context),
    status(machine) {
      const { account, group } = find(machine);
      return bootStatus(account, group, machine);
    },
    run(machine, command, timeoutMs, context) {
      const { account, group } = find(machine);
      return runInGuest({ account, group, machine }, command, timeoutMs, context);
    },
    console(machine) {
      const { account, group } = find(machine);
      return readConsole(account, group);
    },
    async terminate(launchId: string, target: Target) {
      await deleteGroup(accounts.of(target), launchGroup(launchId));
    },
  };
}

/** A group that is being deleted already is waited for. */
export async function deleteGroup(account: Account, group: string): Promise<void> {
  const { resources, pollEveryMs } = account;
  const what = `delete resource group ${group}`;
  // Azure may forget for a moment what it has: a machine that is left would cost for ever.
  const look = () =>
    lookedAgain(account, () => callOrAbsent(what, () => resources.resourceGroups.get(group)));
  const there = await look();
  if (there === undefined) return;
  if (there.properties?.provisioningState !== 'Deleting') {
    await callOrAbsent(what, async () => {
      const poller = await resources.resourceGroups.beginDelete(group, { updateIntervalInMs: pollEveryMs });
      await finish(what, {
        submitted: async () => undefined,
        serialize: async () => '',
        pollUntilDone: (options) => poller.pollUntilDone(options),
      });
    });
  }
  await until(what, { everyMs: pollEveryMs, atMostMs: endMs }, async () => {
    const left = await look();
    if (left === undefined) return true;
    if (left.properties?.provisioningState === 'Deleting') return undefined;
    throw new Failure(
      'provider_unavailable',
      `azure: cannot ${what}: Azure has not begun with it; it is asked again`,
    );
  });
}
