import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Client, FailureCode, ReplyOf } from '../../client/index.ts';
import { Failure } from '../../client/index.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { required, wholeNumber } from '../options.ts';
import { colorState, formatFacts, formatTable, shortInstant } from '../output.ts';

type Promotion = ReplyOf<'getPromotion'>;

export function addPromotions(program: Command): void {
  const promote = describe(program, {
    usage: 'promote <bucket> <version> <channel>',
    summary: "Puts a version on a channel once the channel's gates are open",
    details:
      'Waits for the end and shows what it waits for; ends with exit code 5 when it is refused or rejected.',
    examples: [
      'bakehouse promote base v3 prod --reason "soaked for a week"',
      'bakehouse promote base v3 prod --no-wait',
    ],
  })
    .option('--reason <text>', 'why; kept with the promotion', '')
    .option('--no-wait', 'return once it is asked for');
  act<{ reason: string; wait: boolean }>(
    promote,
    async (context, { reason, wait }, [bucket = '', version = '', channel = '']) => {
      const client = await context.client();
      const { project } = context;
      const asked = await client.requestPromotion({ project, bucket, channel, version, reason });
      const promotion = wait ? await untilEnded(context, client, asked) : asked;
      context.answer(promotion, () => formatPromotion(promotion));
      const failure = wait ? failureOfPromotion(promotion) : undefined;
      if (failure !== undefined) throw failure;
    },
  );

  const list = describe(program, {
    usage: 'promotions [promotion]',
    summary: 'Promotions of the project, newest first, or one in full',
    examples: ['bakehouse promotions', 'bakehouse promotions --bucket base'],
  })
    .option('--bucket <bucket>', 'only of this bucket')
    .option('--waiting', 'only those that wait for their gates')
    .option('--limit <count>', 'how many', wholeNumber, 20);
  act<{ bucket?: string; waiting?: boolean; limit: number }>(list, async (context, options, [id = '']) => {
    const client = await context.client();
    const { project } = context;
    if (id !== '') {
      const promotion = await client.getPromotion({ project, promotion: id });
      context.answer(promotion, () => formatPromotion(promotion));
      return;
    }
    const answer = await client.listPromotions({
      project,
      limit: options.limit,
      ...(options.bucket === undefined ? {} : { bucket: options.bucket }),
      ...(options.waiting === true ? { state: 'waiting' as const } : {}),
    });
    context.answer(answer, () =>
      formatTable(
        ['promotion', 'bucket', 'version', 'channel', 'state', 'approvals', 'by', 'created'],
        answer.promotions.map((one) => [
          one.id,
          one.bucket,
          one.versionName,
          one.channel,
          colorState(one.state),
          one.approvals.length,
          one.by.name,
          shortInstant(one.createdAt),
        ]),
      ),
    );
  });

  const approve = describe(program, {
    usage: 'approve <promotion>',
    summary: 'Approves a waiting promotion; once per person',
    examples: ['bakehouse approve 01JZZ7V3C6Q5J8Y4M0T2K9W1RB'],
  });
  act(approve, async (context, _, [id = '']) => {
    const promotion = await (
      await context.client()
    ).approvePromotion({ project: context.project, promotion: id });
    context.answer(promotion, () => formatPromotion(promotion));
  });

  const reject = describe(program, {
    usage: 'reject <promotion>',
    summary: 'Ends a waiting promotion',
    examples: ['bakehouse reject 01JZZ7V3C6Q5J8Y4M0T2K9W1RB --reason "freeze until Monday"'],
  }).option('--reason <text>', 'why (required)');
  act<{ reason?: string }>(reject, async (context, { reason }, [id = '']) => {
    const why = required(reason, '--reason', '"freeze until Monday"');
    const client = await context.client();
    const promotion = await client.rejectPromotion({ project: context.project, promotion: id, reason: why });
    context.answer(promotion, () => formatPromotion(promotion));
  });
}

async function untilEnded(context: CommandContext, client: Client, asked: Promotion): Promise<Promotion> {
  const named = { project: context.project, promotion: asked.id };
  let promotion = asked;
  let shown = '';
  while (promotion.state === 'waiting' || promotion.state === 'publishing') {
    const gates = promotion.state === 'waiting' ? await client.getPromotionGates(named) : undefined;
    const now = gates?.verdict === 'wait' ? `waiting for ${gates.waitingFor.join('; ')}` : promotion.state;
    if (now !== shown) context.say(`promotion ${asked.id}: ${now}`);
    shown = now;
    await sleep(500);
    promotion = await client.getPromotion(named);
  }
  return promotion;
}

function failureOfPromotion(promotion: Promotion): Failure | undefined {
  const codes: Partial<Record<Promotion['state'], FailureCode>> = {
    refused: 'illegal_state',
    rejected: 'illegal_state',
    superseded: 'superseded',
    failed: 'provider_unavailable',
  };
  const code = codes[promotion.state];
  if (code === undefined) return undefined;
  const { bucket, versionName, channel, state, detail } = promotion;
  return new Failure(code, `${bucket} ${versionName} is not on ${channel}: ${state}: ${detail}`);
}

function formatPromotion(promotion: Promotion): string {
  return formatFacts([
    ['promotion', promotion.id],
    ['version', `${promotion.bucket} ${promotion.versionName}`],
    ['channel', promotion.channel],
    ['state', colorState(promotion.state)],
    ...(promotion.detail === '' ? [] : [['detail', promotion.detail] as const]),
    ['approvals', promotion.approvals.map((one) => one.by).join(', ') || '-'],
    ['reason', promotion.reason],
    ['by', promotion.by.name],
    ['created', shortInstant(promotion.createdAt)],
    ['ended', shortInstant(promotion.endedAt)],
  ]);
}
