/** What a person may type wrong into Temporal's start form, which sends one JSON value to one of the workflows. */
import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queues } from '../../src/domain/queues.ts';
import { openTemporal, type TemporalConnection } from '../../src/temporal/connection.ts';
import { expectNothingLeft } from '../kill/clean-slate.ts';
import { type Desk, openDesk, registryState } from './support.ts';

let desk: Desk;
let temporal: TemporalConnection;
let before: Readonly<Record<string, number>>;

beforeAll(async () => {
  desk = await openDesk();
  temporal = openTemporal({
    address: desk.installation.temporal.address,
    namespace: 'default',
    deadlineMs: 5_000,
  });
  before = await registryState(desk.installation.database);
}, 120_000);
afterAll(async () => {
  await expectNothingLeft(desk.installation);
  await temporal.close();
  await desk.stop();
}, 60_000);

/** By workflow: what is shown in every refusal, and a field misspelt in an otherwise right input. */
const workflows = {
  release: ['{"bucket":"base"}', { bucket: 'base', variabels: {} }],
  bake: ['{"bucket":"base"}', { bukcet: 'base' }],
  testLaunch: ['{"bucket":"base","version":"v1"}', { bucket: 'base', verison: 'v1' }],
  promote: [
    '{"bucket":"base","version":"v3","channel":"prod"}',
    { bucket: 'base', version: 'v3', chanel: 'prod' },
  ],
  scheduleRevocation: [
    '{"bucket":"base","version":"v3","in":"30d","reason":"replaced by v4"}',
    { bucket: 'base', version: 'v3', inn: '30d', reason: 'x' },
  ],
  cascade: ['{"recordId":"01J…"}', { record: '01J' }],
  rollBackChannels: [
    '{"bucket":"base","channel":"prod"} or {"bucket":"base","version":"v3"}',
    { bucket: 'base', chanel: 'prod' },
  ],
  retire: ['{"bucket":"base","version":"v3"}', { bucket: 'base', vesion: 'v3' }],
  expireBuilds: ['{"bucket":"base","version":"01J…"}', { bucket: 'base', vesion: '01J' }],
} as const satisfies Record<string, readonly [string, object]>;

const encode = (text: string) => new TextEncoder().encode(text);

async function refusal(client: Client, workflow: string, input: unknown): Promise<ApplicationFailure> {
  const handle = await client.workflow.start(workflow, {
    workflowId: `typed/${randomUUID()}`,
    taskQueue: queues.main,
    args: input === undefined ? [] : [input],
  });
  const error: unknown = await handle.result().then(
    () => new Error(`${workflow} took it`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
  return error.cause;
}

describe.each(Object.entries(workflows))('%s', (workflow, [example, misspelt]) => {
  it.each([
    ['nothing', undefined, 'the input must be one JSON object'],
    ['a text', 'base', 'the input must be one JSON object'],
    ['a list', ['base'], 'the input must be one JSON object'],
    ['a field of the wrong kind', workflow === 'cascade' ? { recordId: 7 } : { bucket: 7 }, 'must be a text'],
    ['a misspelt field', misspelt, 'is not a field (there are'],
  ])('refuses %s and shows what to write', async (_, input, words) => {
    const { type, message, nonRetryable } = await refusal(temporal.client, workflow, input);
    expect({ type, nonRetryable }).toEqual({ type: 'invalid_input', nonRetryable: true });
    expect(message).toMatch(new RegExp(`^${workflow}: `));
    expect(message).toContain(words);
    expect(message).toContain(`; write ${example}`);
    expect(await registryState(desk.installation.database)).toEqual(before);
  });

  it('refuses what is no JSON at all', async () => {
    const workflowId = `typed/${randomUUID()}`;
    await temporal.connection.workflowService.startWorkflowExecution({
      namespace: 'default',
      workflowId,
      requestId: randomUUID(),
      workflowType: { name: workflow },
      taskQueue: { name: queues.main },
      input: {
        payloads: [{ metadata: { encoding: encode('json/plain') }, data: encode('{bucket: base') }],
      },
    });
    const error: unknown = await temporal.client.workflow
      .getHandle(workflowId)
      .result()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error).toMatchObject({
      cause: {
        type: 'invalid_input',
        message: `${workflow}: the input must be one JSON object; write ${example}`,
      },
    });
  }, 20_000);
});
