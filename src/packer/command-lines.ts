/**
 * What Packer writes on a command line, which every user of the host can read for as long as it runs: `shell-local` starts
 * `/bin/sh -c "NAME='value' script"`, `ansible` and `inspec` start those programs with arguments, and the `qemu` builder starts QEMU. Pure.
 */
import { Failure } from '../domain/failure.ts';
import type { AttemptInput } from './attempt.ts';
import { blockList, type HclValue, isMapping, labelled } from './hcl-value.ts';
import { withLocals } from './hcl-locals.ts';
import type { TemplateFacts, TemplateSourceFact } from './template-facts.ts';

type Mapping = Readonly<Record<string, HclValue>>;

interface Shown {
  readonly settings: readonly string[];
  /** What to write instead. */
  readonly remedy: string;
}

const inherited = 'name it under `secrets` with `into: { environment: … }`, which';

/** By type of provisioner, post-processor or source. What is not here runs in the guest, or starts nothing on the host. */
const shown: ReadonlyMap<string, Shown> = new Map([
  [
    // https://developer.hashicorp.com/packer/docs/provisioners/shell-local; `inline` goes into a file of the attempt's own folder.
    'shell-local',
    {
      settings: ['environment_vars', 'env', 'execute_command'],
      remedy: `use it in \`inline\`, or ${inherited} shell-local inherits`,
    },
  ],
  [
    // https://developer.hashicorp.com/packer/integrations/hashicorp/ansible; `ansible_env_vars` is an environment.
    'ansible',
    {
      settings: ['extra_arguments', 'ansible_ssh_extra_args', 'command', 'galaxy_command'],
      remedy: `${inherited} Ansible inherits, and read it by \`lookup('env', …)\``,
    },
  ],
  [
    // https://developer.hashicorp.com/packer/integrations/hashicorp/inspec; `inspec_env_vars` is an environment.
    'inspec',
    {
      settings: ['extra_arguments', 'command', 'profile'],
      remedy: `${inherited} InSpec inherits, and read it by \`ENV[…]\``,
    },
  ],
  [
    // https://developer.hashicorp.com/packer/integrations/hashicorp/qemu
    'qemu',
    {
      settings: ['qemuargs', 'qemu_img_args'],
      remedy: 'give it to the guest by a `shell` or `file` provisioner',
    },
  ],
]);

/** A variable that stands in a setting of a block of this type. */
export interface ShownVariable {
  readonly name: string;
  readonly block: string;
  readonly setting: string;
}

/** `var.token`, `var["token"]`, and what legacy templates write between `{{` and `}}`. */
const uses = /\bvar\s*(?:\.\s*([\w-]+)|\[\s*"([\w-]+)"\s*\])|\buser\s+[`"]([\w-]+)[`"]/g;

/** Of one block of either form. `defaults`: of a legacy template's variables, which may name other variables. */
export function shownVariables(
  block: string,
  body: Mapping,
  { locals = {}, defaults = {} }: { readonly locals?: Mapping; readonly defaults?: Mapping } = {},
): readonly ShownVariable[] {
  const overrides = isMapping(body['override']) ? Object.values(body['override']) : [];
  const bodies = [body, ...overrides.filter((one) => isMapping(one))];
  return (shown.get(block)?.settings ?? []).flatMap((setting) => {
    const held = withLocals({ [setting]: bodies.map((one) => one[setting] ?? null) }, locals);
    return [...variablesIn(held, defaults)].map((name) => ({ name, block, setting }));
  });
}

function variablesIn(value: HclValue, defaults: Mapping, seen = new Set<string>()): ReadonlySet<string> {
  for (const [, dotted, quoted, legacy] of textsOf(value).flatMap((text) => [...text.matchAll(uses)])) {
    const name = dotted ?? quoted ?? legacy ?? '';
    if (seen.has(name)) continue;
    seen.add(name);
    variablesIn(defaults[name] ?? null, defaults, seen);
  }
  return seen;
}

/** Keys too: HCL computes them. */
function textsOf(value: HclValue): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsOf(inner)]);
}

export function shownByBuilds(builds: readonly Mapping[], locals: Mapping): readonly ShownVariable[] {
  const holders = builds.flatMap((build) => [build, ...blockList(build['post-processors'])]);
  const blocks = ['provisioner', 'error-cleanup-provisioner', 'post-processor'];
  return holders
    .flatMap((holder) => blocks.flatMap((block) => labelled(holder[block])))
    .flatMap(([type, body]) => shownVariables(type, body, { locals }));
}

/** Their locals are resolved already. */
export function shownBySources(
  sources: readonly TemplateSourceFact[],
  defaults: Mapping = {},
): readonly ShownVariable[] {
  return sources.flatMap(({ builderType, body }) => shownVariables(builderType, body, { defaults }));
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
  const byBlock = Map.groupBy(
    commandLines.filter(({ name }) => secrets.has(name)),
    ({ block }) => block,
  );
  if (byBlock.size === 0) return;
  const refusals = [...byBlock].map(([block, found]) => {
    const listed = (key: 'name' | 'setting') => [...new Set(found.map((one) => one[key]))].join(', ');
    return `${block} uses the secret ${listed('name')} in ${listed('setting')}, which Packer writes on a command line that every user of the host can read: ${shown.get(block)?.remedy ?? ''}`;
  });
  throw new Failure('invalid_input', refusals.join('; '));
}
