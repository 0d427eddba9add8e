import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Background } from '../../scripts/demo/background.ts';

describe('what the demo waits for', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-background-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const inFolder = (name: string): string => path.join(folder, name);
  const shell = (script: string): Background =>
    new Background('/bin/sh', ['-c', script], { env: { HOME: folder }, logFile: inFolder('log') });
  const wait = async (one: Background, patienceMs = 20_000): Promise<readonly string[]> => {
    const told: string[] = [];
    await one.untilThere(inFolder('ready'), (line) => told.push(line), patienceMs);
    return told;
  };

  it('is there, and what it said meanwhile was told once', async () => {
    const one = shell(
      'echo first; sleep 0.5; echo second >&2; sleep 0.5; touch "$HOME/ready"; exec sleep 60',
    );

    expect(await wait(one)).toEqual(['first', 'second']);
    await one.stop();
    await expect(wait(one)).resolves.toEqual([]);
  });

  it('ends with a code or by a signal: the waiting ends with its last words', async () => {
    await expect(wait(shell('echo no room; exit 3'))).rejects.toThrow(/ended with 3: no room$/);
    await expect(wait(shell('kill -KILL $$'))).rejects.toThrow(/was ended by SIGKILL/);
  });

  it('cannot be started: the waiting ends, and there is nothing to stop', async () => {
    const absent = new Background(inFolder('absent'), [], { env: {}, logFile: inFolder('log') });

    await absent.stop();
    await expect(wait(absent)).rejects.toThrow(/`absent` could not be started \(.*ENOENT/);
  });

  it('takes too long: the waiting ends, and it can still be stopped', async () => {
    const slow = shell('echo starting; exec sleep 60');

    await expect(wait(slow, 500)).rejects.toThrow(/is not ready after \d+ s: starting$/);
    await slow.stop();
    await expect(wait(slow)).rejects.toThrow(/was ended by SIGINT/);
  });
});
