import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pointerLeaseMs } from '../../src/activities/pointers.ts';
import { openGates } from '../../src/domain/image-line.ts';
import type { Version } from '../../src/domain/version.ts';
import { workflowIds } from '../../src/domain/workflow-ids.ts';
import { install, type Installation, type Part, until } from '../support/installation.ts';
import { expectNothingLeft } from './clean-slate.ts';
import { holdBucket, stopAt } from './hold-up.ts';
import { apply, by, project, slowLine } from './lines.ts';
import { killMachine, theHost } from './machines.ts';
import { storeVersion } from './stored-version.ts';
import { standingOf, typed, withTemporal } from './temporal.ts';

const prod = { name: 'prod', gates: openGates };
const children = ['child-a', 'child-b'] as const;
let installation: Installation;

beforeAll(async () => {
  installation = await install();
  const line = await slowLine(0, { channels: [prod] });
  const child = { ...line, parents: [{ bucket: 'slow', channel: 'prod', variable: 'seed_image' }] };
  await apply(installation, line, ...children.map((bucket) => ({ ...child, bucket })));
  await nextFamily();
}, 180_000);
afterAll(() => installation.stop(), 60_000);

/** The next version of the parent and, from it, of each child; all on `prod`. */
async function nextFamily() {
  const parent = await storeVersion(installation, 'slow');
  const child = await storeVersion(installation, children[0], parent);
  const other = await storeVersion(installation, children[1], parent);
  return { family: [parent, child, other], parent, child };
}

/** Answers the id of the record. */
async function revoke({ id: versionId }: Version): Promise<string> {
  const asked = { versionId, reason: 'a hole in it', rollBack: true, descendants: true, by };
  return (await installation.registry.revocations.revoke(asked)).record.id;
}

const imageOf = ({ builds }: Version): string => builds[0]?.artifacts[0]?.image.imageId ?? '';
const isDisabled = (version: Version): boolean =>
  existsSync(path.join(installation.images, 'disabled', imageOf(version)));

const disabled = async ({ id }: Version): Promise<number> => {
  const receipts = await installation.registry.enforcement.receipts(project, { versionId: id });
  return receipts.filter(({ action, outcome }) => action === 'disable' && outcome === 'done').length;
};

async function expectRevoked(family: readonly Version[]): Promise<void> {
  const { registry, images } = installation;
  await until(
    'every version is blocked, with a receipt',
    async () => (await Promise.all(family.map(disabled))).every((count) => count > 0),
    120_000,
  );
  for (const version of family) {
    expect(existsSync(path.join(images, 'images', imageOf(version)))).toBe(false);
    expect(isDisabled(version)).toBe(true);
    expect((await registry.versions.get(version.id)).revocation.state).toBe('revoked');
    const { effective } = await registry.channels.get(project, version.bucket, 'prod');
    expect(effective).toMatchObject({ versionName: 'v1', revoked: false });
    expect((await registry.versions.resolve(project, version.bucket, 'prod')).versionName).toBe('v1');
  }
  const claims = async () => (await registry.claims.list(0, 100)).map(({ subject }) => subject);
  await until(
    'every claim is given back',
    async () => (await claims()).length === 0,
    // A killed writer of a pointer keeps its place for as long as its lease.
    pointerLeaseMs + 60_000,
  ).catch(async () => expect(await claims()).toEqual([]));
  // Counted at the end: nobody is left who could write another one.
  expect(await Promise.all(family.map(disabled))).toEqual(family.map(() => 1));
  for (const { id } of family) {
    const events = await registry.events.list(project, { versionId: id, limit: 1_000 });
    expect(events.filter(({ kind }) => kind === 'revocation.effective')).toHaveLength(1);
  }
  await expectNothingLeft(installation);
}

