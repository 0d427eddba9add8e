/** Machines that have no POSIX shell, or take no commands: what a test launch does with them. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMachineActivities } from '../../src/activities/machines.ts';
import type { CheckSpec } from '../../src/domain/image-line.ts';
import type { Machine } from '../../src/providers/provider.ts';
import { home, openAws, place, type AwsFixture } from './aws-fixture.ts';

const run = <T>(act: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(act);
const command: CheckSpec = { name: 'own', kind: 'command', command: 'echo hello', timeoutMs: 20_000 };
const greets: CheckSpec = { name: 'greets', kind: 'console', pattern: 'login: ' };

describe('a test launch in aws', { timeout: 60_000 }, () => {
  let fixture: AwsFixture;
  let activities: ReturnType<typeof createMachineActivities>;
  beforeAll(async () => {
    fixture = await openAws();
    const { provider } = fixture;
    activities = createMachineActivities({
      providers: { get: () => provider, all: () => [provider] },
      registry: { logs: { append: () => Promise.resolve() } },
    });
  });
  afterAll(() => fixture.dispose());
  beforeEach(() => fixture.cloud.clearCalls());

  let number = 0;
  /** Checks a machine with these launch settings. `recorded`: as a history hands it on. */
  async function tested(
    settings: object,
    checks: readonly CheckSpec[],
    recorded = (machine: Machine): Machine => machine,
  ) {
    const image = { target: place(), imageId: await fixture.cloud.baseImage(home) };
    number += 1;
    const launchId = `shell-${number}`;
    const input = { launchId, image, settings: { ...settings }, timeLimitMs: 600_000 };
    const machine = recorded(await run(() => activities.launchMachine(input)));
    const until = new Date(Date.now() + 30_000).toISOString();
    const boot = await run(() => activities.awaitBoot(machine, until));
    const given = { machine, image, checks, mustBeGone: ['a key'], secretScan: null };
    const results = await run(() => activities.checkMachine(given));
    await run(() => activities.terminateMachine(launchId, place()));
    const sent = (await fixture.cloud.calls()).filter(({ action }) => action === 'SendCommand').length;
    return { machine, boot, results, sent };
  }

  it('of Windows makes the checks that need no POSIX shell, and says which it left out', async () => {
    const { machine, boot, results, sent } = await tested({ platform: 'windows' }, [command, greets]);

    expect(machine.shell).toBe('powershell');
    expect(boot).toMatchObject({ booted: true, detail: 'commands are accepted' });
    expect(results).toEqual([
      { name: 'boot ended well', passed: true, detail: expect.any(String) },
      {
        name: 'built-in checks left out',
        passed: true,
        detail:
          'not looked at, because commands there are run by PowerShell, and these are written for a POSIX shell: machine id is fresh, host keys are fresh, no key of the bake is authorized',
      },
      { name: 'own', passed: true, detail: 'exit 0\nhello\n' },
      { name: 'greets', passed: true, detail: expect.any(String) },
    ]);
    expect(sent).toBe(1);
  });

  it('with launch.ssm: false sends no command, and passes by its console', async () => {
    const { machine, boot, results, sent } = await tested({ ssm: false }, [greets]);

    expect(machine.shell).toBe('none');
    expect(boot).toMatchObject({ booted: true, detail: 'it is up, and takes no commands' });
    expect(results.map(({ name, passed }) => [name, passed])).toEqual([
      ['boot ended well', true],
      ['built-in checks left out', true],
      ['greets', true],
    ]);
    expect(results[1]?.detail).toContain('no command can be run there: machine id is fresh');
    expect(sent).toBe(0);
  });

  it.each([
    ['of Linux', (machine: Machine) => machine],
    [
      'that was recorded before machines told their shell',
      ({ launchId, target, machineId, handle }: Machine) => ({ launchId, target, machineId, handle }),
    ],
  ])('%s makes them all', async (_what, recorded) => {
    const { results } = await tested({}, [command], recorded);

    expect(results.map(({ name }) => name)).toEqual([
      'boot ended well',
      'machine id is fresh',
      'host keys are fresh',
      'no key of the bake is authorized',
      'own',
    ]);
  });
});
