/** Images of the azure provider under faults: every call of ours answers what a cloud at times answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BakeMark, CallContext, CollectedImage, ImageProvider } from '../../src/providers/provider.ts';
import { openAzure, type AzureFixture } from './azure-fixture.ts';
import {
  answeredSince,
  faultSuite,
  leftOut,
  permissionOf,
  saw,
  type Answered,
  type Step,
} from './azure-faults.suite.ts';
import { copyOf, imageIn, moreSteps } from './azure-more-steps.ts';
import { asTemporalDoes, collectInput, freshMark, puts } from './azure-steps.ts';

let fixture: AzureFixture;
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

beforeAll(async () => {
  fixture = await openAzure();
  // Not about time: replication alone is waited for, below, where a copy is cut short.
  await fixture.cloud.setDelays({
    write: 5,
    delete: 5,
    sharing: 5,
    replication: 30,
    vmCreate: 5,
    groupDelete: 5,
  });
});
afterEach(() => fixture.cloud.clearFaults());
afterAll(() => fixture.dispose());

async function image(name: string): Promise<{ readonly mark: BakeMark; readonly image: CollectedImage }> {
  const mark = freshMark(name);
  return { mark, image: await imageIn(fixture, mark) };
}

let lines = 0;
function newLine(name: string): string {
  lines += 1;
  return `${name}${lines}`;
}

const versionsOf = async ({ imageName }: BakeMark): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const id of await fixture.cloud.everything()) {
    if (id.includes('/versions/') && (await fixture.cloud.resource(id))?.tags?.['image_name'] === imageName)
      found.push(id);
  }
  return found;
};

const steps: readonly Step[] = [
  {
    name: 'collect',
    async prepare() {
      // Its definition is made with it.
      const mark = freshMark(newLine('collected'));
      const input = collectInput(mark, await fixture.artifact(mark), fixture.target);
      return {
        act: (provider, with_) => provider.images.collect(input, with_),
        async ends() {
          expect(await versionsOf(mark)).toHaveLength(1);
          expect(await fixture.provider.images.findFinished(mark, [fixture.target])).toHaveLength(1);
          expect(await fixture.provider.cleanup.leftovers(mark.attemptId, [fixture.target])).toEqual([]);
        },
      };
    },
  },
  {
    name: 'copy to a region',
    async prepare() {
      const made = await image('replicated');
      const input = copyOf(made.mark, made.image, { region: 'northeurope' });
      return {
        act: (provider, with_) => provider.distribution!.copy(input, with_),
        async ends() {
          expect(
            await fixture.provider.images.inspect({ ...made.image, target: input.target }),
          ).toMatchObject({
            presence: 'present',
            tags: { bake_id: made.mark.bakeId },
          });
          expect(await versionsOf(made.mark)).toHaveLength(1);
        },
      };
    },
  },
  {
    name: 'copy to a subscription',
    async prepare() {
      const made = await image(newLine('duplicated'));
      const account = fixture.subscriptions[1].id;
      const input = copyOf(made.mark, made.image, { account });
      return {
        act: (provider, with_) => provider.distribution!.copy(input, with_),
        async ends() {
          expect(await fixture.provider.images.findFinished(made.mark, [input.target])).toHaveLength(1);
          expect(await versionsOf(made.mark)).toHaveLength(2);
        },
      };
    },
  },
  {
    name: 'hide',
    async prepare() {
      const made = await image('hidden');
      return {
        act: (provider) => provider.images.setLaunchable(made.image, false),
        async ends() {
          expect(await fixture.provider.images.inspect(made.image)).toMatchObject({ hidden: true });
        },
      };
    },
  },
  {
    name: 'deprecate',
    async prepare() {
      const made = await image('deprecated');
      const at = '2030-01-02T03:04:05.000Z';
      return {
        act: (provider) => provider.deprecate!(made.image, at),
        async ends() {
          expect(await fixture.provider.images.inspect(made.image)).toMatchObject({ deprecatedAt: at });
        },
      };
    },
  },
  {
    name: 'share',
    async prepare() {
      const made = await image('shared');
      const share = fixture.subscriptions[1].id;
      await fixture.provider.sharing!.write(made.image, []);
      return {
        act: (provider) => provider.sharing!.write(made.image, [share]),
        async ends() {
          expect(await fixture.provider.sharing!.read(made.image)).toEqual([share]);
          await fixture.provider.sharing!.write(made.image, []);
        },
        // Denied half-way it stays asked for, and so would the gallery's share.
        tidy: async () => void (await fixture.provider.sharing!.write(made.image, [])),
      };
    },
  },
  ...['prod', 'dev'].map((channel) => ({
    name: `point ${channel}`,
    async prepare() {
      const bucket = `pointed${freshMark(channel).imageName.replace('-', '')}`;
      const one = await image(bucket);
      const two = await image(bucket);
      const pointer = { target: fixture.target, bucket, channel };
      await fixture.provider.pointers!.write(pointer, one.image.imageId);
      return {
        async act(provider: ImageProvider) {
          // As the workflow does: until what is published is what is wanted.
          for (let look = 0; look < 4; look += 1) {
            if ((await provider.pointers!.write(pointer, two.image.imageId)) === two.image.imageId) return;
          }
          throw new Error('the pointer does not hold');
        },
        async ends() {
          expect(await fixture.provider.pointers!.read(pointer)).toBe(two.image.imageId);
        },
      };
    },
  })),
  {
    name: 'remove',
    async prepare() {
      const made = await image('removed');
      return {
        act: (provider) => provider.images.remove(made.image),
        async ends() {
          expect(await versionsOf(made.mark)).toEqual([]);
        },
      };
    },
  },
];

const answered: Answered = new Map();

faultSuite([...steps, ...moreSteps(() => fixture)], () => fixture, answered);

it('a machine that Azure forgets for a moment is a use all the same', { timeout: 60_000 }, async () => {
  const made = await image('forgotten');
  const launchId = made.mark.imageName;
  const launch = { launchId, image: made.image, settings: fixture.settings, timeLimitMs: 600_000 };
  await fixture.provider.machines.launch(launch, context);
  // The list names it; then it is asked for by its name.
  const fault = { operation: 'GET virtualMachines', answer: 'not-found', after: 1 } as const;
  const before = (await fixture.cloud.requests()).length;
  await fixture.cloud.fault(fault);
  const { uses } = await fixture.provider.images.uses(made.image);

  expect(await answeredSince(fixture, before, fault)).toBe(1);
  expect(uses.map(({ kind }) => kind)).toEqual(['machine']);
  await fixture.provider.machines.terminate(launchId, fixture.target);
});

it('doctor: is content without a fault, and names what is missing', { timeout: 60_000 }, async () => {
  const [only] = fixture.subscriptions;
  const look = async () =>
    (await fixture.open({}, [only]).doctor()).filter(({ ok }) => !ok).map(({ detail }) => detail);
  const start = (await fixture.cloud.requests()).length;
  expect(await look()).toEqual([]);
  const log = (await fixture.cloud.requests()).slice(start);

  const asked = log.map((one) => one.operation).filter((one) => one !== 'POST token');
  for (const operation of new Set(asked)) {
    for (const answer of ['throttled', 'server-error', 'timeout-after-effect', 'access-denied'] as const) {
      const before = (await fixture.cloud.requests()).length;
      await fixture.cloud.fault({ operation, answer });
      const said = await look();
      await fixture.cloud.clearFaults();
      const words = answer === 'access-denied' ? permissionOf(operation) : 'azure: cannot ';
      expect({ operation, answer, said }).toEqual({
        operation,
        answer,
        said: [expect.stringContaining(words)],
      });
      expect(await answeredSince(fixture, before, { operation, answer }), `${operation} ${answer}`).toBe(1);
      saw(answered, { operation, answer });
    }
  }
  expect(await look()).toEqual([]);
});

it('leaves out no call that the provider makes for images, and no answer', () => {
  expect(leftOut(answered, 'images')).toEqual([]);
});

describe('a copy that was cut short', { timeout: 60_000 }, () => {
  const child = fileURLToPath(new URL('azure-child.ts', import.meta.url));

  it('is gone on with after kill -9, without a second PUT', async () => {
    const { mark, image: source } = await image('resumed');
    await fixture.cloud.setDelays({ replication: 1_500 });
    const [{ id, locations, resourceGroup, gallery }] = fixture.subscriptions;
    const copy = copyOf(mark, source, { region: 'uksouth' });
    const { endpoint, ca, tenantId, clientId, clientSecret } = fixture.cloud;
    const before = (await fixture.cloud.requests()).length;
    const given = {
      endpoint,
      ca,
      subscription: { id, locations, resourceGroup, gallery },
      login: { tenantId, clientId, clientSecret },
      copy,
    };
    const worker = spawn(process.execPath, [child, JSON.stringify(given)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(worker, 'exit');
    let lastBeat: unknown;
    for await (const line of createInterface({ input: worker.stdout })) {
      lastBeat = JSON.parse(line);
      if (typeof lastBeat === 'object' && lastBeat !== null && 'poller' in lastBeat) worker.kill('SIGKILL');
    }
    await gone;
    const middle = (await fixture.cloud.requests()).length;
    const made = await fixture.provider.distribution!.copy(copy, { ...context, lastBeat });
    await fixture.cloud.setDelays({ replication: 150 });
    const requests = await fixture.cloud.requests();

    expect(worker.signalCode).toBe('SIGKILL');
    expect(puts(requests.slice(before))).toBe(1);
    // The operation itself was asked, before anything else.
    expect(requests.slice(middle).find(({ operation }) => operation !== 'POST token')?.operation).toBe(
      'GET operations',
    );
    expect(made).toEqual({ ...source, target: copy.target });
    expect(await fixture.provider.images.inspect(made)).toMatchObject({ presence: 'present' });
  });

  it('is gone on with also when nothing was reported', async () => {
    const { mark, image: source } = await image('unreported');
    await fixture.cloud.setDelays({ replication: 500 });
    const copy = copyOf(mark, source, { region: 'uksouth' });
    const before = (await fixture.cloud.requests()).length;
    const stop = new AbortController();
    const cut = fixture.provider.distribution!.copy(copy, {
      signal: stop.signal,
      beat: (progress) => void (JSON.stringify(progress).includes('poller') && stop.abort(new Error('stop'))),
    });
    await expect(cut).rejects.toThrow('stop');
    const made = await fixture.open().distribution!.copy(copy, context);
    await fixture.cloud.setDelays({ replication: 150 });

    expect(made.target.region).toBe('uksouth');
    expect(puts((await fixture.cloud.requests()).slice(before))).toBe(1);
  });

  it('replicates to three regions at once and keeps them all', async () => {
    const { mark, image: source } = await image('spread');
    const made = await Promise.all(
      ['northeurope', 'uksouth'].map((region) =>
        asTemporalDoes((with_) =>
          fixture.provider.distribution!.copy(copyOf(mark, source, { region }), with_),
        ),
      ),
    );

    for (const { value } of [{ value: source }, ...made]) {
      expect(await fixture.provider.images.inspect(value)).toMatchObject({ presence: 'present' });
    }
  });
});
