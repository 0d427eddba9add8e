/** One line per step, with its time when it was slow enough to be noticed. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  console.log(`setup: ${title} …`);
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  if (seconds > 1) console.log(`setup: ${title}: ${seconds.toFixed(1)} s`);
  return result;
}

/** What stops the set-up because only a person can do it; shown without a stack. */
export class NeedsAPerson extends Error {}

/** For a file that is started by itself: what only a person can do is said plainly, and the exit code is 1. */
export async function asProgram(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof NeedsAPerson ? error.message : error);
    process.exitCode = 1;
  }
}
