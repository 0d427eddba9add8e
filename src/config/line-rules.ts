/** What the schema cannot say: rules between the parts of `bakehouse.yaml`. */
import { secretPlace, secretProblem } from '../domain/line-secrets.ts';
import { latestChannel } from '../domain/names.ts';
import { toSecret } from './line-secrets.ts';
import type { WrittenBucket, WrittenDocument } from './line-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { Complaint } from './schema-issues.ts';

export function checkRules(document: WrittenDocument): readonly Complaint[] {
  const buckets = Object.entries(document.buckets);
  return [
    ...buckets.flatMap(([bucket, line]) => checkLine(bucket, line, document)),
    ...checkCycles(document),
  ];
}

const channelsOf = (line: WrittenBucket) =>
  line.channels.map((channel) => (typeof channel === 'string' ? { name: channel } : channel));

function checkLine(bucket: string, line: WrittenBucket, document: WrittenDocument): readonly Complaint[] {
  const at = (...path: readonly PropertyKey[]) => ['buckets', bucket, ...path];
  const channels = channelsOf(line);
  const complaints: Complaint[] = [
    ...doubles(channels.map((one) => one.name)).map((index) => ({
      path: at('channels', index),
      message: `\`${channels[index]?.name}\` is named twice`,
    })),
    ...doubles(line.tests.map((one) => one.name)).map((index) => ({
      path: at('tests', index, 'name'),
      message: `another test has the name "${line.tests[index]?.name}" already`,
    })),
    ...doubles(line.targets.map((one) => `${one.provider}/${one.account}/${one.region}`)).map((index) => ({
      path: at('targets', index),
      message: 'this target is named twice',
    })),
    ...line.targets.flatMap((one, index) =>
      one.copy !== true ||
      line.targets.some((other) => other.provider === one.provider && other.copy !== true)
        ? []
        : [
            {
              path: at('targets', index, 'copy'),
              message: `nothing is baked with \`${one.provider}\`, so nothing can be copied: remove \`copy\` from one target`,
            },
          ],
    ),
    ...doubles(line.parents.map((one, index) => one.variable ?? index)).map((index) => ({
      path: at('parents', index, 'variable'),
      message: `another parent is passed in \`${line.parents[index]?.variable}\` already`,
    })),
  ];
  complaints.push(
    ...checkSecrets(line).map(({ path, message }) => ({ path: at('secrets', ...path), message })),
  );
  const first = channels[0];
  if (first !== undefined && 'gates' in first) {
    for (const [gate, set] of [
      ['inOrder', first.gates.inOrder],
      ['soak', first.gates.soak > 0],
    ] as const) {
      if (set) {
        complaints.push({
          path: at('channels', 0, 'gates', gate),
          message: `\`${gate}\` looks at the channel before, and \`${first.name}\` is the first: remove it`,
        });
      }
    }
  }
  for (const [index, parent] of line.parents.entries()) {
    const message = wrongParent(bucket, parent, document);
    if (message !== undefined)
      complaints.push({ path: at('parents', index, message.key), message: message.text });
  }
  return complaints;
}

function checkSecrets({ secrets, variables, parents }: WrittenBucket): readonly Complaint[] {
  const all = secrets.map(toSecret);
  const taken = new Set([...Object.keys(variables), ...parents.flatMap((one) => one.variable ?? [])]);
  return [
    ...doubles(all.map(({ name }) => name)).map((index) => ({
      path: [index, 'name'],
      message: `another secret has the name "${all[index]?.name}" already`,
    })),
    ...doubles(all.map(secretPlace)).map((index) => ({
      path: [index, 'into'],
      message: 'another secret is passed there already',
    })),
    ...all.flatMap((secret, index) => {
      const problem = secretProblem(secret);
      if (problem !== undefined) return [{ path: [index, ...problem.at], message: problem.text }];
      if (secret.into.kind !== 'variable' || !taken.has(secret.into.name)) return [];
      return [
        {
          path: [index, 'into'],
          message: `\`variables\` or a parent sets \`${secret.into.name}\` too: remove it there`,
        },
      ];
    }),
  ];
}

function wrongParent(
  bucket: string,
  parent: WrittenBucket['parents'][number],
  document: WrittenDocument,
): { key: string; text: string } | undefined {
  if (parent.bucket === bucket) return { key: 'bucket', text: 'a bucket cannot be its own parent' };
  if (parent.variable !== undefined && Object.hasOwn(variablesOf(document, bucket), parent.variable)) {
    return {
      key: 'variable',
      text: `\`variables\` sets \`${parent.variable}\` too: remove it there, the parent's image is passed in it`,
    };
  }
  const known = document.buckets[parent.bucket];
  // A parent that this file does not describe may be in the registry already: the server checks it.
  if (known === undefined || parent.channel === latestChannel) return undefined;
  const channels = channelsOf(known).map((one) => one.name);
  if (channels.includes(parent.channel)) return undefined;
  const near = nearestName(parent.channel, channels);
  const meant =
    near === undefined ? `it has ${[...channels, latestChannel].join(', ')}` : `did you mean \`${near}\`?`;
  return { key: 'channel', text: `\`${parent.bucket}\` has no channel \`${parent.channel}\`; ${meant}` };
}

const variablesOf = (document: WrittenDocument, bucket: string) => document.buckets[bucket]?.variables ?? {};

function checkCycles(document: WrittenDocument): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const done = new Set<string>();
  const visit = (bucket: string, trail: readonly string[]): void => {
    const start = trail.indexOf(bucket);
    if (start >= 0) {
      const circle = [...trail.slice(start), bucket];
      // One bucket that is its own parent has its own message.
      if (circle.length > 2) {
        complaints.push({
          path: ['buckets', bucket, 'parents'],
          message: `parents form a circle: ${circle.join(' ← ')}`,
        });
      }
      return;
    }
    if (done.has(bucket)) return;
    for (const parent of document.buckets[bucket]?.parents ?? []) visit(parent.bucket, [...trail, bucket]);
    done.add(bucket);
  };
  for (const bucket of Object.keys(document.buckets)) visit(bucket, []);
  return complaints;
}

/** Positions of values that occurred before. */
function doubles(values: readonly (string | number)[]): readonly number[] {
  return values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
}
