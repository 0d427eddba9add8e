/** At every step that changes a cloud its worker is killed, or it is cancelled: the cloud holds what the registry says. For every cloud. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CloudAct, CloudPlaces } from '../support/clouds/places.ts';
import { expectAsRegistered } from './as-registered.ts';
import { type CloudInstallation, installBefore } from './cloud-installation.ts';
import { cloudSteps, type Held } from './cloud-steps.ts';

/** In an order in which none meets a call that is held for another one. */
const acts: Readonly<Record<CloudAct, string>> = {
  remove: 'deletes an image after its grace',
  announce: 'announces the end of an image',
  share: 'shares an image',
  block: 'blocks an image',
  publish: 'publishes a channel',
  end: 'ends the machine of a test launch',
  launch: 'launches the machine of a test launch',
};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the record.
const table = Object.entries(acts) as [CloudAct, string][];

export function cloudStepsSuite(name: string, open: () => Promise<CloudPlaces>): void {
  describe(name, () => {
    let cloud: CloudPlaces;
    let at: CloudInstallation;
    let steps: ReturnType<typeof cloudSteps>;
    beforeAll(async () => {
      cloud = await open();
      at = await installBefore(cloud);
      steps = cloudSteps(at, cloud);
    }, 150_000);
    afterAll(async () => {
      await at.stop();
      await cloud.stop();
    }, 60_000);

    // One death for all: Temporal takes half a minute to notice one.
    describe('kill -9 of a worker', () => {
      const held = new Map<CloudAct, Held>();
      beforeAll(async () => {
        const ready = new Map<CloudAct, () => Promise<Held>>();
        for (const [act] of table) ready.set(act, await steps[act]());
        // One soon after the other: who asked a cloud gives up after a minute.
        for (const [act, begin] of ready) held.set(act, await begin());
        await at.worker.kill();
        await cloud.letGo();
        await at.worker.start();
      }, 240_000);

      it.each(table)(
        '%s: one that %s',
        async (act) => {
          const one = held.get(act);
          expect(one).toBeDefined();
          await one?.done();
        },
        120_000,
      );

      it('and the cloud holds what the registry says', () => expectAsRegistered(at, cloud), 60_000);
    });

    describe('a workflow that is cancelled', () => {
      afterEach(() => cloud.letGo());

      it.each(table)(
        '%s: while it %s',
        async (act) => {
          const begin = await steps[act]();
          const one = await begin();
          await at.cancel(one.workflowId);
          // Nothing overtakes the call that is under way.
          await cloud.letGo();
          await one.cancelled();
          await expectAsRegistered(at, cloud);
        },
        120_000,
      );
    });
  });
}