describe('kill -9 during a cascade, after an image was disabled and before that was recorded', () => {
  it.each(['worker', 'bake host', 'worker and bake host'])(
    'of the %s: all versions are blocked, with one receipt each, and the channels are right',
    async (victim) => {
      const { family, parent, child } = await nextFamily();

      await revoke(parent);
      const letGo = await holdBucket(installation, child.bucket);
      await until('the child is disabled', () => isDisabled(child), 60_000);
      expect(await disabled(child)).toBe(0);
      const parts: Part[] = [
        ...(victim.includes('worker') ? [installation.worker] : []),
        ...(victim.includes('host') ? installation.hosts : []),
      ];
      await Promise.all(parts.map((part) => part.kill()));
      await letGo();
      await Promise.all(parts.map((part) => part.startAgain()));

      await expectRevoked(family);
    },
    240_000,
  );
});

describe('typed into Temporal under another id while its retirements go on', () => {
  it('it does nothing that another run does; typed again afterwards it changes nothing', async () => {
    const { family, parent, child } = await nextFamily();
    const stop = await stopAtReceiptOf(child);
    const recordId = await revoke(parent);
    await until('the child is disabled, and that is being written', () => stop.reached(), 60_000);
    expect(isDisabled(child)).toBe(true);

    // It wakes the retirements that are at work already.
    expect(await typed(installation, 'cascade', 'my cascade', { recordId })).toBe('completed');
    expect(await activitiesOf('my cascade')).toEqual([]);
    const named = { bucket: child.bucket, version: child.name };
    expect(await typed(installation, 'retire', 'my retire', named)).toBe('completed');
    expect(await activitiesOf('my retire')).toEqual(['passWakeOn']);
    expect(await disabled(child)).toBe(0);
    await stop.letGo();
    await expectRevoked(family);

    expect(await typed(installation, 'cascade', 'my cascade again', { recordId })).toBe('completed');
    await expectRevoked(family);
  }, 240_000);
});

describe('the machine of the bake host is lost during a cascade', () => {
  it('and comes back: what it had to do waits for it, the cascade says how much, readers do not wait', async () => {
    const { family, parent, child } = await nextFamily();
    const host = theHost(installation);
    const stop = await stopAtReceiptOf(child);
    const recordId = await revoke(parent);
    await until('the child is disabled, and that is being written', () => stop.reached(), 60_000);
    expect(isDisabled(child)).toBe(true);
    await killMachine(installation, host);
    await stop.letGo();

    const id = workflowIds.cascade(project, recordId, 'effective');
    const result = await withTemporal(installation, ({ workflow }) => workflow.getHandle(id).result());
    expect(result).toMatchObject({ versions: 3 });
    const { goingOn } = z.object({ goingOn: z.number() }).parse(result);
    expect(goingOn).toBeGreaterThanOrEqual(1);
    expect(await standingOf(installation, id)).toContain(
      `3 versions handed over, ${String(goingOn)} not waited for`,
    );
    expect(await disabled(child)).toBe(0);
    expect(await standingOf(installation, workflowIds.retire(project, child.id))).toMatch(
      /RUNNING.*is to be blocked: a hole in it/s,
    );
    const { versionName } = await installation.registry.versions.resolve(project, child.bucket, 'prod');
    expect(versionName).toBe('v1');

    await host.startAgain();
    await expectRevoked(family);
  }, 300_000);

  it('for good, while another one reaches the same image store: that one goes on with it', async () => {
    const { family, parent, child } = await nextFamily();
    const host = theHost(installation);
    const stop = await stopAtReceiptOf(child);
    await revoke(parent);
    await until('the child is disabled, and that is being written', () => stop.reached(), 60_000);
    await killMachine(installation, host);
    await stop.letGo();
    await installation.addHost();

    await expectRevoked(family);
  }, 300_000);
});

/** Types of the activities that a workflow had scheduled. */
function activitiesOf(workflowId: string): Promise<readonly unknown[]> {
  return withTemporal(installation, async ({ workflow }) => {
    const { events } = await workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name ?? [],
    );
  });
}

const stopAtReceiptOf = ({ id }: Version) =>
  stopAt(installation, {
    table: 'receipt',
    act: 'insert',
    when: `new.version_id = '${id}' and new.action = 'disable'`,
    at: 'within',
  });
