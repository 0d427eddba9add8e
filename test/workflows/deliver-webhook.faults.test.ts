import { expect, test } from 'vitest';

import { createClaimActivities } from '../../src/activities/claims.ts';
import { createWebhookActivities } from '../../src/activities/webhooks.ts';
import type { WebhookPayload } from '../../src/domain/webhook.ts';
import { isTaken } from '../../src/domain/webhook.ts';
import { faultSuite, injected, Simulation, type Fakes } from '../support/sandbox.ts';
import { inEnvironments } from '../support/sandbox/in-environments.ts';

const deliveryId = '01JWEBHOOK0000000000000000';
const workflowId = `webhook/default/${deliveryId}`;
const payload: WebhookPayload = {
  resource_id: 'r',
  resource_name: 'packer/project/p/registry/r',
  event_id: 'packer.event:1',
  event_action: 'revoke',
  event_description: 'Revoked version',
  event_source: 'hashicorp.packer.version',
  event_version: '1',
  event_payload: {},
};

/** One delivery, whoever holds it, and what its address got. */
class World {
  readonly claims = new Map<string, string>();
  readonly received: WebhookPayload[] = [];
  state: 'pending' | 'delivered' | 'failed' | 'dropped' = 'pending';
  attempts = 0;
  why: string | null = null;
  /** What the address answers, in turn; the last one again and again. */
  answers: readonly number[] = [500, 503, 200];
}

function arrange(answers: readonly number[] = [500, 503, 200]): { world: World; fakes: Fakes } {
  const world = new World();
  world.answers = answers;
  const activities = {
    ...createClaimActivities({
      registry: {
        claims: {
          claim: async (subject, id) => {
            const heldBy = world.claims.get(subject) ?? id;
            world.claims.set(subject, heldBy);
            return Promise.resolve(heldBy === id ? { held: true } : { held: false, heldBy });
          },
          release: async (subject) => Promise.resolve(void world.claims.delete(subject)),
          takeOver: async () => Promise.resolve(false),
        },
      },
      workflows: { latestRun: async () => Promise.resolve('open') },
    }),
    ...createWebhookActivities({
      registry: {
        webhooks: {
          wanted: async (id) =>
            Promise.resolve({
              id,
              webhookId: 'w',
              url: 'http://a.example/',
              sealedKey: null,
              enabled: true,
              payload,
              state: world.state,
            }),
          recordAttempt: async (_, attempt) => {
            world.attempts += 1;
            world.why = attempt.error;
            if (isTaken(attempt)) world.state = 'delivered';
            return Promise.resolve();
          },
          end: async (_, state) => Promise.resolve(void (world.state === 'pending' && (world.state = state))),
        },
      },
      async send({ url, payload: sent }) {
        const statusCode = world.answers[Math.min(world.received.length, world.answers.length - 1)] ?? 200;
        world.received.push(sent);
        return Promise.resolve({ url, statusCode, error: statusCode < 300 ? null : String(statusCode) });
      },
      unseal: () => '',
    }),
  };
  return { world, fakes: inEnvironments(activities) };
}

faultSuite<World>('deliverWebhook', {
  workflowId,
  input: { deliveryId },
  arrange: () => arrange(),
  done(world) {
    expect(world.state).toBe('delivered');
    // At least once, always the same.
    expect(world.received.length).toBeGreaterThanOrEqual(3);
    expect(new Set(world.received)).toEqual(new Set([payload]));
    expect(world.claims.size).toBe(0);
  },
  cleanSlate(world) {
    expect(world.claims.size).toBe(0);
  },
  reap: (world) => world.claims.clear(),
  undoing: ['releaseClaim', 'endWebhookDelivery'],
  // Its failure here is the answer of the address, which is tried again.
  either: ['callWebhook'],
  tidying: {
    releaseClaim(world, outcome) {
      expect(outcome).toMatchObject({ state: 'failed', failure: injected });
      expect(world.state).toBe('delivered');
    },
  },
});

test('deliverWebhook gives up after ten tries, fails, and says why', async () => {
  const { world, fakes } = arrange([500]);
  const simulation = new Simulation({ fakes });
  simulation.start('deliverWebhook', workflowId, { deliveryId });
  await simulation.settle();

  expect(simulation.outcomeOf(workflowId)).toMatchObject({
    state: 'failed',
    failure: { type: 'provider_unavailable', message: expect.stringContaining('a.example') },
  });
  expect({ state: world.state, tries: world.received.length, why: world.why }).toEqual({
    state: 'failed',
    tries: 10,
    why: '500',
  });
  expect(world.claims.size).toBe(0);
  await simulation.dispose();
});
