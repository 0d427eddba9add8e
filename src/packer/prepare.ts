/** Brings an attempt's folder to the point where Packer can be started; whoever comes second finds it done. */
import { realpath } from 'node:fs/promises';

import { Failure } from '../domain/failure.ts';
import type { AttemptInput, VariableValue } from './attempt.ts';
import type { AttemptPlaces, AttemptRecord } from './attempt-folder.ts';
import { makeTemporary } from './temporary-folder.ts';
import { makeFolders, readAttempt, writeAttempt, writePrivate } from './attempt-folder.ts';
import { refuseShownSecrets } from './command-lines.ts';
import { choosePacker } from './choose-packer.ts';
import type { DetectedPacker } from './detect.ts';
import { packerEnvironment } from './environment.ts';
import { checkout } from './git.ts';
import { inspectSources } from './inspect.ts';
import { refuseUnready } from './publishing.ts';
import { secretsOf } from './secrets.ts';
import { checkTemplate, chosenSources } from './template-contract.ts';
import type { TemplateFacts } from './template-facts.ts';
import { readTemplate } from './template-facts.ts';
import type { TemplateEntry } from './template-files.ts';
import { openTemplate, writeTemplate } from './template-files.ts';

export interface PrepareOptions {
  readonly packers: readonly DetectedPacker[];
  readonly git: string;
  readonly cacheDir: string;
  readonly caller: Readonly<Record<string, string | undefined>>;
}

const defaultGraceMs = 120_000;

export async function prepare(
  input: AttemptInput,
  places: AttemptPlaces,
  options: PrepareOptions,
): Promise<AttemptRecord> {
  const before = await readAttempt(places);
  if (before !== undefined) return before;
  const { entry, facts } = await bringTemplate(input, places, options);
  checkTemplate(facts, { variables: Object.keys(input.variables), only: input.only });
  refuseShownSecrets(facts, input);
  const chosen = chosenSources(facts, input.only);
  refuseUnready(
    facts,
    chosen.map((one) => one.builderType),
  );
  const packer = choosePacker(options.packers, {
    builders: chosen.map((one) => one.builderType),
    modern: facts.requiredPlugins.length > 0,
    hcpRegistry: facts.hcpRegistry,
    hcpData: facts.hcpData,
  });
  const environment = packerEnvironment(
    options.caller,
    {
      home: places.home,
      temporary: await makeTemporary(places.temporary),
      cache: options.cacheDir,
      ...(packer.plugins === undefined ? {} : { plugins: packer.plugins }),
    },
    input.environment,
  );
  const variables = variablesOf(input, places, facts);
  checkReads(facts, variables, environment);
  const secrets = secretsOf(input, facts, variables);
  const values = secrets.map(({ value }) => value);
  const sources = await inspectSources(packer, entry, environment, facts, chosen, values);
  await writePrivate(places.variables, variables);
  await writePrivate(places.secrets, secrets);
  const only = input.only.length === 0 ? [] : [`-only=${chosen.map((one) => one.target).join(',')}`];
  const common = [...only, `-var-file=${places.variables}`, entry.argument];
  const record: AttemptRecord = {
    mark: input.mark,
    packer: { path: packer.path, version: packer.version },
    sources,
    folder: entry.folder,
    args: ['build', '-machine-readable', '-color=false', '-on-error=cleanup', ...common],
    validateArgs: ['validate', '-machine-readable', ...common],
    // What was given for this attempt only is passed again by whoever begins it, and is not kept here.
    environment: withoutGiven(environment, input),
    timeLimitMs: input.timeLimitMs,
    graceMs: input.graceMs ?? defaultGraceMs,
    ...(facts.form === 'json' ? { advice: legacyAdvice(entry.argument) } : {}),
  };
  await writeAttempt(places, record);
  return record;
}

const legacyAdvice = (file: string): string =>
  `bakehouse: this template is legacy JSON, which Packer still bakes and no longer develops; \`packer hcl2_upgrade -with-annotations ${file}\` writes it as HCL2`;

/** An environment that was not given reads as empty text, and the bake fails late, or makes something else. */
function checkReads(
  facts: TemplateFacts,
  variables: Readonly<Record<string, VariableValue>>,
  environment: Readonly<Record<string, string>>,
): void {
  const lacking = facts.variables
    .filter(({ name }) => !Object.hasOwn(variables, name))
    .flatMap(({ name, reads = [] }) =>
      reads.filter((read) => !Object.hasOwn(environment, read)).map((read) => `${name} reads ${read}`),
    );
  if (lacking.length === 0) return;
  throw new Failure(
    'invalid_input',
    `variables of the template read an environment that Packer does not get here: ${lacking.join(', ')}. Set the variable under \`variables\`, or name it under \`secrets\` with \`into: { environment: … }\``,
  );
}

function withoutGiven(environment: Readonly<Record<string, string>>, input: AttemptInput) {
  const given = input.environment ?? {};
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !Object.hasOwn(given, name)));
}

/** The template in the attempt's folder, and what its text says. Done once. */
export async function bringTemplate(
  { template }: Pick<AttemptInput, 'template'>,
  places: AttemptPlaces,
  { git, caller }: Pick<PrepareOptions, 'git' | 'caller'>,
): Promise<{ readonly entry: TemplateEntry; readonly facts: TemplateFacts }> {
  await makeFolders(places);
  if (template.kind === 'snapshot') {
    await writeTemplate(template.files, template.digest, places.template);
  } else {
    const { repository, commit } = template;
    await checkout(repository, commit, places.template, { git, environment: caller });
  }
  const entry = await openTemplate(await realpath(places.template), template.entry);
  return { entry, facts: await readTemplate(entry.texts) };
}

/** Those that the template declares; ours win over the line's, which may not set them. */
function variablesOf(
  input: AttemptInput,
  places: AttemptPlaces,
  facts: TemplateFacts,
): Readonly<Record<string, VariableValue>> {
  const { bakeId, attemptId, imageName } = input.mark;
  const own: Readonly<Record<string, VariableValue>> = {
    bake_id: bakeId,
    attempt_id: attemptId,
    image_name: imageName,
    output_directory: places.output,
    manifest_path: places.manifest,
  };
  const taken = Object.keys(input.variables).filter((name) => Object.hasOwn(own, name));
  if (taken.length > 0) {
    throw new Failure('invalid_input', `${taken.join(', ')} cannot be set: Bakehouse sets it for each bake`);
  }
  const declared = new Set(facts.variables.map((one) => one.name));
  const all = { ...input.offered, ...input.variables, ...own };
  const unset = facts.variables.filter((one) => one.required && !Object.hasOwn(all, one.name));
  if (unset.length > 0) {
    const names = unset.map((one) => one.name).join(', ');
    throw new Failure('invalid_input', `the template needs a value for ${names}; set it under \`variables\``);
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => declared.has(name)));
}
