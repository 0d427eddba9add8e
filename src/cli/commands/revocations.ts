import type { Command } from 'commander';
import type { Client, ReplyOf } from '../../client/index.ts';
import { Failure } from '../../client/index.ts';
import { parseDuration } from '../../domain/duration.ts';
import { parseInstant } from '../../domain/instant.ts';
import { act, describe } from '../command.ts';
import { required } from '../options.ts';
import { formatFacts, formatTable, shortInstant, yesNo } from '../output.ts';
import { formatVersion } from './versions.ts';

type Revocation = ReplyOf<'liftRevocation'>;

interface RevokeOptions {
  readonly at?: string;
  readonly in?: string;
  readonly reason?: string;
  readonly descendants: boolean;
  readonly rollBack: boolean;
}

export function addRevocations(program: Command): void {
  const revoke = describe(program, {
    usage: 'revoke <bucket> <version>',
    summary: 'Revokes a version, now or at a date, with everything that was baked from it',
    details:
      'From that moment nobody is given it; the images are disabled in every target, with a receipt each.',
    examples: [
      'bakehouse revoke base v3 --reason CVE-2026-1234',
      'bakehouse revoke base v3 --in 30d --reason "end of life"',
      'bakehouse revoke base v3 --at 2026-03-01T04:00:00Z --no-descendants --reason "replaced"',
    ],
  })
    .option('--at <instant>', 'when, with its offset from UTC')
    .option('--in <duration>', 'how long from now: 90s, 12h, 30d')
    .option('--reason <text>', 'why (required)')
    .option('--no-descendants', 'versions baked from it stay')
    .option('--no-roll-back', 'channels keep it; resolving them is refused');
  act<RevokeOptions>(revoke, async (context, options, [bucket = '', version = '']) => {
    const reason = required(options.reason, '--reason', 'CVE-2026-1234');
    if (options.at !== undefined && options.in !== undefined) {
      throw new Failure('invalid_input', 'write --at or --in, not both; without either it is now');
    }
    const answer = await (
      await context.client()
    ).revokeVersion({
      project: context.project,
      bucket,
      version,
      reason,
      descendants: options.descendants,
      rollBack: options.rollBack,
      ...(options.at === undefined ? {} : { at: parseInstant(options.at) }),
      ...(options.in === undefined ? {} : { inMs: parseDuration(options.in) }),
    });
    context.answer(answer, () => `${formatRecord(answer.record)}\n${formatVersion(answer.version)}`);
  });

  const list = describe(program, {
    usage: 'revocations <bucket> <version>',
    summary: 'Every revocation record of a version, lifted ones too',
    examples: ['bakehouse revocations base v3'],
  });
  act(list, async (context, _, [bucket = '', version = '']) => {
    const client = await context.client();
    const answer = await client.listRevocations({ project: context.project, bucket, version });
    context.answer(answer, () =>
      formatTable(
        ['record', 'kind', 'due', 'lifted', 'roll back', 'descendants', 'by', 'reason'],
        answer.records.map((one) => [
          one.id,
          one.kind,
          shortInstant(one.dueAt),
          shortInstant(one.liftedAt),
          yesNo(one.rollBack),
          yesNo(one.descendants),
          one.by.name,
          one.reason,
        ]),
      ),
    );
  });

  const lift = describe(program, {
    usage: 'lift <bucket> <version> [record]',
    summary: 'Lifts one revocation record, inherited ones with it',
    details: 'The record may be left out when only one is open.',
    examples: ['bakehouse lift base v3 --reason "false alarm"'],
  }).option('--reason <text>', 'why (required)');
  act<{ reason?: string }>(lift, async (context, { reason }, [bucket = '', version = '', record = '']) => {
    const why = required(reason, '--reason', '"false alarm"');
    const client = await context.client();
    const named = { project: context.project, bucket, version };
    const revocation = await recordNamed(client, named, record);
    const answer = await client.liftRevocation({ ...named, revocation, reason: why });
    context.answer(answer, () => formatRecord(answer));
  });

  const reschedule = describe(program, {
    usage: 'reschedule <bucket> <version> [record]',
    summary: 'Moves a scheduled revocation, inherited ones with it',
    examples: ['bakehouse reschedule base v3 --at 2026-04-01T04:00:00Z'],
  }).option('--at <instant>', 'the new date, with its offset from UTC (required)');
  act<{ at?: string }>(reschedule, async (context, { at }, [bucket = '', version = '', record = '']) => {
    const date = parseInstant(required(at, '--at', '2026-04-01T04:00:00Z'));
    const client = await context.client();
    const named = { project: context.project, bucket, version };
    const revocation = await recordNamed(client, named, record);
    const answer = await client.rescheduleRevocation({ ...named, revocation, at: date });
    context.answer(answer, () => formatRecord(answer));
  });

  const restore = describe(program, {
    usage: 'restore <bucket> <version>',
    summary: "Takes back a version's own revocations; puts it on no channel",
    details:
      'Inherited ones stay: restore the ancestor that they come from. Refused where all are inherited, and where images were deleted already.',
    examples: ['bakehouse restore base v3 --reason "false alarm"'],
  }).option('--reason <text>', 'why (required)');
  act<{ reason?: string }>(restore, async (context, { reason }, [bucket = '', version = '']) => {
    const why = required(reason, '--reason', '"false alarm"');
    const client = await context.client();
    const answer = await client.restoreVersion({ project: context.project, bucket, version, reason: why });
    context.answer(answer, () => formatVersion(answer));
  });

  const exempt = describe(program, {
    usage: 'exempt <bucket> <version>',
    summary: 'Shields a version from its revocations until a date',
    examples: [
      'bakehouse exempt base v3 --until 2026-04-01T00:00:00Z --reason "migration of the last cluster"',
    ],
  })
    .option('--until <instant>', 'the end, with its offset from UTC (required)')
    .option('--reason <text>', 'why (required)')
    .option('--descendants', 'also the versions baked from it');
  act<{ until?: string; reason?: string; descendants?: boolean }>(
    exempt,
    async (context, { until, reason, descendants }, [bucket = '', version = '']) => {
      const endsAt = parseInstant(required(until, '--until', '2026-04-01T00:00:00Z'));
      const why = required(reason, '--reason', '"migration of the last cluster"');
      const client = await context.client();
      const answer = await client.exemptVersion({
        project: context.project,
        bucket,
        version,
        endsAt,
        reason: why,
        descendants: descendants === true,
      });
      context.answer(answer, () =>
        formatFacts([
          ['exemption', answer.id],
          ['until', shortInstant(answer.endsAt)],
          ['reason', answer.reason],
        ]),
      );
    },
  );
}

async function recordNamed(
  client: Client,
  named: { readonly project: string; readonly bucket: string; readonly version: string },
  record: string,
): Promise<string> {
  if (record !== '') return record;
  const { records } = await client.listRevocations(named);
  const open = records.filter((one) => one.liftedAt === null && one.kind !== 'inherited');
  const [only, second] = open;
  if (only !== undefined && second === undefined) return only.id;
  throw new Failure(
    only === undefined ? 'illegal_state' : 'invalid_input',
    only === undefined
      ? `${named.bucket} ${named.version} has no explicit or policy revocation that is open`
      : `${named.bucket} ${named.version} has several open revocations; name one: ${open.map((one) => one.id).join(', ')}`,
  );
}

function formatRecord(record: Revocation): string {
  return formatFacts([
    ['revocation', record.id],
    ['due', shortInstant(record.dueAt)],
    ['reason', record.reason],
    ['descendants', yesNo(record.descendants)],
    ['roll back', yesNo(record.rollBack)],
    ['lifted', shortInstant(record.liftedAt)],
  ]);
}
