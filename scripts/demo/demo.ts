import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { installationRoot } from '../../src/config/tools.ts';
import { exitCodeOf, Interrupted, untilInterrupted, watchSignals } from './interruption.ts';
import { DemoRun } from './run.ts';
import { story } from './story.ts';
import { printSummary } from './summary.ts';
import { Installation } from './system.ts';

export interface DemoOptions {
  /** Emptied first. */
  readonly dataDir: string;
  readonly keep: boolean;
}

/** Answers the exit code. Whatever ends it, what it started is stopped, except when all went well and is to be kept. */
export async function demo({ dataDir, keep }: DemoOptions): Promise<number> {
  const interruption = watchSignals();
  const setup = await setUp(interruption);
  if (setup !== 0) return setup;

  const run = new DemoRun(interruption);
  const installation = new Installation(run, dataDir);
  try {
    await Promise.race([untilInterrupted(interruption), tell(run, installation, keep)]);
  } catch (error) {
    // What fails while everything is being ended fails because of that.
    const why: unknown = interruption.aborted ? interruption.reason : error;
    run.fail(why);
    await installation.stop();
    if (why instanceof Interrupted) return why.exitCode;
    run.close(`The logs are in ${dataDir}/logs.`);
    return 1;
  }
  if (!keep) return (await installation.stop()) ? 0 : 1;
  installation.leave();
  return 0;
}

async function tell(run: DemoRun, installation: Installation, keep: boolean): Promise<void> {
  const system = await installation.start();
  const proof = await story(run, system);
  printSummary(run, system, proof, keep);
}

/** Its exit code. A signal is handed on: nothing goes on fetching behind our back. */
async function setUp(interruption: AbortSignal): Promise<number> {
  const script = path.join(installationRoot, 'scripts/setup.ts');
  const child = spawn(process.execPath, [script], { cwd: installationRoot, stdio: 'inherit' });
  interruption.addEventListener('abort', () => child.kill('SIGTERM'));
  await once(child, 'exit');
  const signal = child.signalCode;
  if (signal === null && !interruption.aborted) return child.exitCode ?? 1;
  console.error('the set-up was stopped; nothing was started');
  const why: unknown = interruption.reason;
  return why instanceof Interrupted ? why.exitCode : exitCodeOf(signal ?? 'SIGTERM');
}
