/**
 * Each call that the provider makes, in turn, is throttled three times, answered with a server error, carried out without an answer, told
 * that what was just made does not exist, and denied. Retried as Temporal does it, the first four end as without a fault, with nothing
 * twice; the last one stops at once and names the permission. The doctor, whom nobody retries, says what each answer was. The last case
 * proves by the provider's source that no call was left out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureKinds, isFailure, type FailureCode } from '../../src/domain/failure.ts';
import { awsAccounts, startAwsCloud, type AwsCloud, type AwsFault } from '../support/clouds/aws.ts';
import { awsCalls, sources } from '../support/provider-calls.ts';
import { away, home, openProvider, pace, place, useCredentials } from './aws-fixture.ts';
import type { Retried } from './aws-step.ts';
import { steps } from './aws-steps.ts';

/** As the workflows' retry policies do it: what the catalogue calls retryable is tried again. */
function retrying(seen: FailureCode[]): Retried {
  return async (act) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await act();
      } catch (error) {
        if (!isFailure(error) || !failureKinds[error.code].retryable || tries > 12) throw error;
        seen.push(error.code);
        await delay(5);
      }
    }
  };
}

const once: Retried = (act) => act();

/** The cloud does in 10 ms what is waited for here; on a busy machine all takes its time. */
const quick = { ...pace, pollMs: 5, shortPollMs: 5, visibleMs: 6_000 };

const answers = ['throttled', 'server-error', 'timeout-after-effect', 'not-found', 'access-denied'] as const;
type Answer = AwsFault['answer'];

/** A session is no thing that was just made. */
const mayBeNotFound = (call: string): boolean => !call.startsWith('sts:');

/** Its refusal changes nothing about why a command is given up: the machine, and what runs in it, is ended by its launch. */
const bestEffort: ReadonlySet<string> = new Set(['ssm:CancelCommand']);

/** Call → what it was really answered. */
const answered = new Map<string, Set<Answer>>();
function sawAnswered(call: string, answer: Answer): void {
  answered.set(call, (answered.get(call) ?? new Set()).add(answer));
}

