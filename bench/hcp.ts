/**
 * HCP's API under load: what consumers read, and what a run of Packer writes, at 1, 16 and 64 connections; beside a bare route that looks at
 * the same token and asks the database for 1. Then the price of the same read while the registry grows from 10 versions to 100,000.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '../src/client/index.ts';
import { type Connections, connect, type Rate, rateOf } from './hcp/connection.ts';
import { publish } from './hcp/publish.ts';
import { bucketName, fingerprint, grow } from './hcp/seed.ts';
import type { Installation } from './installation.ts';
import { type Figure, type Measured, ms, perSecond } from './report.ts';
import { by, project } from './seed.ts';

const widths = [1, 16, 64];
/** At 16 connections on two cores. */
const aimMs = 10;

interface Sizes {
  /** Calls of each kind at each width. */
  readonly calls: number;
  /** Runs of Packer at each width. */
  readonly runs: number;
  readonly versions: readonly number[];
}

export async function hcp(at: Installation, sizes: Sizes): Promise<Measured> {
  await at.registry.tenancy.createProject({ project, organization: project, by });
  const { id: projectId, organization } = await at.registry.tenancy.project(project);
  const registry = `/packer/2023-01-01/organizations/${organization.id}/projects/${projectId}`;
  const token = await tokenOf(at);
  const floor = await startFloor(at);
  const figures: Figure[] = [];
  const raw: Record<string, unknown> = {};
  try {
    const curve = await curveOf(at, sizes, { projectId, registry, token });
    figures.push(...curve.figures);
    raw['curve'] = curve.raw;
    const { buckets } = curve;
    for (const width of widths) {
      const [bare, whole] = [connect(floor.url, token, width), connect(at.url, token, width)];
      const bucketOf = (index: number): number => (index * 7) % buckets;
      const channel = (index: number) =>
        reading(whole, `${registry}/buckets/${bucketName(bucketOf(index))}/channels/prod`);
      const version = (index: number) =>
        reading(
          whole,
          `${registry}/buckets/${bucketName(bucketOf(index))}/versions/${fingerprint(bucketOf(index), 1)}`,
        );
      for (const warm of [channel, version]) await rateOf(width, Math.min(500, sizes.calls), warm);
      await rateOf(width, Math.min(500, sizes.calls), () => reading(bare, '/floor'));
      const least = await rateOf(width, sizes.calls, () => reading(bare, '/floor'));
      const channels = await rateOf(width, sizes.calls, channel);
      const versions = await rateOf(width, sizes.calls, version);
      const runs = await rateOf(width, sizes.runs, (index) =>
        publish(whole, registry, bucketName(bucketOf(index))),
      );
      const rss = residentMb(at.serverPid());
      figures.push(
        { what: `${width} connections: bare route`, value: words(least) },
        {
          what: `${width} connections: GetChannel`,
          value: `${words(channels)}, ${ratio(channels, least)}`,
          ...(width === 16 ? { aim: `p99 < ${aimMs} ms`, met: channels.p99 < aimMs } : {}),
        },
        { what: `${width} connections: GetVersion`, value: `${words(versions)}, ${ratio(versions, least)}` },
        { what: `${width} connections: a run of Packer, 3 sources`, value: words(runs) },
        { what: `${width} connections: memory of the server`, value: `${rss.toFixed(0)} MiB` },
      );
      raw[`at ${width}`] = { least, channels, versions, runs, rss };
      bare.close();
      whole.close();
    }
  } finally {
    await floor.stop();
  }
  return { figures, raw };
}

interface Place {
  readonly projectId: string;
  readonly registry: string;
  readonly token: string;
}

async function curveOf(at: Installation, { versions, calls }: Sizes, { projectId, registry, token }: Place) {
  const one = connect(at.url, token, 1);
  const points: { readonly versions: number; readonly p50: number; readonly p99: number }[] = [];
  let [buckets, there] = [0, 0];
  for (const wanted of versions) {
    const made = await grow(at.store, projectId, buckets, wanted - there);
    [buckets, there] = [buckets + made, wanted];
    const newest = buckets - 1;
    const read = () => reading(one, `${registry}/buckets/${bucketName(newest)}/channels/prod`);
    await rateOf(1, 200, read);
    const { p50, p99 } = await rateOf(1, Math.min(calls, 1_000), read);
    points.push({ versions: wanted, p50, p99 });
  }
  one.close();
  const [first, last] = [points[0]?.p50 ?? 0, points.at(-1)?.p50 ?? 0];
  const figures: Figure[] = [
    {
      what: `GetChannel, p50 with ${points.map((point) => point.versions).join(', ')} versions`,
      value: `${points.map(({ p50 }) => ms(p50)).join(', ')} (${(last / first).toFixed(2)} times the first)`,
    },
  ];
  return { figures, raw: points, buckets };
}

async function reading(at: Connections, path: string): Promise<void> {
  const { status, body } = await at.call('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status} ${body.slice(0, 300)}`);
}

const words = ({ p50, p99, perSecond: rate }: Rate): string => `${ms(p50)} / ${ms(p99)}, ${perSecond(rate)}`;
const ratio = (one: Rate, floor: Rate): string => `${(one.p50 / floor.p50).toFixed(1)} times the bare route`;

/** Of a service principal, as Packer has it. */
async function tokenOf({ url, token }: Installation): Promise<string> {
  const client = createClient({ url, token });
  const made = await client.createPrincipal({ project, name: 'bench', role: 'contributor', buckets: [] });
  const answer = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'client_credentials',
      client_id: made.clientId,
      client_secret: made.clientSecret,
    }),
  });
  const found = /"access_token":"([^"]+)"/.exec(await answer.text())?.[1];
  if (found === undefined) throw new Error(`no token was given: ${answer.status}`);
  return found;
}

async function startFloor({ store }: Installation) {
  const child = fork(fileURLToPath(new URL('hcp/floor.ts', import.meta.url)), [store.url], {
    stdio: 'inherit',
  });
  const [url] = await Promise.race([
    once(child, 'message'),
    sleep(30_000).then(() => {
      throw new Error('the bare route does not listen');
    }),
  ]);
  return {
    url: String(url),
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb ?? 0) / 1024;
}
