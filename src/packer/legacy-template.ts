/** Packer's older JSON templates (`builders`, `variables`), as the same facts. */
import { z } from 'zod';

import { Failure } from '../domain/failure.ts';
import { shownBySources, shownVariables } from './command-lines.ts';
import type { TemplateFacts } from './template-facts.ts';

const body = z.looseObject({ type: z.string(), name: z.string().optional() });
const processor = z.looseObject({
  type: z.string(),
  output: z.string().optional(),
  custom_data: z.record(z.string(), z.string()).optional(),
});
const provisioner = z.looseObject({ type: z.string() });
const shape = z.looseObject({
  variables: z.record(z.string(), z.json()).default({}),
  'sensitive-variables': z.array(z.string()).default([]),
  builders: z.array(body),
  'post-processors': z
    .array(z.union([z.string(), processor, z.array(z.union([z.string(), processor]))]))
    .default([]),
  provisioners: z.array(provisioner).default([]),
  'error-cleanup-provisioner': provisioner.optional(),
});

/** `{{env `ARM_CLIENT_ID`}}`, which Packer knows in the defaults of variables only. */
const readsOf = (value: string): { readonly reads?: readonly string[] } => {
  const reads = [...value.matchAll(/\{\{\s*env\s+[`"]([^`"]+)[`"]\s*\}\}/g)].flatMap(
    ([, name]) => name ?? [],
  );
  return reads.length === 0 ? {} : { reads };
};

export function parseLegacy(name: string, content: string): TemplateFacts {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Failure('invalid_input', `template file ${name} is not JSON: ${said}`, { cause: error });
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    throw new Failure(
      'invalid_input',
      `template file ${name} is no Packer template: ${z.prettifyError(parsed.error)}`,
    );
  }
  const sensitive = parsed.data['sensitive-variables'];
  const processors = parsed.data['post-processors']
    .flat()
    .map((one) => (typeof one === 'string' ? { type: one } : one));
  const cleanup = parsed.data['error-cleanup-provisioner'];
  const steps = [...parsed.data.provisioners, ...(cleanup === undefined ? [] : [cleanup]), ...processors];
  const sources = parsed.data.builders.map((builder) => {
    const named = builder.name ?? builder.type;
    // The output names such a builder by its name alone, the manifest too.
    return {
      source: `${builder.type}.${named}`,
      builderType: builder.type,
      target: named,
      manifestName: named,
      body: z.record(z.string(), z.json()).parse(builder),
    };
  });
  const { variables: defaults } = parsed.data;
  return {
    form: 'json',
    sources,
    variables: Object.entries(defaults).map(([variable, value]) => ({
      name: variable,
      required: value === null,
      sensitive: sensitive.includes(variable),
      ...(typeof value === 'string' ? { default: value, ...readsOf(value) } : {}),
    })),
    manifests: [
      processors.flatMap((one) =>
        one.type === 'manifest' ? [{ output: one.output ?? '', customData: one.custom_data ?? {} }] : [],
      ),
    ],
    requiredPlugins: [],
    hcpRegistry: false,
    hcpData: false,
    commandLines: [
      ...shownBySources(sources, defaults),
      ...steps.flatMap((one) =>
        shownVariables(one.type, z.record(z.string(), z.json()).parse(one), { defaults }),
      ),
    ],
  };
}
