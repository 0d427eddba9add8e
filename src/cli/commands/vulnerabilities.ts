import path from 'node:path';
import type { Command } from 'commander';
import { ulid } from 'ulid';
import type { ReplyOf } from '../../client/index.ts';
import { Failure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { formatFacts, harmless } from '../output.ts';

export function addVulnerabilities(program: Command): void {
  const command = describe(program, {
    usage: 'vulnerabilities <action> <file>',
    summary: 'Advisories that the packages of SBOMs are compared with: import',
    details:
      'The file is OSV: one JSON object, an array or lines of them, or a zip of such files, as the databases give it out. Nothing is fetched: import a\n' +
      'newer file from time to time. What is there already is replaced by what is newer. It is for whoever holds the token of the installation.',
    examples: ['bakehouse vulnerabilities import all.zip', 'bakehouse vulnerabilities import advisory.json'],
    shared: ['url', 'dataDir', 'json'],
  });
  act(command, async (context, _, [action = '', file = '']) => {
    if (action !== 'import') {
      throw new Failure('invalid_input', `there is no \`vulnerabilities ${action}\`: write import`);
    }
    await importFile(context, file);
  });
}

async function importFile(context: CommandContext, file: string): Promise<void> {
  // Only this command reads zips and streams of JSON.
  const [{ recordsOf }, { batchesOf }] = await Promise.all([
    import('../osv/records.ts'),
    import('../osv/batches.ts'),
  ]);
  const client = await context.client();
  const importId = ulid();
  let taken: ReplyOf<'importVulnerabilities'> | undefined;
  let batch = 0;
  let left = 0;
  for await (const { advisories, last, passedOver } of batchesOf(recordsOf(file))) {
    batch += 1;
    left = passedOver;
    taken = await client.importVulnerabilities({
      import: importId,
      file: path.basename(file).slice(0, 500),
      batch,
      last,
      advisories,
    });
    if (!context.json && !last) process.stderr.write(harmless(`${taken.advisories} advisories …\n`));
  }
  context.answer({ ...taken, passedOver: left }, () =>
    formatFacts([
      ['advisories', String(taken?.advisories ?? 0)],
      ['passed over', String(left)],
    ]),
  );
}
