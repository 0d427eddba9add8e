import type { Command } from 'commander';
import { act, describe } from '../command.ts';
import { wholeNumber } from '../options.ts';
import { colorState, formatTable, formatFacts, shortInstant, yesNo } from '../output.ts';

interface Filter {
  readonly bucket?: string;
  readonly version?: string;
  readonly limit: number;
}

export function addAudit(program: Command): void {
  const receipts = describe(program, {
    usage: 'receipts',
    summary: 'What was made true in the clouds, newest first',
    examples: ['bakehouse receipts --bucket base --version v3'],
  });
  act<Filter>(filtered(receipts), async (context, filter) => {
    const answer = await (
      await context.client()
    ).listReceipts({ project: context.project, ...filterOf(filter) });
    context.answer(answer, () =>
      formatTable(
        ['at', 'action', 'outcome', 'launchable', 'target', 'version', 'detail'],
        answer.receipts.map((one) => [
          shortInstant(one.at),
          one.action,
          colorState(one.outcome),
          one.launchable === null ? null : yesNo(one.launchable),
          `${one.target.provider}/${one.target.account}/${one.target.region}`,
          one.versionId,
          one.detail,
        ]),
      ),
    );
  });

  const events = describe(program, {
    usage: 'events',
    summary: 'The audit trail: who did what, and when, oldest first',
    examples: ['bakehouse events --bucket base', 'bakehouse events --after 1200 --json'],
  }).option('--after <sequence>', 'only after this sequence number', wholeNumber, 0);
  act<Filter & { after: number }>(filtered(events), async (context, { after, ...filter }) => {
    const client = await context.client();
    const answer = await client.listEvents({ project: context.project, after, ...filterOf(filter) });
    context.answer(answer, () =>
      formatTable(
        ['#', 'at', 'event', 'bucket', 'version', 'by'],
        answer.events.map((one) => [
          one.sequence,
          shortInstant(one.at),
          one.kind,
          one.bucket,
          one.versionId,
          one.by.name,
        ]),
      ),
    );
  });

  const hosts = describe(program, {
    usage: 'hosts',
    summary: 'Bake hosts of the installation and what they can build',
    examples: ['bakehouse hosts'],
  });
  act(hosts, async (context) => {
    const answer = await (await context.client()).listHosts({});
    const now = Date.parse(answer.now);
    context.answer(answer, () =>
      formatTable(
        ['host', 'name', 'slots', 'seen', 'builders'],
        answer.hosts.map((one) => [
          one.id,
          one.name,
          one.slots,
          `${Math.max(0, Math.round((now - Date.parse(one.seenAt)) / 1000))} s ago`,
          one.builders.join(' '),
        ]),
      ),
    );
  });

  const outbox = describe(program, {
    usage: 'outbox',
    summary: 'What waits to be delivered to Temporal; empty when all is well',
    examples: ['bakehouse outbox'],
  });
  act(outbox, async (context) => {
    const answer = await (await context.client()).getOutbox({});
    context.answer(answer, () =>
      formatFacts([
        ['waiting', answer.count],
        ['oldest', shortInstant(answer.oldestAt)],
        ['last error', answer.lastError],
      ]),
    );
  });
}

function filtered(command: Command): Command {
  return command
    .option('--bucket <bucket>', 'only of this bucket')
    .option('--version <version>', 'only of this version; needs --bucket')
    .option('--limit <count>', 'how many', wholeNumber, 100);
}

function filterOf({ bucket, version, limit }: Filter): Filter {
  return {
    limit,
    ...(bucket === undefined ? {} : { bucket }),
    ...(version === undefined ? {} : { version }),
  };
}
