/** Test machines of the azure provider under faults: every call of ours answers what a cloud at times answers, and nothing is left. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CallContext, CollectedImage, LaunchInput, Machine } from '../../src/providers/provider.ts';
import { openAzure, type AzureFixture } from './azure-fixture.ts';
import { faultSuite, leftOut, type Answered, type Step } from './azure-faults.suite.ts';
import { asTemporalDoes, collectInput, freshMark, puts } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';
import { statusAfterBoot } from './provider-machines.suite.ts';

let fixture: AzureFixture;
let image: CollectedImage;
/** Of what is only launched and ended: a guest would cost time. */
let silent: CollectedImage;
/** What commands run on. */
let running: { readonly input: LaunchInput; readonly machine: Machine };
let number = 0;
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

beforeAll(async () => {
  fixture = await openAzure();
  image = await collected(false);
  silent = await collected(true);
  await fixture.cloud.setDelays({
    write: 5,
    vmCreate: 20,
    boot: 20,
    groupDelete: 20,
    delete: 10,
    vmAction: 10,
  });
  running = await booted();
});
afterEach(async () => {
  await fixture.cloud.clearFaults();
});
afterAll(() => fixture.dispose());

async function collected(isSilent: boolean): Promise<CollectedImage> {
  const mark = freshMark('launched');
  const artifact = await (isSilent ? fixture.unbootable(mark) : fixture.artifact(mark));
  const [made] = await fixture.provider.images.collect(collectInput(mark, artifact, fixture.target), context);
  if (made === undefined) throw new Error('nothing was collected');
  return made;
}

function launchInput(of = silent): LaunchInput {
  number += 1;
  return { launchId: `fault-${number}`, image: of, settings: fixture.settings, timeLimitMs: 600_000 };
}

const left = async ({ launchId }: Pick<LaunchInput, 'launchId'>): Promise<readonly string[]> =>
  (await fixture.cloud.everything()).filter((id) =>
    id.toLowerCase().includes(`bakehouse-launch-${launchId}`.toLowerCase()),
  );

const machinesOf = async (input: LaunchInput): Promise<number> =>
  (await left(input)).filter((id) => /\/virtualMachines\/[^/]+$/.test(id)).length;

async function booted(): Promise<{ readonly input: LaunchInput; readonly machine: Machine }> {
  const input = launchInput(image);
  const machine = await fixture.provider.machines.launch(input, context);
  expect(await statusAfterBoot(fixture.provider, machine)).toMatchObject({ state: 'booted' });
  return { input, machine };
}

const finished = async ({ launchId }: Pick<LaunchInput, 'launchId'>): Promise<void> => {
  await fixture.provider.machines.terminate(launchId, fixture.target);
  expect(await left({ launchId })).toEqual([]);
};

const steps: readonly Step[] = [
  {
    name: 'launch',
    prepare() {
      const input = launchInput();
      return Promise.resolve({
        act: (provider, with_) => provider.machines.launch(input, with_),
        tidy: () => finished(input),
        async ends() {
          expect(await machinesOf(input)).toBe(1);
          expect((await left(input)).filter((id) => id.includes('/schedules/'))).toHaveLength(1);
        },
      });
    },
  },
  {
    name: 'run',
    prepare: () =>
      Promise.resolve({
        act: async (provider, with_) => {
          expect(await provider.machines.run(running.machine, 'echo out; exit 3', 20_000, with_)).toEqual({
            exitCode: 3,
            stdout: 'out\n',
            stderr: '',
          });
        },
        ends: () => Promise.resolve(),
      }),
  },
  {
    name: 'status and console',
    prepare: () =>
      Promise.resolve({
        async act(provider) {
          expect(await provider.machines.status(running.machine)).toMatchObject({ state: 'booted' });
          expect(await provider.machines.console(running.machine)).toContain('login:');
        },
        ends: () => Promise.resolve(),
      }),
  },
  {
    name: 'terminate',
    async prepare() {
      const input = launchInput();
      await fixture.provider.machines.launch(input, context);
      return {
        act: (provider) => provider.machines.terminate(input.launchId, fixture.target),
        tidy: () => finished(input),
        async ends() {
          expect(await left(input)).toEqual([]);
        },
      };
    },
  },
];

const answered: Answered = new Map();

faultSuite(steps, () => fixture, answered);

it('leaves out no call that the provider makes for machines, and no answer', () => {
  expect(leftOut(answered, 'machines')).toEqual([]);
});

describe('a command whose answer was lost', () => {
  it('is waited for by the next try, and not run again', async () => {
    const before = (await fixture.cloud.requests()).length;
    await fixture.cloud.fault({ operation: 'GET operations', answer: 'server-error' });
    const ran = await asTemporalDoes((with_) =>
      fixture.open().machines.run(running.machine, 'sleep 0.3; echo once', 20_000, with_),
    );

    expect(ran).toEqual({
      value: { exitCode: 0, stdout: 'once\n', stderr: '' },
      failures: ['provider_unavailable'],
    });
    const requests = (await fixture.cloud.requests()).slice(before);
    expect(puts(requests, 'virtualMachines/runCommands')).toBe(1);
  });

  it('is ended and run again when nothing was reported of it', async () => {
    const before = (await fixture.cloud.requests()).length;
    await fixture.cloud.fault({
      operation: 'PUT virtualMachines/runCommands',
      answer: 'timeout-after-effect',
    });
    const run = () => fixture.open().machines.run(running.machine, 'sleep 0.3; echo twice', 20_000, context);
    await expect(run()).rejects.toEqual(failure('provider_unavailable', 'does not answer'));

    expect(await run()).toMatchObject({ exitCode: 0, stdout: 'twice\n' });
    const requests = (await fixture.cloud.requests()).slice(before);
    expect(
      requests
        .filter(({ operation }) => operation.endsWith(' virtualMachines/runCommands'))
        .map(({ method }) => method)
        .filter((method) => method !== 'GET'),
    ).toEqual(['PUT', 'DELETE', 'PUT', 'DELETE']);
  });
});

describe('a launch that was cut short', { timeout: 60_000 }, () => {
  it.each(['resource group', 'network', 'machine', 'time limit'])(
    'after the %s is gone on with, and leaves one machine and in the end nothing',
    async (after) => {
      const input = launchInput();
      const types = new Map([
        ['resource group', 'resourceGroups'],
        ['network', 'networkInterfaces'],
        ['machine', 'virtualMachines'],
        ['time limit', 'schedules'],
      ]);
      const type = types.get(after) ?? '';
      await fixture.cloud.fault({
        operation: `PUT ${type}`,
        answer: 'timeout-after-effect',
      });
      await fixture.provider.machines.launch(input, context).catch(() => undefined);
      const before = (await fixture.cloud.requests()).length;
      await asTemporalDoes((with_) => fixture.open().machines.launch(input, with_));

      expect(await machinesOf(input)).toBe(1);
      if (after === 'machine') {
        expect(puts((await fixture.cloud.requests()).slice(before), 'virtualMachines')).toBe(0);
      }
      await finished(input);
    },
  );

  it('is ended by its launch id alone, also half made', async () => {
    const input = launchInput();
    await fixture.cloud.fault({ operation: 'PUT networkInterfaces', answer: 'access-denied', times: 100 });
    await expect(fixture.provider.machines.launch(input, context)).rejects.toEqual(
      failure('permission_denied', 'networkInterfaces/write'),
    );
    await fixture.cloud.clearFaults();

    expect(await fixture.provider.cleanup.leftovers(input.launchId, [fixture.target])).toMatchObject([
      { kind: 'resource group', mark: input.launchId },
    ]);
    await finished(input);
  });
});
