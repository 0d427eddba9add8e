import type { Command } from 'commander';
import { formatDuration } from '../../domain/duration.ts';
import type { ReplyOf } from '../../client/index.ts';
import { act, describe } from '../command.ts';
import { colors, formatTable, shortInstant } from '../output.ts';
import { required, wholeNumber } from '../options.ts';

type Channel = ReplyOf<'getChannel'>;

export function addChannels(program: Command): void {
  const list = describe(program, {
    usage: 'channels <bucket> [channel]',
    summary: 'Channels of a bucket and what they point to now',
    examples: ['bakehouse channels base', 'bakehouse channels base prod --history'],
  })
    .option('--history', 'all assignments of the channel, newest first')
    .option('--limit <count>', 'how many of the history', wholeNumber, 20);
  act<{ history?: boolean; limit: number }>(
    list,
    async (context, { history, limit }, [bucket = '', channel = '']) => {
      const client = await context.client();
      const { project } = context;
      if (history === true) {
        const name = required(channel === '' ? undefined : channel, '<channel>', 'prod');
        const answer = await client.getChannelHistory({ project, bucket, channel: name, limit });
        context.answer(answer, () =>
          formatTable(
            ['#', 'version', 'cause', 'by', 'at'],
            answer.history.map((one) => [
              one.sequence,
              one.versionName,
              one.cause,
              one.by.name,
              shortInstant(one.at),
            ]),
          ),
        );
        return;
      }
      if (channel !== '') {
        const one = await client.getChannel({ project, bucket, channel });
        context.answer(one, () => formatChannels([one]));
        return;
      }
      const answer = await client.listChannels({ project, bucket });
      context.answer(answer, () => formatChannels(answer.channels));
    },
  );

  const assign = describe(program, {
    usage: 'assign <bucket> <channel> <version>',
    summary: 'Assigns a version to an open channel directly; `none` unassigns',
    details: 'An open channel has no gates. One with gates takes no version this way: promote it instead.',
    examples: ['bakehouse assign base sandbox v3', 'bakehouse assign base sandbox none'],
  });
  act(assign, async (context, _, [bucket = '', channel = '', version = '']) => {
    const client = await context.client();
    const { project } = context;
    const { effective } = await client.getChannel({ project, bucket, channel });
    const moved = await client.assignChannel({
      project,
      bucket,
      channel,
      version: version === 'none' ? null : version,
      expected: effective.assignmentId,
    });
    context.answer(moved, () => formatChannels([moved]));
  });

  const back = describe(program, {
    usage: 'rollback <bucket> <channel>',
    summary: 'Puts a channel back to the version before, or to the one named',
    details: 'The version that is left is not rolled back to again.',
    examples: [
      'bakehouse rollback base prod --reason "kernel panics on c5"',
      'bakehouse rollback base prod --to v3 --reason "last one that works"',
    ],
  })
    .option('--to <version>', 'the version to go back to; the newest usable one before when absent')
    .option('--reason <text>', 'why; kept in the history (required)');
  act<{ to?: string; reason?: string }>(
    back,
    async (context, { to, reason }, [bucket = '', channel = '']) => {
      const why = required(reason, '--reason', '"kernel panics"');
      const client = await context.client();
      const moved = await client.rollBackChannel({
        project: context.project,
        bucket,
        channel,
        reason: why,
        ...(to === undefined ? {} : { to }),
      });
      context.answer(moved, () => formatChannels([moved]));
    },
  );
}

function formatChannels(channels: readonly Channel[]): string {
  return formatTable(
    ['channel', 'version', 'gates'],
    channels.map((channel) => [channel.name, pointsTo(channel), gatesOf(channel)]),
  );
}

function pointsTo({ effective }: Channel): string {
  const name = effective.versionName ?? 'unassigned';
  return effective.revoked ? `${name} ${colors.red('revoked')}` : name;
}

function gatesOf({ gates, managed }: Channel): string {
  if (managed) return 'moved by completion';
  const names = [
    gates.tested ? 'tested' : '',
    gates.verified ? 'verified' : '',
    gates.inOrder ? 'in order' : '',
    gates.soakMs > 0 ? `soak ${formatDuration(gates.soakMs)}` : '',
    gates.approvals > 0 ? `${gates.approvals} approvals` : '',
  ].filter((name) => name !== '');
  return names.length === 0 ? 'open' : names.join(', ');
}
