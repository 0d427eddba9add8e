/**
 * What Packer writes on a command line, which every user of the host can read for as long as it runs: `shell-local` starts
 * `/bin/sh -c "NAME='value' script"`. What stands in `inline` goes into a file of the attempt's own folder instead. Pure.
 */
import { Failure } from '../domain/failure.ts';
import type { AttemptInput } from './attempt.ts';
import { blockList, type HclValue, labelled } from './hcl-value.ts';
import { withLocals } from './hcl-locals.ts';
import type { TemplateFacts } from './template-facts.ts';

type Mapping = Readonly<Record<string, HclValue>>;

/** https://developer.hashicorp.com/packer/docs/provisioners/shell-local */
const shown = ['environment_vars', 'env', 'execute_command'] as const;

/** Names of the variables that these settings of a `shell-local` use, of whichever form the template is. */
export function shownVariables(settings: Mapping, locals: Mapping = {}): readonly string[] {
  const own = Object.fromEntries(
    shown.flatMap((name) => (name in settings ? [[name, settings[name] ?? null]] : [])),
  );
  const words = JSON.stringify(withLocals(own, locals));
  const uses = /\bvar\.([\w-]+)|\{\{-?\s*user\s+(?:`|\\")([\w-]+)/g;
  return [...words.matchAll(uses)].flatMap(([, hcl, legacy]) => hcl ?? legacy ?? []);
}

export function shownByBuilds(builds: readonly Mapping[], locals: Mapping): readonly string[] {
  const holders = builds.flatMap((build) => [build, ...blockList(build['post-processors'])]);
  const blocks = ['provisioner', 'error-cleanup-provisioner', 'post-processor'];
  return holders
    .flatMap((holder) => blocks.flatMap((block) => labelled(holder[block])))
    .flatMap(([type, body]) => (type === 'shell-local' ? shownVariables(body, locals) : []));
}

/** Throws `invalid_input` where that would show what Bakehouse gives to this attempt. What the template calls sensitive is its own. */
export function refuseShownSecrets(
  { variables, commandLines }: Pick<TemplateFacts, 'variables' | 'commandLines'>,
  {
    secret = [],
    environment = {},
    openEnvironment = [],
  }: Pick<AttemptInput, 'secret' | 'environment' | 'openEnvironment'>,
): void {
  const given = Object.keys(environment).filter((name) => !openEnvironment.includes(name));
  const readers = variables.filter(({ reads = [] }) => reads.some((name) => given.includes(name)));
  const secrets = new Set([...secret, ...readers.map(({ name }) => name)]);
  const names = [...new Set(commandLines)].filter((name) => secrets.has(name));
  if (names.length === 0) return;
  throw new Failure(
    'invalid_input',
    `a shell-local uses the secret ${names.join(', ')} in ${shown.join(', ')}, which Packer writes on a command line that every user of the host can read: use it in \`inline\`, or name it under \`secrets\` with \`into: { environment: … }\`, which shell-local inherits`,
  );
}