describe('aws under faults', { timeout: 120_000 }, () => {
  let cloud: AwsCloud;
  beforeAll(async () => {
    cloud = await startAwsCloud();
    useCredentials(cloud);
  });
  afterAll(() => cloud.stop());

  /** Without ids, which differ. */
  async function everything(): Promise<unknown> {
    const places = [place(), place(away), place(home, awsAccounts.firstShare)];
    const lists = await Promise.all(places.map(({ account, region }) => cloud.everything(account, region)));
    return lists.map((list) => ({
      images: list.images.map(({ name, state, tags }) => [name, state, Object.keys(tags).toSorted()]),
      snapshots: list.snapshots.map(({ tags }) => Object.keys(tags).toSorted()),
      instances: list.instances.map(({ tags }) => Object.keys(tags).toSorted()),
      securityGroups: list.securityGroups.map(({ tags }) => Object.keys(tags).toSorted()),
      volumes: list.volumes.length,
      keyPairs: list.keyPairs.length,
      networkInterfaces: list.networkInterfaces.length,
      launchTemplates: list.launchTemplates.length,
      spotRequests: list.spotRequests.length,
    }));
  }

  async function play(name: string, retried: Retried, fault?: AwsFault) {
    await cloud.reset();
    await cloud.setDelays({
      image: 10,
      running: 10,
      statusOk: 10,
      stopped: 0,
      agent: 10,
      validation: 10,
      visible: 0,
    });
    const ready = openProvider(cloud, { pace: quick }).provider;
    const tried = openProvider(cloud, { pace: quick }).provider;
    const outcome = await steps[name]!(
      { cloud, ready, tried },
      async () => {
        await cloud.clearCalls();
        if (fault !== undefined) await cloud.fault(fault);
      },
      retried,
    ).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    await cloud.clearFaults();
    const calls = await cloud.calls();
    return { ...outcome, calls, state: await everything() };
  }

  describe.each(Object.keys(steps))('%s', (name) => {
    let clean: Awaited<ReturnType<typeof play>>;
    let actions: readonly { readonly service: string; readonly action: string }[];
    beforeAll(async () => {
      clean = await play(name, once);
      actions = [
        ...new Map(
          clean.calls.map(({ service, action }) => [`${service}:${action}`, { service, action }]),
        ).values(),
      ];
    });

    it('works, and makes calls', () => {
      expect(clean).not.toHaveProperty('error');
      expect(actions.length).toBeGreaterThan(0);
    });

    it.each([
      ['throttled', 3],
      ['server-error', 2],
      ['timeout-after-effect', 1],
      ['not-found', 1],
    ] as const)('ends the same when any of its calls is answered: %s', async (answer, times) => {
      for (const { service, action } of actions) {
        const about = `${service}:${action}`;
        if (answer === 'not-found' && !mayBeNotFound(about)) continue;
        const seen: FailureCode[] = [];
        const faulted = await play(name, retrying(seen), { service, action, answer, times });

        expect({ about, ...faulted, calls: [] }).toEqual({ about, ...clean, calls: [] });
        const so = faulted.calls.filter((call) => call.action === action && call.answer === answer);
        // Once what it is about is gone, it may not be asked again.
        expect(so.length, about).toBeGreaterThan(0);
        expect(so.length, about).toBeLessThanOrEqual(times);
        if (answer === 'throttled')
          expect([...new Set(seen)]).toEqual(bestEffort.has(about) ? [] : ['rate_limited']);
        sawAnswered(about, answer);
      }
    });

    it('stops when any of its calls is denied, and names the permission', async () => {
      for (const { service, action } of actions) {
        const about = `${service}:${action}`;
        const seen: FailureCode[] = [];
        const { calls, ...outcome } = await play(name, retrying(seen), {
          service,
          action,
          answer: 'access-denied',
        });
        const { calls: _, ...usual } = clean;
        const message = expect.stringContaining(about);

        expect({ about, ...outcome }).toMatchObject(
          bestEffort.has(about)
            ? { about, ...usual }
            : { about, error: { name: 'Failure', code: 'permission_denied', message } },
        );
        expect({ about, seen }).toEqual({ about, seen: [] });
        const denied = calls.filter((call) => call.action === action && call.answer === 'access-denied');
        expect(denied.length, about).toBeGreaterThan(0);
        expect(denied.length, about).toBeLessThanOrEqual(2);
        sawAnswered(about, 'access-denied');
      }
    });
  });

  it('doctor: is content without a fault, and says which call was answered what', async () => {
    await cloud.reset();
    const only = { id: awsAccounts.owner, regions: [home] };
    const credentials = { kind: 'assumeRole', roleArn: cloud.roleArn(awsAccounts.owner) } as const;
    const look = async () => {
      const checks = await openProvider(cloud, { accounts: [{ ...only, credentials }] }).provider.doctor();
      return checks.filter(({ ok }) => !ok).map(({ detail }) => detail);
    };
    expect(await look()).toEqual([]);
    const actions = new Map((await cloud.calls()).map((call) => [`${call.service}:${call.action}`, call]));

    for (const [about, { service, action }] of actions) {
      for (const answer of answers.filter((one) => one !== 'not-found' || mayBeNotFound(about))) {
        await cloud.fault({ service, action, answer, times: 1 });
        expect({ about, answer, said: await look() }).toEqual({
          about,
          answer,
          said: [expect.stringContaining(about)],
        });
        await cloud.clearFaults();
        sawAnswered(about, answer);
      }
    }
    expect(await look()).toEqual([]);
  });

  it('leaves out no call that the provider makes, and no answer', () => {
    const all = [...new Set(sources('aws').flatMap(awsCalls))].toSorted();

    expect(all.map((call) => [call, answers.filter((answer) => answered.get(call)?.has(answer))])).toEqual(
      all.map((call) => [call, answers.filter((answer) => answer !== 'not-found' || mayBeNotFound(call))]),
    );
    expect([...answered.keys()].filter((call) => !all.includes(call))).toEqual([]);
  });
});
