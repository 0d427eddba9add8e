import type { Command } from 'commander';
import { act, describe } from '../command.ts';
import { formatTable } from '../output.ts';

interface Options {
  readonly quiet?: boolean;
  readonly provider?: string;
  readonly account?: string;
  readonly region?: string;
}

export function addResolve(program: Command): void {
  const command = describe(program, {
    usage: 'resolve <bucket> <channel>',
    summary: 'Which image to use now',
    details:
      'Refuses an unassigned channel and a revoked version (exit code 5), and says which and since when; a name that does not exist ends with 2.',
    examples: ['bakehouse resolve base prod', 'image=$(bakehouse resolve base prod -q --provider qemu)'],
  })
    .option('-q, --quiet', 'print the image ids only, one a line')
    .option('--provider <code>', 'only images of this provider')
    .option('--account <account>', 'only images in this account')
    .option('--region <region>', 'only images in this region');
  act<Options>(command, async (context, { quiet, ...place }, [bucket = '', channel = '']) => {
    const client = await context.client();
    const resolution = await client.resolveChannel({
      project: context.project,
      bucket,
      channel,
      ...pick(place),
    });
    if (quiet === true) {
      context.answer(
        resolution.images.map((image) => image.imageId),
        resolution.images.map((image) => `${image.imageId}\n`).join(''),
      );
      return;
    }
    context.answer(resolution, () =>
      formatTable(
        ['version', 'provider', 'account', 'region', 'image', 'digest'],
        resolution.images.map((image) => [
          resolution.versionName,
          image.provider,
          image.account,
          image.region,
          image.imageId,
          image.digest,
        ]),
      ),
    );
  });
}

function pick({ provider, account, region }: Options): Omit<Options, 'quiet'> {
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(account === undefined ? {} : { account }),
    ...(region === undefined ? {} : { region }),
  };
}
