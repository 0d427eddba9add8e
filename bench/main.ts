/**
 * `npm run bench [-- --quick] [--only bakes,outage] [--json file]`: how fast this is, each figure beside a peer or a floor of the same run.
 * Everything is real, on this machine and gone afterwards.
 */
import { parseArgs } from 'node:util';
import { bakes } from './bakes.ts';
import type { Template } from './bare-packer.ts';
import { cloudBakes } from './cloud-bakes.ts';
import { hcp } from './hcp.ts';
import { install, type Installation } from './installation.ts';
import { massRevocation } from './mass-revocation.ts';
import { outage } from './outage.ts';
import { type Measured, measured, type Outcome, print, write } from './report.ts';
import { resolve } from './resolve.ts';
import { smallestWorkflow } from './smallest-workflow.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    pairs: { type: 'string' },
    parallel: { type: 'string' },
    workflows: { type: 'string' },
    revocations: { type: 'string' },
    enforcement: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const { quick } = flags;
const sized = (given: string | undefined, usual: number, small: number): number => {
  const size = given === undefined ? (quick ? small : usual) : Number(given);
  if (!Number.isSafeInteger(size) || size < 1)
    throw new Error(`${given} is not a count: write a whole number`);
  return size;
};

const slow = { folder: 'file', entry: 'slow.pkr.hcl', builder: 'file' };
const base = { folder: 'qemu', entry: 'base.pkr.hcl', builder: 'qemu', variables: {} };
const templates: readonly Template[] = [
  { ...slow, variables: { seconds: quick ? '1' : '10' }, pairs: sized(flags.pairs, 5, 1) },
  ...(quick ? [] : [{ ...base, pairs: sized(flags.pairs, 3, 1) }]),
];
const revocations = sized(flags.revocations, 2_000, 40);

const measures: Readonly<Record<string, (at: Installation) => Promise<Measured>>> = {
  'smallest-workflow': (at) => smallestWorkflow(at, sized(flags.workflows, 100, 20)),
  resolve: (at) => resolve(at, quick ? 400 : 4_000),
  hcp: (at) =>
    hcp(at, {
      calls: quick ? 400 : 4_000,
      runs: quick ? 20 : 200,
      versions: quick ? [10, 1_000] : [10, 100, 1_000, 10_000, 100_000],
    }),
  bakes: (at) => bakes(at, templates),
  'cloud-bakes': (at) => cloudBakes(at, sized(flags.parallel, 20, 4)),
  outage: (at) => outage(at, quick ? 1 : 3),
  'mass-revocation': (at) =>
    massRevocation(at, { count: revocations, enforcementMs: sized(flags.enforcement, 900, 60) * 1_000 }),
};

if (flags.help) {
  console.log(`npm run bench -- [flags]
  --quick            small sizes, no QEMU: under a minute
  --only a,b         of ${Object.keys(measures).join(', ')}
  --json file        all figures and raw values
  --pairs n          bakes and bare builds of each template (5 without a machine, 3 with one)
  --parallel n       bakes at once in the AWS test cloud, and as many bare builds (20)
  --workflows n      of the smallest kind (100)
  --revocations n    due in one second (2000)
  --enforcement s    seconds after the date for which enforcement is followed (900)`);
  process.exit(0);
}

const chosen = flags.only?.split(',') ?? Object.keys(measures);
const unknown = chosen.filter((name) => measures[name] === undefined);
if (unknown.length > 0) {
  console.error(`there is no measure ${unknown.join(', ')}; there are: ${Object.keys(measures).join(', ')}`);
  process.exit(2);
}

const outcomes: Outcome[] = [];
const at = await install();
const stopped = Promise.withResolvers<never>();
stopped.promise.catch(() => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // More than one may come for a Ctrl-C: from the terminal and from npm.
  process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)));
}
try {
  for (const name of chosen) {
    const take = measures[name];
    if (take === undefined) continue;
    console.error(`${name} …`);
    outcomes.push(await Promise.race([measured(name, () => take(at)), stopped.promise]));
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await at.stop();
}
print(outcomes);
if (flags.json !== undefined) write(flags.json, outcomes);
process.exit();
