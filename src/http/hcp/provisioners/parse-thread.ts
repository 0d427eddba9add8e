/** HashiCorp's HCL parser in a thread of its own: what is nested deeply ends the parser for good, and with it its thread only. */
import { parentPort } from 'node:worker_threads';
import { parse } from '@cdktn/hcl2json';

async function parsed(text: string): Promise<{ readonly parsed: unknown } | { readonly refused: string }> {
  try {
    return { parsed: await parse('provisioner.pkr.hcl', text) };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (texts: readonly string[]) => {
  void (async () => {
    const answers = [];
    for (const text of texts) answers.push(await parsed(text));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
    parentPort?.postMessage(answers);
  })();
});
