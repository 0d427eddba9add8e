/** A bake host's process that begins an attempt, watches it and waits to be killed. */
import { createPackerRunner } from '../../../src/packer/runner.ts';
import { snapshot } from './attempts.ts';

const { attemptsDir, packer, input } = JSON.parse(process.argv[2] ?? '');
const runner = createPackerRunner({
  attemptsDir,
  packers: [{ path: packer }],
  git: 'git',
  environment: process.env,
});
const attempt = { ...input, template: await snapshot(input.template) };
await runner.begin(attempt);
await runner.watch(attempt.mark.attemptId, { signal: new AbortController().signal });
