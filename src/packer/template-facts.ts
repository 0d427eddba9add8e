/**
 * What a template's text says: sources, variables, manifests. Read with HashiCorp's own HCL parser, without Packer, so
 * that a server that has no Packer can check a template too. What Packer itself says about sources wins (`inspect`).
 */
import { parse } from '@cdktn/hcl2json';

import { Failure } from '../domain/failure.ts';
import { shownByBuilds, shownBySources, type ShownVariable } from './command-lines.ts';
import { parseLegacy } from './legacy-template.ts';
import { blockList, isMapping, labelled, strings, text } from './hcl-value.ts';
import { localsOf, withLocals } from './hcl-locals.ts';
import type { HclValue } from './hcl-value.ts';

export interface TemplateSourceFact {
  /** `qemu.base`: builder type and name, unique in a template. */
  readonly source: string;
  readonly builderType: string;
  /** What Packer's output calls it: `build.qemu.base` when its build has a name. */
  readonly target: string;
  /** What the manifest calls it: the name in the source block, also when the build gives it another one. */
  readonly manifestName: string;
  /** The block's content, expressions as `${…}`; what a setting takes from a local stands beside it in a list. */
  readonly body: Readonly<Record<string, HclValue>>;
}

interface TemplateVariable {
  readonly name: string;
  readonly required: boolean;
  readonly sensitive: boolean;
  /** Only a default that is a plain string. */
  readonly default?: string;
  /** Names of the environment that its default reads. */
  readonly reads?: readonly string[];
}

interface ManifestFact {
  readonly output: string;
  readonly customData: Readonly<Record<string, string>>;
}

export interface TemplateFacts {
  readonly form: 'hcl2' | 'json';
  readonly sources: readonly TemplateSourceFact[];
  readonly variables: readonly TemplateVariable[];
  /** One entry per build block: the manifest post-processors it has. Legacy templates are one build. */
  readonly manifests: readonly (readonly ManifestFact[])[];
  /** `github.com/hashicorp/qemu`, … Packer before 1.7 refuses a template that has them. */
  readonly requiredPlugins: readonly string[];
  /** It publishes what it makes. */
  readonly hcpRegistry: boolean;
  /** It has data sources that read a registry. */
  readonly hcpData: boolean;
  /** Variables that it makes Packer write on a command line, and where. */
  readonly commandLines: readonly ShownVariable[];
}

/** `texts`: the template files of one folder by name. Throws `invalid_input` with file, line and the parser's words. */
export async function readTemplate(texts: Readonly<Record<string, string>>): Promise<TemplateFacts> {
  const [only, ...others] = Object.entries(texts);
  if (only !== undefined && others.length === 0 && isLegacy(only[0])) return parseLegacy(...only);
  const roots = await Promise.all(
    Object.entries(texts).map(async ([name, content]) => parseFile(name, content)),
  );
  const blocks = (type: string) => roots.flatMap((root) => blockList(root[type]));
  const builds = blocks('build');
  const locals = localsOf(roots);
  const sources = sourcesOf(labelledTwice(roots), builds, locals);
  return {
    form: 'hcl2',
    sources,
    variables: roots
      .flatMap((root) => labelled(root['variable']))
      .map(([name, body]) => variable(name, body)),
    manifests: builds.map(manifestsOf),
    requiredPlugins: blocks('packer')
      .flatMap((packer) => blockList(packer['required_plugins']))
      .flatMap((plugins) => Object.values(plugins))
      .flatMap((plugin) => (isMapping(plugin) ? [text(plugin['source']) ?? ''] : [])),
    // Since Packer 1.13 it stands beside the builds.
    hcpRegistry:
      blocks('hcp_packer_registry').length > 0 ||
      builds.some((build) => build['hcp_packer_registry'] !== undefined),
    hcpData: blocks('data').some((types) =>
      Object.keys(types).some((type) => type.startsWith('hcp-packer-')),
    ),
    commandLines: [...shownBySources(sources), ...shownByBuilds(builds, locals)],
  };
}

const isLegacy = (name: string): boolean => !/\.pkr\.(hcl|json)$/.test(name);

async function parseFile(name: string, content: string): Promise<Record<string, HclValue>> {
  try {
    // HCL's JSON form has the same shape as what the parser makes of HCL.
    if (name.endsWith('.json')) {
      const json: Record<string, HclValue> = JSON.parse(content);
      return json;
    }
    const parsed: Record<string, HclValue> = await parse(name, content);
    return parsed;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const words = said.replace(/^parse config: \[|\]$/g, '');
    throw new Failure('invalid_input', `template file ${name} cannot be read: ${words}`, { cause: error });
  }
}

function labelledTwice(roots: readonly Record<string, HclValue>[]) {
  const bodies = new Map<string, Readonly<Record<string, HclValue>>>();
  for (const root of roots) {
    for (const types of blockList(root['source'])) {
      for (const [type, named] of Object.entries(types)) {
        for (const [name, body] of labelled(named)) bodies.set(`${type}.${name}`, body);
      }
    }
  }
  return bodies;
}

function sourcesOf(
  bodies: ReadonlyMap<string, Readonly<Record<string, HclValue>>>,
  builds: readonly Readonly<Record<string, HclValue>>[],
  locals: Readonly<Record<string, HclValue>>,
): readonly TemplateSourceFact[] {
  return builds.flatMap((build) => {
    const prefix = text(build['name']) === undefined ? '' : `${text(build['name'])}.`;
    const fact = (reference: string, inner: Readonly<Record<string, HclValue>> = {}): TemplateSourceFact => {
      const [builderType = '', manifestName = ''] = reference.replace(/^source\./, '').split('.');
      const name = text(inner['name']) ?? manifestName;
      const body = withLocals({ ...bodies.get(`${builderType}.${manifestName}`), ...inner }, locals);
      const source = `${builderType}.${name}`;
      return { source, builderType, target: `${prefix}${source}`, manifestName, body };
    };
    const listed = strings(build['sources']).filter((reference) =>
      /^(source\.)?[\w-]+\.[\w-]+$/.test(reference),
    );
    const nested = labelled(build['source']).map(([reference, inner]) => fact(reference, inner));
    return [...listed.map((reference) => fact(reference)), ...nested];
  });
}

/** `env("ARM_CLIENT_ID")` */
const readsOf = (fallback: string): { readonly reads?: readonly string[] } => {
  const reads = [...fallback.matchAll(/\benv\(\s*"([^"]+)"\s*\)/g)].flatMap(([, name]) => name ?? []);
  return reads.length === 0 ? {} : { reads };
};

function variable(name: string, body: Readonly<Record<string, HclValue>>): TemplateVariable {
  const fallback = text(body['default']);
  return {
    name,
    required: body['default'] === undefined,
    sensitive: body['sensitive'] === true,
    ...(fallback === undefined ? {} : { default: fallback, ...readsOf(fallback) }),
  };
}

/** Directly in the build, or at the end of a chain of post-processors. */
function manifestsOf(build: Readonly<Record<string, HclValue>>): readonly ManifestFact[] {
  const holders = [build, ...blockList(build['post-processors'])];
  return holders
    .flatMap((holder) => labelled(holder['post-processor']))
    .flatMap(([type, body]) => (type === 'manifest' ? [manifest(body)] : []));
}

function manifest(body: Readonly<Record<string, HclValue>>): ManifestFact {
  const data = isMapping(body['custom_data']) ? Object.entries(body['custom_data']) : [];
  const customData = Object.fromEntries(data.map(([name, value]) => [name, text(value) ?? '']));
  return { output: text(body['output']) ?? '', customData };
}
