import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { failureOf, type ReplyOf, waitForRequest } from '../../src/client/index.ts';
import { routes } from '../../src/http/descriptors/routes.ts';
import { launchByHand } from './launch-by-hand.ts';
import type { DemoRun } from './run.ts';
import type { System } from './system.ts';

const project = 'default';
const buckets = ['base', 'app'] as const;
type Bucket = (typeof buckets)[number];
type Version = ReplyOf<'getVersion'>;
/** What a channel without a version is called here. */
const unassigned = 'unassigned';

const config = path.relative(
  process.cwd(),
  fileURLToPath(new URL('../../examples/bakehouse.yaml', import.meta.url)),
);

/** What was seen, for the summary. */
export interface Proof {
  readonly versions: readonly Version[];
  /** Channel by channel, what `prod` answered at each stage. */
  readonly prod: readonly { readonly stage: string; readonly base: string; readonly app: string }[];
  readonly latenessMs: number;
  readonly receipts: ReplyOf<'listReceipts'>['receipts'];
  readonly refusals: readonly string[];
}

export async function story(run: DemoRun, system: System): Promise<Proof> {
  const { env, client } = system;
  const prod: { stage: string; base: string; app: string }[] = [];
  const refusals: string[] = [];
  const record = async (stage: string): Promise<void> => {
    prod.push({ stage, base: await prodOf(system, 'base'), app: await prodOf(system, 'app') });
  };

  run.chapter('Describe two image lines: base, and app which is baked from base');
  await run.cli(env, 'apply', '-f', config);
  await record('before the first release');

  run.chapter('Release both: bake with Packer, boot and check, promote through dev to prod');
  await release(run, system, 'base', '1');
  await release(run, system, 'app', '1');
  await record('after the first releases');

  run.chapter('And once more: version 2 of both');
  await release(run, system, 'base', '2');
  await release(run, system, 'app', '2');
  await record('after the second releases');

  run.chapter('A CVE: base v2 is revoked in a few seconds; app v2 was baked from it');
  const { record: scheduled } = routes.revokeVersion.reply
    .loose()
    .parse(
      await run.cli(env, 'revoke', 'base', 'v2', '--in', '8s', '--reason', 'CVE-2026-31337 in the kernel'),
    );
  run.say(`due at ${scheduled.dueAt}; nobody does anything now`);
  await until(
    run,
    'prod of base and app answer v1',
    async () => (await prodOf(system, 'base')) === 'v1' && (await prodOf(system, 'app')) === 'v1',
  );
  const latenessMs = Date.now() - Date.parse(scheduled.dueAt);
  run.seen(`both prod channels rolled back to v1, seen ${latenessMs} ms after the date`);
  const child = await client.getVersion({ project, bucket: 'app', version: 'v2' });
  check(child.revocation.inheritedFrom?.bucket === 'base', 'app v2 is revoked by inheritance from base');
  run.seen('app v2 is revoked too: inherited from base v2');
  await blocked(run, system, 'base', 'v2');
  await blocked(run, system, 'app', 'v2');
  for (const bucket of buckets) refusals.push(await launchByHand(run, system, bucket, 'v2'));
  await record('after the revocation of base v2');

  run.chapter('base v1 turns out to be bad too: revoke it at once');
  await run.cli(env, 'revoke', 'base', 'v1', '--reason', 'the same CVE');
  for (const bucket of buckets) {
    const { code, message } = await run.refused(env, 'resolve', bucket, 'prod');
    // The exit code alone is that of a channel on a revoked version too.
    check(code === 5, `resolve is refused with exit code 5, not ${code}`);
    check(message.includes('has no version assigned'), `resolve says that ${bucket} prod has no version`);
    refusals.push(`resolve ${bucket} prod (exit ${code}): ${message}`);
    run.seen(message);
    const now = await prodOf(system, bucket);
    check(now === unassigned, `prod of ${bucket} is ${unassigned}, not ${now}`);
  }
  run.seen(`both prod channels are ${unassigned}`);
  await blocked(run, system, 'base', 'v1');
  await blocked(run, system, 'app', 'v1');
  await record('after the revocation of base v1');

  run.chapter('It was a false alarm: restore base v1');
  await run.cli(env, 'restore', 'base', 'v1', '--reason', 'base v1 does not have the affected module');
  await until(
    run,
    'base v1 is enabled and verified again',
    async () => (await client.getVersion({ project, bucket: 'base', version: 'v1' })).verified,
  );
  const promoted = routes.requestPromotion.reply.parse(
    await run.cli(env, 'promote', 'base', 'v1', 'prod', '--reason', 'restored', '--no-wait'),
  );
  await until(run, 'base v1 is on prod', async () => (await prodOf(system, 'base')) === 'v1');
  run.seen(`base v1 is usable again and back on prod (promotion ${promoted.id})`);
  await record('after the restore of base v1');

  const versions = await Promise.all(
    buckets.flatMap((bucket) =>
      ['v1', 'v2'].map((version) => client.getVersion({ project, bucket, version })),
    ),
  );
  const { receipts } = await client.listReceipts({ project, limit: 200 });
  return { versions, prod, latenessMs, receipts, refusals };
}

