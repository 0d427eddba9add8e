/** What Bakehouse needs of a template: names as variables, and a manifest that carries the bake id. Pure. */
import { Failure } from '../domain/failure.ts';
import { familyOf } from './families/index.ts';
import { uses } from './families/family.ts';
import type { TemplateFacts } from './template-facts.ts';

/** Variables that every template declares; the runner sets them. */
const ownVariables = ['bake_id', 'image_name', 'output_directory', 'manifest_path'] as const;

export interface TemplateExpectations {
  /** Variables that the line or the caller sets: its own ones and those that receive a parent's image. */
  readonly variables: readonly string[];
  /** Sources to build (`qemu.base`); empty means all. */
  readonly only: readonly string[];
}

/** Throws `invalid_input` that shows the lines to add; all complaints at once. */
export function checkTemplate(facts: TemplateFacts, expected: TemplateExpectations): void {
  const complaints = [
    ...missingVariables(facts, expected.variables),
    ...missingManifest(facts),
    ...missingInSources(facts),
    ...wrongSources(facts, expected.only),
  ];
  if (complaints.length > 0) {
    throw new Failure('invalid_input', `the template does not fit:\n${complaints.join('\n')}`);
  }
}

/** The chosen sources. */
export function chosenSources(facts: TemplateFacts, only: readonly string[]): TemplateFacts['sources'] {
  return only.length === 0 ? facts.sources : facts.sources.filter((one) => only.includes(one.source));
}

function missingVariables(facts: TemplateFacts, wanted: readonly string[]): readonly string[] {
  const declared = new Set(facts.variables.map((one) => one.name));
  const ofFamilies = facts.sources.flatMap((one) => familyOf(one.builderType)?.variables?.(one) ?? []);
  const missing = [...new Set([...ownVariables, ...ofFamilies, ...wanted])].filter(
    (name) => !declared.has(name),
  );
  if (missing.length === 0) return [];
  const lines =
    facts.form === 'hcl2'
      ? missing.map((name) => `  variable "${name}" {\n    type = string\n  }`)
      : ['  "variables": {', ...missing.map((name) => `    "${name}": null,`), '  }'];
  const names = missing.join(', ');
  return [`- it does not declare the variable${missing.length > 1 ? 's' : ''} ${names}; add:`, ...lines];
}

function missingManifest(facts: TemplateFacts): readonly string[] {
  const fits = facts.manifests.every((build) =>
    build.some((one) => uses(one.output, 'manifest_path') && uses(one.customData['bake_id'], 'bake_id')),
  );
  if (fits && facts.manifests.length > 0) return [];
  const lines =
    facts.form === 'hcl2'
      ? [
          '  post-processor "manifest" {',
          '    output      = var.manifest_path',
          '    custom_data = { bake_id = var.bake_id }',
          '  }',
        ]
      : [
          '  "post-processors": [{',
          '    "type": "manifest",',
          '    "output": "{{user `manifest_path`}}",',
          '    "custom_data": { "bake_id": "{{user `bake_id`}}" }',
          '  }]',
        ];
  const where = facts.form === 'hcl2' ? 'each build block' : 'the template';
  return [`- ${where} must end with a manifest that carries the bake id; add:`, ...lines];
}

function missingInSources(facts: TemplateFacts): readonly string[] {
  return facts.sources.flatMap((source) => {
    const missing = familyOf(source.builderType)?.missing(source, facts.form) ?? [];
    if (missing.length === 0) return [];
    return [
      `- source ${source.source} may leave things that nobody finds; write in it:`,
      ...missing.map((line) => `  ${line}`),
    ];
  });
}

function wrongSources(facts: TemplateFacts, only: readonly string[]): readonly string[] {
  const names = facts.sources.map((one) => one.source);
  const twice = [...new Set(names.filter((name, index) => names.indexOf(name) < index))];
  const unknown = only.filter((name) => !names.includes(name));
  return [
    ...(names.length === 0 ? ['- no build block uses a source; there is nothing to bake'] : []),
    ...twice.map((name) => `- source ${name} is built twice; give each use its own \`name\``),
    ...unknown.map((name) => `- it has no source ${name}; it has ${names.join(', ')}`),
  ];
}
