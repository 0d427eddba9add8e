/**
 * Each call that the provider makes, in turn, is throttled three times, answered with a server error, carried out without an answer, told
 * that what was just made does not exist, and denied. Retried as Temporal does it, the first four end as without a fault, with nothing
 * twice; the last one stops at once and names the permission.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureKinds, isFailure, type FailureCode } from '../../src/domain/failure.ts';
import { awsAccounts, startAwsCloud, type AwsCloud, type AwsFault } from '../support/clouds/aws.ts';
import { away, home, openProvider, place, useCredentials } from './aws-fixture.ts';
import { steps, type Retried } from './aws-steps.ts';

/** As the workflows' retry policies do it: what the catalogue calls retryable is tried again. */
function retrying(seen: FailureCode[]): Retried {
  return async (act) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await act();
      } catch (error) {
        if (!isFailure(error) || !failureKinds[error.code].retryable || tries > 12) throw error;
        seen.push(error.code);
        await delay(30);
      }
    }
  };
}

const once: Retried = (act) => act();

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
      volumes: list.volumes.length,
      keyPairs: list.keyPairs.length,
      securityGroups: list.securityGroups.length,
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
    const ready = openProvider(cloud).provider;
    const tried = openProvider(cloud).provider;
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
      // The session is no thing that was just made.
      for (const { service, action } of actions.filter(
        (one) => answer !== 'not-found' || one.service !== 'sts',
      )) {
        const seen: FailureCode[] = [];
        const faulted = await play(name, retrying(seen), { service, action, answer, times });
        const about = `${service}:${action}`;

        expect({ about, ...faulted, calls: [] }).toEqual({ about, ...clean, calls: [] });
        const answered = faulted.calls.filter((call) => call.action === action && call.answer === answer);
        // Once what it is about is gone, it may not be asked again.
        expect(answered.length, about).toBeGreaterThan(0);
        expect(answered.length, about).toBeLessThanOrEqual(times);
        if (answer === 'throttled') expect(new Set(seen)).toEqual(new Set(['rate_limited']));
      }
    });

    it('stops when any of its calls is denied, and names the permission', async () => {
      for (const { service, action } of actions) {
        const seen: FailureCode[] = [];
        const { calls, ...outcome } = await play(name, retrying(seen), {
          service,
          action,
          answer: 'access-denied',
        });
        const message = expect.stringContaining(`${service}:${action}`);

        expect(outcome).toMatchObject({ error: { name: 'Failure', code: 'permission_denied', message } });
        expect({ action, seen }).toEqual({ action, seen: [] });
        expect(
          calls.filter((call) => call.action === action && call.answer === 'access-denied').length,
        ).toBeLessThanOrEqual(2);
      }
    });
  });
});
