/** HashiCorp's HCL parser in a thread of its own: what is nested deeply ends the parser for good, and with it its thread only. */
import { parentPort, workerData } from 'node:worker_threads';
import { parse } from '@cdktn/hcl2json';

const texts: unknown = workerData;
if (Array.isArray(texts)) {
  const answers = [];
  for (const text of texts) {
    try {
      answers.push({ parsed: await parse('provisioner.pkr.hcl', String(text)) });
    } catch (error) {
      answers.push({ refused: error instanceof Error ? error.message : String(error) });
    }
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
  parentPort?.postMessage(answers);
}
