/** Images of the azure provider under faults: every call of ours answers what a cloud at times answers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRef } from '../../src/domain/target.ts';
import type { BakeMark, CallContext, CollectedImage, ImageProvider } from '../../src/providers/provider.ts';
import { openAzure, type AzureFixture } from './azure-fixture.ts';
import { asTemporalDoes, collectInput, faultCases, freshMark, puts } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';

let fixture: AzureFixture;
const context: CallContext = { signal: new AbortController().signal, beat: () => undefined };

beforeAll(async () => {
  fixture = await openAzure();
});
afterEach(() => fixture.cloud.clearFaults());
afterAll(() => fixture.dispose());

/** A step: what it needs is made before the faults are; `ends` says whether it ended right. */
interface Step {
  readonly name: string;
  prepare(): Promise<Ready>;
}

interface Ready {
  act(provider: ImageProvider, context: CallContext): Promise<unknown>;
  ends(): Promise<void>;
}

async function image(name: string): Promise<{ readonly mark: BakeMark; readonly image: CollectedImage }> {
  const { provider, target } = fixture;
  const mark = freshMark(name);
  const [made] = await provider.images.collect(
    collectInput(mark, await fixture.artifact(mark), target),
    context,
  );
  return { mark, image: made! };
}

const versionsOf = async ({ imageName }: BakeMark): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const id of await fixture.cloud.everything()) {
    if (id.includes('/versions/') && (await fixture.cloud.resource(id))?.tags?.['image_name'] === imageName)
      found.push(id);
  }
  return found;
};

const copyOf = (mark: BakeMark, source: ImageRef, place: Partial<ImageRef['target']>) => ({
  copyId: `copy-${mark.imageName}`,
  runId: 'run-1',
  mark,
  source,
  target: { ...source.target, ...place },
  settings: {},
});

const steps: readonly Step[] = [
  {
    name: 'collect',
    async prepare() {
      const mark = freshMark('collected');
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
      const made = await image('duplicated');
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

describe.each(steps)('$name', { timeout: 180_000 }, (step) => {
  const cleanRun = async () => {
    const ready = await step.prepare();
    const before = (await fixture.cloud.requests()).length;
    await asTemporalDoes((with_) => ready.act(fixture.open(), with_));
    const requests = (await fixture.cloud.requests()).slice(before);
    await ready.ends();
    return requests;
  };

  it('ends right, once, whatever each of its calls answers', async () => {
    const cases = faultCases(await cleanRun());
    expect(cases.length).toBeGreaterThan(3);
    for (const { fault } of cases) {
      const ready = await step.prepare();
      await fixture.cloud.fault(fault);
      const ended = asTemporalDoes((with_) => ready.act(fixture.open(), with_));
      await ended.catch((error: unknown) => {
        throw new Error(`${fault.operation} answered ${fault.answer}: ${String(error)}`, { cause: error });
      });
      await fixture.cloud.clearFaults();
      await ready.ends();
    }
  });

  it('stops and names the permission that each of its calls lacks', async () => {
    const operations = [...new Set((await cleanRun()).map(({ operation }) => operation))];
    for (const operation of operations.filter((one) => one !== 'POST token' && one !== 'GET operations')) {
      const ready = await step.prepare();
      await fixture.cloud.fault({ operation, answer: 'access-denied', times: 100 });
      const [method = '', type = ''] = operation.split(' ');
      const verb =
        { GET: 'read', PUT: 'write', PATCH: 'write', DELETE: 'delete', POST: 'action' }[method] ?? '';
      await expect(
        asTemporalDoes((with_) => ready.act(fixture.open(), with_)),
        operation,
      ).rejects.toEqual(failure('permission_denied', `${type}/${verb}`, '/subscriptions/', 'assign a role'));
      await fixture.cloud.clearFaults();
    }
  });
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
