/** Carries the outbox to Temporal. Any number of relays may run: each row is taken by one, and a repeat changes nothing. */
import type { Delivery } from '../domain/events.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import type { Logger } from '../observe/logger.ts';
import type { OutageLines } from '../observe/outage-lines.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import type { Outbox } from '../registry/contract/events.ts';
import { createBackoff, pause } from './backoff.ts';

export interface RelayDeps {
  readonly outbox: Pick<Outbox, 'drain' | 'listen'>;
  readonly gateway: { deliver(delivery: Delivery): Promise<void> };
  /** Throws while Temporal does not answer. */
  readonly check: () => Promise<void>;
  readonly log: Logger;
  /** How often the outbox is looked at without notice. Milliseconds. */
  readonly everyMs: number;
}

export interface Relay {
  /** Ends after the delivery at hand. */
  stop(): Promise<void>;
}

const atOnce = 50;
const longestOutageProbeMs = 2_000;
/** What failed in an outage is due again within seconds, and gives no notice. Renewed with every failure. */
const hurriedMs = 10_000;
const hurriedEveryMs = 250;

export function startRelay(deps: RelayDeps): Relay {
  const stopping = new AbortController();
  const loop = run(deps, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

async function run(deps: RelayDeps, signal: AbortSignal): Promise<void> {
  const notice = createNotice(signal);
  const listening = listen(deps, () => notice.give(), signal);
  const backoff = createBackoff(200, longestOutageProbeMs);
  const lines = createOutageLines(30_000);
  let hurriedUntil = 0;
  while (!signal.aborted) {
    try {
      const taken = await drainOnce(deps, lines, signal);
      backoff.reset();
      const wait = performance.now() < hurriedUntil ? Math.min(deps.everyMs, hurriedEveryMs) : deps.everyMs;
      if (taken < atOnce) await notice.wait(wait);
    } catch (error) {
      const waits = 'the relay waits: deliveries are kept and none is lost';
      const repeated = lines.admit(waits);
      if (repeated !== undefined) deps.log.warn({ err: error, repeated }, waits);
      await backoff.wait(signal);
      await untilAnswers(deps, backoff, signal);
      hurriedUntil = performance.now() + hurriedMs;
    }
  }
  await (
    await listening
  )?.();
}

/** Throws when Temporal or PostgreSQL is away. */
async function drainOnce(
  { outbox, gateway, log }: RelayDeps,
  lines: OutageLines,
  signal: AbortSignal,
): Promise<number> {
  let away: Failure | undefined;
  const taken = await outbox.drain(atOnce, async (delivery) => {
    // The rest of the batch is given back at once instead of waiting for one deadline each.
    if (away !== undefined) throw away;
    if (signal.aborted) throw new Failure('cancelled', 'the relay is stopping');
    try {
      await gateway.deliver(delivery);
    } catch (error) {
      const { workflowId, action, attempts } = delivery;
      const repeated = lines.admit(error instanceof Error ? error.message : String(error));
      if (repeated !== undefined) {
        log.warn({ err: error, workflowId, action, attempts, repeated }, 'not delivered, tried again later');
      }
      if (isFailure(error) && isOutage(error, delivery)) away = error;
      throw error;
    }
  });
  if (away !== undefined) throw away;
  return taken;
}

/** A cancellation that is too early looks unavailable too, and says nothing of the server. */
const isOutage = (failure: Failure, delivery: Delivery): boolean =>
  failure.code === 'provider_unavailable' && delivery.action !== 'cancel';

async function untilAnswers(
  { check, log }: RelayDeps,
  backoff: { wait(signal: AbortSignal): Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await check();
      log.info('Temporal answers: the relay goes on');
      return;
    } catch {
      await backoff.wait(signal);
    }
  }
}

/** Without LISTEN the relay still polls: losing it costs milliseconds, not deliveries. */
async function listen(
  { outbox, log }: RelayDeps,
  wake: () => void,
  signal: AbortSignal,
): Promise<(() => Promise<void>) | undefined> {
  const backoff = createBackoff(500, 10_000);
  while (!signal.aborted) {
    try {
      return await outbox.listen(wake);
    } catch (error) {
      log.warn({ err: error }, 'cannot listen for deliveries: the outbox is polled');
      await backoff.wait(signal);
    }
  }
  return undefined;
}

interface Notice {
  give(): void;
  /** Until a notice is given (also one given before), or the time has passed, or the relay stops. */
  wait(ms: number): Promise<void>;
}

function createNotice(signal: AbortSignal): Notice {
  let given = new AbortController();
  return {
    give: () => given.abort(),
    async wait(ms) {
      await pause(ms, AbortSignal.any([signal, given.signal]));
      given = new AbortController();
    },
  };
}
