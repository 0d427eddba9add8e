import { CancellationScope } from '@temporalio/workflow';

/** Does all at once. The first that fails cancels the others; its error is thrown when all have ended, so that nothing acts any more. */
export async function allOrNone(acts: readonly (() => Promise<unknown>)[]): Promise<void> {
  const scope = new CancellationScope();
  let first: { readonly error: unknown } | undefined;
  const watched = async (act: () => Promise<unknown>) => {
    try {
      await act();
    } catch (error) {
      first ??= { error };
      scope.cancel();
    }
  };
  await scope.run(() => Promise.all(acts.map(watched)));
  if (first !== undefined) throw first.error;
}
