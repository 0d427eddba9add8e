import { ContinueAsNew, continueAsNew, proxyActivities, sleep } from '@temporalio/workflow';

import type { createTestActivities, TestPlan, TestSubject } from '../activities/tests.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { claimed } from './claimed.ts';
import { ending, failing } from './failing.ts';
import { needsFreshRun } from './fresh-run.ts';
import { ulid } from './ids.ts';
import { defaultProject, formOf } from './input.ts';
import { isHostLost, launchAndCheck, type MachineActivities } from './machine-launch.ts';
import { longWork, quick, undoing } from './options.ts';
import { Showing } from './showing.ts';
import { Undo } from './undo.ts';

/** `artifact` (an image id) only where the version has several. */
export interface TestLaunchForm {
  readonly bucket: string;
  readonly version: string;
  readonly artifact?: string;
  readonly project?: string;
}

export interface TestLaunchResult {
  readonly artifactId: string;
  /** Also the name of the console's log. */
  readonly launchId: string;
  readonly passed: boolean;
  readonly bootMs: number | null;
  readonly failed: readonly { readonly name: string; readonly detail: string }[];
}

type TestActivities = ReturnType<typeof createTestActivities>;
/** An image whose test takes its hosts down must not go through all of them. */
const mostLostHosts = 5;

const { planTest, pickMachineQueue, openLaunch, recordTest } = proxyActivities<TestActivities>(quick);
const { closeLaunch } = proxyActivities<TestActivities>(undoing);

/** Launches an image, proves that it boots and passes its checks, and always ends the machine. A failed check is a result, not a failure. */
export async function testLaunch(
  input: WorkflowInputs['testLaunch'] | TestLaunchForm,
): Promise<TestLaunchResult> {
  const subject = readInput(input);
  const shown = new Showing('Test launch');
  try {
    const plan = await planTest(subject);
    shown.names({ bucket: plan.bucket, version: plan.versionName });
    return await claimed(claimSubjects.testLaunch(plan.artifactId), () => test(plan, shown));
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    shown.phase('ended', ending(error).message);
    throw ending(error);
  }
}

/** A machine that its host has, or had, and that could not be ended because the host went away. Its ledger entry is open. */
interface LostLaunch {
  readonly launchId: string;
  readonly taskQueue: string;
}

/**
 * A machine shares nothing with another launch of its image, so a lost host is not waited for: the test begins again elsewhere, under a
 * new launch id. The lost machine counts for nothing; its time limit or its host's reaper ends it.
 */
async function test(plan: TestPlan, shown: Showing): Promise<TestLaunchResult> {
  const lost: LostLaunch[] = [];
  for (;;) {
    const launchId = ulid();
    const taskQueue = await machineQueue(plan, lost, shown);
    try {
      const here = lost.filter((one) => one.taskQueue === taskQueue);
      return await testOn(taskQueue, plan, launchId, here, shown);
    } catch (error) {
      if (!isHostLost(plan, error)) throw error;
      lost.push({ launchId, taskQueue });
      if (lost.length >= mostLostHosts) throw failing('host_lost', severalLost(plan));
      shown.note(`${taskQueue} went away; the test begins again, also elsewhere`);
    }
  }
}

async function testOn(
  taskQueue: string,
  plan: TestPlan,
  launchId: string,
  lostHere: readonly LostLaunch[],
  shown: Showing,
): Promise<TestLaunchResult> {
  const { artifactId, image, heartbeatMs } = plan;
  const own = plan.hostBound
    ? { taskQueue, heartbeatTimeout: heartbeatMs, scheduleToStartTimeout: plan.hostAwayMs }
    : { taskQueue };
  const machines = proxyActivities<MachineActivities>({ ...longWork, ...own });
  const { terminateMachine } = proxyActivities<MachineActivities>({ ...undoing, ...own });
  const end = async (id: string) => {
    await terminateMachine(id, image.target);
    // Only now: an open entry tells the reaper that something may be left.
    await closeLaunch(id);
  };
  const undo = new Undo();
  try {
    for (const old of lostHere) await end(old.launchId);
    undo.add(`machine ${launchId}`, () => end(launchId));
    await openLaunch(launchId, plan);
    const { passed, bootMs, checks } = await launchAndCheck(plan, launchId, machines, shown);
    shown.phase('recording', passed ? 'passed' : 'failed a check');
    await recordTest({ id: launchId, artifactId, passed, bootMs, checks });
    const failed = checks.filter((check) => !check.passed).map(({ name, detail }) => ({ name, detail }));
    return { artifactId, launchId, passed, bootMs, failed };
  } catch (error) {
    // Nobody is there to end it now.
    if (isHostLost(plan, error)) undo.keep();
    throw error;
  } finally {
    for (const left of await undo.unwind()) shown.note(`cleanup_incomplete: ${left}`);
  }
}

const severalLost = ({ image }: TestPlan): string =>
  `the test of ${image.imageId} lost its bake host ${String(mostLostHosts)} times; look at the hosts' memory and logs, and ask again`;

async function machineQueue(plan: TestPlan, lost: readonly LostLaunch[], shown: Showing): Promise<string> {
  const lostQueues = lost.map(({ taskQueue }) => taskQueue);
  for (let waitS = 5; ; waitS = Math.min(waitS * 2, 30)) {
    const queue = await pickMachineQueue(plan, lostQueues);
    if (queue !== null) return queue;
    const { provider } = plan.image.target;
    shown.phase(
      'waiting',
      `waiting for a bake host with ${provider}; start one with \`bakehouse bake-host\``,
    );
    await sleep(waitS * 1000);
    // Nothing is under way, and a lost machine's ledger entry is open.
    if (needsFreshRun()) await continueAsNew<typeof testLaunch>({ artifactId: plan.artifactId });
  }
}

function readInput(input: WorkflowInputs['testLaunch'] | TestLaunchForm): TestSubject {
  const form = formOf('testLaunch', input, '{"bucket":"base","version":"v1"}');
  form.only('artifactId', 'bucket', 'version', 'artifact', 'project');
  if (form.has('artifactId')) return { artifactId: form.text('artifactId') };
  const artifact = form.optionalText('artifact');
  return {
    project: form.optionalText('project') ?? defaultProject,
    bucket: form.text('bucket'),
    version: form.text('version'),
    ...(artifact === undefined ? {} : { artifact }),
  };
}
