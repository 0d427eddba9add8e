/** One machine of a test launch, from its start to its last check. It is ended by the caller, whatever happens here. */
import { CancellationScope, type proxyActivities } from '@temporalio/workflow';

import type { createMachineActivities } from '../activities/machines.ts';
import type { TestPlan } from '../activities/tests.ts';
import type { CheckResult } from '../domain/version.ts';
import { reportOf, timeoutOf } from './failing.ts';
import type { Showing } from './showing.ts';

export type MachineActivities = ReturnType<typeof createMachineActivities>;

interface Launched {
  readonly passed: boolean;
  readonly bootMs: number | null;
  readonly checks: readonly CheckResult[];
}

export const isHostLost = ({ hostBound }: TestPlan, error: unknown): boolean =>
  hostBound && timeoutOf(error) === 'SCHEDULE_TO_START';

export async function launchAndCheck(
  plan: TestPlan,
  launchId: string,
  machines: ReturnType<typeof proxyActivities<MachineActivities>>,
  shown: Showing,
): Promise<Launched> {
  const { image, settings, machineLimitMs, checks, mustBeGone, secretScan, bootLimitMs } = plan;
  shown.phase('launching', `launching ${image.imageId}`);
  let hostIsThere = true;
  const machine = await machines.launchMachine({ launchId, image, settings, timeLimitMs: machineLimitMs });
  try {
    shown.phase('booting', `waiting up to ${String(bootLimitMs / 1000)} s for ${machine.machineId} to boot`);
    const boot = await machines.awaitBoot(machine, new Date(Date.now() + bootLimitMs).toISOString());
    const boots: CheckResult = { name: 'boots', passed: boot.booted, detail: boot.detail };
    if (!boot.booted) return { passed: false, bootMs: null, checks: [boots] };
    shown.phase('checking', `booted in ${String(boot.bootMs)} ms; checking`);
    const results = [
      boots,
      ...(await machines.checkMachine({ machine, image, checks, mustBeGone, secretScan })),
    ];
    return { passed: results.every((check) => check.passed), bootMs: boot.bootMs, checks: results };
  } catch (error) {
    hostIsThere = !isHostLost(plan, error);
    throw error;
  } finally {
    const keepConsole = () => CancellationScope.nonCancellable(() => machines.storeConsole(machine));
    if (hostIsThere)
      await keepConsole().catch((error: unknown) =>
        shown.note(`console not kept: ${reportOf(error).message}`),
      );
  }
}
