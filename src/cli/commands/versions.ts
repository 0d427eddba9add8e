import type { Command } from 'commander';
import type { ReplyOf } from '../../client/index.ts';
import { act, describe } from '../command.ts';
import { colorState, formatFacts, formatTable, shortInstant, yesNo } from '../output.ts';
import { wholeNumber } from '../options.ts';

type Version = ReplyOf<'getVersion'>;

export function addVersions(program: Command): void {
  const list = describe(program, {
    usage: 'versions <bucket> [version]',
    summary: 'Versions of a bucket, or one in full',
    details: 'A version is named v3, 3, by fingerprint or by id.',
    examples: ['bakehouse versions base', 'bakehouse versions base v3', 'bakehouse versions base --json'],
  })
    .option('--limit <count>', 'how many', wholeNumber, 20)
    .option('--before <id>', 'older than this version id');
  act<{ limit: number; before?: string }>(
    list,
    async (context, { limit, before }, [bucket = '', name = '']) => {
      const client = await context.client();
      const { project } = context;
      if (name !== '') {
        const version = await client.getVersion({ project, bucket, version: name });
        context.answer(version, () => formatVersion(version));
        return;
      }
      const page = before === undefined ? { limit } : { limit, before };
      const answer = await client.listVersions({ project, bucket, ...page });
      context.answer(answer, () =>
        formatTable(
          ['version', 'state', 'tested', 'verified', 'revocation', 'created', 'fingerprint'],
          answer.versions.map((version) => [
            version.name,
            colorState(version.state),
            yesNo(version.tested),
            yesNo(version.verified),
            revocationOf(version),
            shortInstant(version.createdAt),
            version.fingerprint,
          ]),
        ),
      );
    },
  );

  const buckets = describe(program, {
    usage: 'buckets',
    summary: 'Buckets of the project',
    examples: ['bakehouse buckets'],
  });
  act(buckets, async (context) => {
    const answer = await (await context.client()).listBuckets({ project: context.project });
    context.answer(answer, () =>
      formatTable(
        ['bucket', 'latest', 'channels', 'parents', 'description'],
        answer.buckets.map(({ bucket, latestNumber, line, description }) => [
          bucket,
          latestNumber === 0 ? null : `v${latestNumber}`,
          line?.channels.map((one) => one.name).join(' → '),
          line?.parents.map((one) => `${one.bucket}/${one.channel}`).join(' '),
          description,
        ]),
      ),
    );
  });
}

export function formatVersion(version: Version): string {
  const facts = formatFacts([
    ['version', `${version.bucket} ${version.name}`],
    ['id', version.id],
    ['fingerprint', version.fingerprint],
    ['state', colorState(version.state)],
    ...(version.failure === null ? [] : [['failure', version.failure.message] as const]),
    ['tested', yesNo(version.tested)],
    ['verified', yesNo(version.verified)],
    ['revocation', revocationOf(version)],
    ...(version.revocation.reason === null ? [] : [['reason', version.revocation.reason] as const]),
    ['parents', version.parents.map((one) => `${one.bucket} ${one.versionName}`).join(', ') || '-'],
    ['request', version.requestId],
    ['created', shortInstant(version.createdAt)],
    ['completed', shortInstant(version.completedAt)],
  ]);
  const images = version.builds.flatMap((build) =>
    build.artifacts.map((artifact) => [
      build.source,
      `${artifact.image.target.provider}/${artifact.image.target.account}/${artifact.image.target.region}`,
      artifact.image.imageId,
      artifact.lastKnown,
      testOf(artifact.test),
    ]),
  );
  if (images.length === 0) return facts;
  return `${facts}\n${formatTable(['source', 'target', 'image', 'last seen', 'test'], images)}`;
}

function testOf(test: Version['builds'][number]['artifacts'][number]['test']): string {
  if (test === null) return '-';
  const failed = test.checks.filter((check) => !check.passed).map((check) => check.name);
  const boot = test.bootMs === null ? '' : `, boot ${(test.bootMs / 1000).toFixed(1)} s`;
  return test.passed ? `passed${boot}` : `failed: ${failed.join(', ')}`;
}

function revocationOf({ revocation }: Version): string {
  if (revocation.state === 'none') return 'none';
  const from = revocation.inheritedFrom;
  const source = from === null ? '' : ` (from ${from.bucket} ${from.versionName})`;
  return `${colorState(revocation.state)} ${shortInstant(revocation.at)}${source}`;
}
