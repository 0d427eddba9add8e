/** Tags that a source puts on what it makes: whether the bake's mark is among them, and the line to write where it is not. Pure. */
import { blockList } from '../hcl-value.ts';
import type { TemplateSourceFact } from '../template-facts.ts';
import { uses } from './family.ts';

type Form = 'hcl2' | 'json';

/** Names of the tags, and of the variables that they hold. Sweeping asks for one, adopting for the other. */
export const markNames = ['bake_id', 'attempt_id'] as const;

/** Of a setting that is a map (`run_tags`), which may also be written as blocks (`run_tag`) of a key and a value. */
export function missingTags(source: TemplateSourceFact, form: Form, setting: string): readonly string[] {
  const map = source.body[setting];
  const blocks = blockList(source.body[setting.replace(/s$/, '')]);
  const carried = (name: string): boolean =>
    isTagged(map, name) ||
    blocks.some((block) => (block['key'] ?? block['name']) === name && uses(block['value'], name));
  if (markNames.every(carried)) return [];
  return form === 'hcl2'
    ? [`${setting} = { bake_id = var.bake_id, attempt_id = var.attempt_id }`]
    : [`"${setting}": { "bake_id": "{{user \`bake_id\`}}", "attempt_id": "{{user \`attempt_id\`}}" }`];
}

/** The key beside its value: `bake_id = var.bake_id`, also within `merge(…)`, and in either form of JSON. */
function isTagged(map: unknown, name: string): boolean {
  const written = JSON.stringify(map ?? '').replaceAll('\\"', '"');
  return new RegExp(
    `(^|[^\\w.])${name}"?\\s*[:=]\\s*"?(\\$\\{\\s*var\\.${name}\\b|var\\.${name}\\b|\\{\\{\\s*user \`${name}\`)`,
  ).test(written);
}

/** A setting that must use one of the variables. */
export function missingUse(
  source: TemplateSourceFact,
  form: Form,
  setting: string,
  variables: readonly string[],
  prefix = '',
): readonly string[] {
  const [first = ''] = variables;
  if (variables.some((name) => uses(source.body[setting], name))) return [];
  const value =
    form === 'json'
      ? `"${prefix}{{user \`${first}\`}}"`
      : prefix === ''
        ? `var.${first}`
        : `"${prefix}\${var.${first}}"`;
  return [form === 'hcl2' ? `${setting} = ${value}` : `"${setting}": ${value}`];
}
