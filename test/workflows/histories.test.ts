/** Every recorded run must be replayed by today's code: a change that breaks one breaks the runs that are under way at an upgrade. */
import { readdirSync, readFileSync } from 'node:fs';

import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, expect, inject, test } from 'vitest';

const folder = new URL('../histories/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

beforeAll(() => {
  const filter = makeTelemetryFilterString({ core: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
});

function* histories() {
  for (const name of names) {
    const json: unknown = JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
    yield { workflowId: name, history: historyFromJSON(json) };
  }
}

test('all recorded histories replay', async () => {
  const failed: string[] = [];
  let replayed = 0;
  const workflowBundle = { codePath: inject('workflowBundle') };
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories())) {
    replayed++;
    if (error !== undefined) failed.push(`${workflowId}: ${error.message}`);
  }
  expect(failed).toEqual([]);
  expect(replayed).toBe(names.length);
});

test.each([
  'release',
  'bake',
  'testLaunch',
  'promote',
  'scheduleRevocation',
  'cascade',
  'rollBackChannels',
  'retire',
  'expireBuilds',
  'deliverWebhook',
  'checkRun',
])('a good run of %s is among them', (type) => {
  expect(names).toContain(`${type}.completed.json`);
});

test('a history that today’s code would not make is found out', async () => {
  const text = readFileSync(new URL('bake.completed.json', folder), 'utf8');
  const changed: unknown = JSON.parse(text.replaceAll('"openVersion"', '"openAnotherVersion"'));
  const one = [{ workflowId: 'changed', history: historyFromJSON(changed) }];
  const errors: (Error | undefined)[] = [];
  const workflowBundle = { codePath: inject('workflowBundle') };
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, one)) errors.push(error);
  expect(errors[0]?.name).toBe('DeterminismViolationError');
});
