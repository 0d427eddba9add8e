import { Worker } from 'node:worker_threads';

/** A text as its parser's JSON, or what the parser said against it. */
export type ParsedText = { readonly parsed: unknown } | { readonly refused: string };

const patienceMs = 20_000;
/** A thread that nobody asks is ended: it holds some tens of megabytes. */
const idleMs = 30_000;
const gaveUp = 'the parser gave it up';

let thread: Worker | undefined;
let idle: NodeJS.Timeout | undefined;
let turn: Promise<unknown> = Promise.resolve();

/** In order. Those that the parser does not survive are refused, each with the others. One call after the other. */
export async function parseTexts(texts: readonly string[]): Promise<readonly ParsedText[]> {
  const answer = turn.then(() => ask(texts));
  turn = answer;
  return answer;
}

async function ask(texts: readonly string[]): Promise<readonly ParsedText[]> {
  clearTimeout(idle);
  // A parser that breaks writes its stack there.
  thread ??= new Worker(new URL('parse-thread.ts', import.meta.url), { stdout: true, stderr: true });
  const asked = thread;
  const answers = await answerOf(asked, texts);
  if (answers === undefined || isBroken(answers)) await end(asked);
  // The process does not live on for it.
  else idle = setTimeout(() => void end(asked), idleMs).unref();
  asked.unref();
  return answers ?? texts.map(() => ({ refused: gaveUp }));
}

/** Undefined: it did not survive them. */
async function answerOf(asked: Worker, texts: readonly string[]): Promise<readonly ParsedText[] | undefined> {
  const { promise, resolve } = Promise.withResolvers<readonly ParsedText[] | undefined>();
  const gone = (): void => resolve(undefined);
  const timer = setTimeout(gone, patienceMs);
  asked.ref();
  asked.once('message', resolve).once('error', gone).once('exit', gone);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
  asked.postMessage(texts);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    asked.off('message', resolve).off('error', gone).off('exit', gone);
  }
}

/** The parser's own words are in brackets; after any others nobody knows what state it is in. */
const isBroken = (answers: readonly ParsedText[]): boolean =>
  answers.some((one) => 'refused' in one && !one.refused.startsWith('parse config: ['));

async function end(asked: Worker): Promise<void> {
  if (thread === asked) thread = undefined;
  // One that ends while it is ended says so once more.
  asked.on('error', () => undefined);
  await asked.terminate();
}