async function release(run: DemoRun, system: System, bucket: Bucket, number: string): Promise<void> {
  const { client, env } = system;
  const began = run.seconds;
  const { request } = routes.acceptRequest.reply
    .loose()
    .parse(await run.cli(env, 'release', bucket, '--var', `release=${number}`, '--no-wait'));
  const steps = waitForRequest(client, { project, request: request.id, pollMs: 250 });
  let step = await steps.next();
  for (; step.done !== true; step = await steps.next()) {
    if (step.value.kind === 'request') run.progress(`${bucket}: ${step.value.request.stage}`);
  }
  const failure = failureOf(step.value);
  if (failure !== undefined) throw failure;
  const version = await client.getVersion({ project, bucket, version: `v${number}` });
  const [artifact] = version.builds.flatMap((build) => build.artifacts);
  check(version.tested && version.verified, `${bucket} v${number} is tested and verified`);
  check(artifact?.test?.passed === true, `the image of ${bucket} v${number} was booted and checked`);
  for (const channel of ['dev', 'prod']) {
    const now = await channelOf(system, bucket, channel);
    check(now === version.name, `${channel} of ${bucket} is ${version.name}, not ${now}`);
  }
  run.seen(
    `${bucket} v${number} is on dev and prod after ${(run.seconds - began).toFixed(1)} s: booted in ${((artifact?.test?.bootMs ?? 0) / 1000).toFixed(1)} s, ` +
      `${artifact?.test?.checks.length ?? 0} checks passed, ${artifact?.digest?.slice(0, 19) ?? 'no digest'}…`,
  );
}

const prodOf = (system: System, bucket: Bucket): Promise<string> => channelOf(system, bucket, 'prod');

/** `v1`, or why there is none. */
async function channelOf({ client }: System, bucket: Bucket, channel: string): Promise<string> {
  const { effective } = await client.getChannel({ project, bucket, channel });
  if (effective.revoked) return `${effective.versionName ?? ''} revoked`;
  return effective.versionName ?? unassigned;
}

async function blocked(run: DemoRun, { client }: System, bucket: Bucket, version: string): Promise<void> {
  await until(run, `the image of ${bucket} ${version} cannot be launched, with a receipt`, async () => {
    const { receipts } = await client.listReceipts({ project, bucket, version, limit: 50 });
    return receipts.some(
      (one) => one.action === 'disable' && one.outcome === 'done' && one.launchable === false,
    );
  });
}

async function until(run: DemoRun, what: string, fact: () => Promise<boolean>): Promise<void> {
  const deadline = run.seconds + 60;
  while (!(await fact())) {
    run.progress(`waiting until ${what}`);
    if (run.seconds > deadline) throw new Error(`this did not come true within a minute: ${what}`);
    await sleep(250);
  }
  run.seen(what);
}

function check(fact: boolean, what: string): void {
  if (!fact) throw new Error(`this should be so, and is not: ${what}`);
}
