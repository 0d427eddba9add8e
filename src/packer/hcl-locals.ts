/** Locals of a template, and what settings take from them: tags are often written once and used by every source. Pure. */
import { blockList, type HclValue, labelled } from './hcl-value.ts';

type Mapping = Readonly<Record<string, HclValue>>;

/** Of `locals { … }`, and of `local "name" { expression = … }`. */
export function localsOf(roots: readonly Mapping[]): Mapping {
  const all = roots.flatMap((root) => [
    ...blockList(root['locals']).flatMap((block) => Object.entries(block)),
    ...labelled(root['local']).flatMap(([name, body]) =>
      body['expression'] === undefined ? [] : [[name, body['expression']] as const],
    ),
  ]);
  return Object.fromEntries(all);
}

/** A setting that names locals becomes a list: what it was, then what each of them holds. */
export function withLocals(body: Mapping, locals: Mapping): Mapping {
  const entries = Object.entries(body).map(([setting, value]) => {
    const held = [...reached(value, locals)].flatMap((name) => locals[name] ?? []);
    if (held.length === 0) return [setting, value] as const;
    return [setting, [...(Array.isArray(value) ? value : [value]), ...held]] as const;
  });
  return Object.fromEntries(entries);
}

/** Locals name locals; Packer refuses circles, and here they end. */
function reached(value: HclValue, locals: Mapping, seen = new Set<string>()): ReadonlySet<string> {
  const uses = /\blocal\s*(?:\.\s*([\w-]+)|\[\s*\\"([\w-]+)\\"\s*\])/g;
  for (const [, dotted, quoted] of JSON.stringify(value).matchAll(uses)) {
    const name = dotted ?? quoted ?? '';
    const held = locals[name];
    if (held === undefined || seen.has(name)) continue;
    seen.add(name);
    reached(held, locals, seen);
  }
  return seen;
}
