import { Worker } from 'node:worker_threads';

/** A text as its parser's JSON, or what the parser said against it. */
export type ParsedText = { readonly parsed: unknown } | { readonly refused: string };

const patienceMs = 20_000;
const gaveUp = 'the parser gave it up';

/** In order. Those that the parser does not survive are refused, each with the others. */
export async function parseTexts(texts: readonly string[]): Promise<readonly ParsedText[]> {
  const thread = new Worker(new URL('parse-thread.ts', import.meta.url), {
    workerData: texts,
    // A parser that breaks writes its stack there.
    stdout: true,
    stderr: true,
  });
  const timer = setTimeout(() => void thread.terminate(), patienceMs);
  try {
    return await new Promise((resolve) => {
      thread.once('message', (answers: readonly ParsedText[]) => resolve(answers));
      thread.once('error', () => resolve(texts.map(() => ({ refused: gaveUp }))));
      thread.once('exit', () => resolve(texts.map(() => ({ refused: gaveUp }))));
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
