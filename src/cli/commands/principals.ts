import type { Command } from 'commander';
import type { ReplyOf } from '../../client/index.ts';
import { foreignClientId } from '../../config/cli-connection.ts';
import { parseDuration } from '../../domain/duration.ts';
import { Failure } from '../../domain/failure.ts';
import type { Role } from '../../domain/role.ts';
import { roles } from '../../domain/role.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { required } from '../options.ts';
import { formatTable, shortInstant } from '../output.ts';

interface Options {
  readonly role?: string;
  readonly bucket: Readonly<Record<string, Role>>;
  readonly none?: boolean;
  readonly grace?: string;
  readonly reason?: string;
}

type Listed = ReplyOf<'listPrincipals'>['principals'];
type Made = ReplyOf<'createPrincipal'>;
type Action = (context: CommandContext, options: Options, name: string) => Promise<void>;

export function addPrincipals(program: Command): void {
  const command = describe(program, {
    usage: 'principals <action> [name]',
    summary: 'Programs that may call: create, list, roles, rotate, revoke',
    details:
      '`create` and `rotate` print a client id and its secret for a shell, once: the secret is kept nowhere. `bakehouse` takes them where it has no token.\n' +
      'A principal lives in the project that it was created in, and is rotated and revoked there. `roles` replaces what it may do in the project; another\n' +
      'project of the same organization may give it roles as well. A role on a bucket is added to the one in the project.\n' +
      'After `rotate` the secret before works on for --grace; with 0s all of them end at once, with their tokens. A secret that nobody used yet is replaced.',
    examples: [
      'bakehouse principals create ci-images --role contributor',
      'bakehouse principals create terraform --bucket base=viewer --bucket web=viewer',
      'bakehouse principals list',
      'bakehouse principals roles ci-images --role viewer --bucket base=contributor',
      'bakehouse principals roles ci-images --none',
      'bakehouse principals rotate ci-images --grace 7d',
      'bakehouse principals revoke ci-images --reason "left the company"',
    ],
  })
    .option('--role <role>', `in the whole project: ${roles.join(', ')}`)
    .option('--bucket <name=role>', 'on one bucket, repeatable', bucketRole, {})
    .option('--none', 'no role at all, for `roles`')
    .option('--grace <duration>', 'how long the secret before works on after `rotate` (24h)')
    .option('--reason <text>', 'why it is revoked (required)');
  act<Options>(command, async (context, options, [action = '', name = '']) => {
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (run === undefined) {
      throw new Failure(
        'invalid_input',
        `there is no \`principals ${action}\`: write ${Object.keys(actions).join(', ')}`,
      );
    }
    if (name === '' && action !== 'list') {
      throw new Failure('invalid_input', `whom? Write \`principals ${action} <name>\``);
    }
    await run(context, options, name);
  });
}

const actions: Readonly<Record<string, Action>> = {
  async create(context, options, name) {
    refuseForeign(context);
    const client = await context.client();
    tell(context, await client.createPrincipal({ project: context.project, name, ...rolesOf(options) }));
  },
  async list(context) {
    const answer = await (await context.client()).listPrincipals({ project: context.project });
    context.answer(answer, () => formatPrincipals(answer.principals));
  },
  async roles(context, options, principal) {
    const isAny = options.role !== undefined || Object.keys(options.bucket).length > 0;
    if (isAny === (options.none === true)) {
      throw new Failure(
        'invalid_input',
        `which roles? They replace those that ${principal} has: write --role, --bucket or both, or --none`,
      );
    }
    const client = await context.client();
    const { project } = context;
    const answer = await client.setPrincipalRoles({ project, principal, ...rolesOf(options) });
    context.answer(answer, () => formatPrincipals([answer]));
  },
  async rotate(context, { grace }, principal) {
    refuseForeign(context);
    const client = await context.client();
    const given = grace === undefined ? {} : { graceMs: parseDuration(grace) };
    tell(context, await client.rotatePrincipal({ project: context.project, principal, ...given }));
  },
  async revoke(context, options, principal) {
    const reason = required(options.reason, '--reason', '"left the company"');
    const client = await context.client();
    const answer = await client.revokePrincipal({ project: context.project, principal, reason });
    context.answer(answer, `${answer.name} is revoked\n`);
  },
};

function rolesOf({ role, bucket }: Options) {
  return {
    role: role === undefined ? null : roleOf(role),
    buckets: Object.entries(bucket).map(([name, held]) => ({ bucket: name, role: held })),
  };
}

function roleOf(text: string): Role {
  const role = roles.find((known) => known === text);
  if (role !== undefined) return role;
  throw new Failure('invalid_input', `"${text}" is no role: write ${roles.join(', ')}`);
}

/** `--bucket base=viewer`, collected. */
function bucketRole(text: string, before: Readonly<Record<string, Role>>): Readonly<Record<string, Role>> {
  const at = text.lastIndexOf('=');
  if (at < 1)
    throw new Failure('invalid_input', `--bucket "${text}": write name=role, for example base=viewer`);
  return { ...before, [text.slice(0, at)]: roleOf(text.slice(at + 1)) };
}

/** Those lines would put credentials of Bakehouse in the place of HCP's, for every program of the shell. */
function refuseForeign({ json }: CommandContext): void {
  const foreign = foreignClientId();
  if (json || foreign === undefined) return;
  throw new Failure(
    'invalid_input',
    `HCP_CLIENT_ID is "${foreign}" here, which Bakehouse did not give out, and the lines to print would replace it: unset HCP_CLIENT_ID and HCP_CLIENT_SECRET first, or take --json`,
  );
}

/** For `eval`, or to be copied into the settings of a CI. */
function tell(context: CommandContext, made: Made): void {
  context.answer(
    made,
    `export HCP_CLIENT_ID='${made.clientId}'\nexport HCP_CLIENT_SECRET='${made.clientSecret}'\n`,
  );
  const [, before] = made.principal.secrets;
  const ending =
    before?.endsAt === undefined || before.endsAt === null
      ? ''
      : `; the one before works until ${shortInstant(before.endsAt)}`;
  context.say(
    `${made.principal.name}: the secret is shown this once${ending}. \`bakehouse env\` prints the address that goes with it`,
  );
}

function formatPrincipals(principals: Listed): string {
  return formatTable(
    ['name', 'role', 'buckets', 'lives in', 'client id', 'last token', 'ends'],
    principals.flatMap(({ name, role, buckets, project, secrets }) => {
      const held = buckets.map((one) => `${one.bucket}=${one.role}`).join(' ');
      const shown = secrets.length === 0 ? [undefined] : secrets;
      return shown.map((secret) => [
        name,
        role,
        held === '' ? null : held,
        project,
        secret?.clientId,
        shortInstant(secret?.usedAt ?? null),
        shortInstant(secret?.endsAt ?? null),
      ]);
    }),
  );
}
