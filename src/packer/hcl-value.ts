/**
 * HCL as JSON, as HashiCorp's converter writes it: a block is a list of bodies, a labelled block a mapping from label to
 * such a list, an expression the string `${…}`. In HCL's own JSON form a single body may stand without its list.
 */
export type HclValue =
  string | number | boolean | null | readonly HclValue[] | { readonly [key: string]: HclValue };

type Mapping = Readonly<Record<string, HclValue>>;

export function isMapping(value: HclValue | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bodies of an unlabelled block. */
export function blockList(value: HclValue | undefined): readonly Mapping[] {
  if (isMapping(value)) return [value];
  return Array.isArray(value) ? value.filter((one: HclValue) => isMapping(one)) : [];
}

/** Label and body of each block with one label. */
export function labelled(value: HclValue | undefined): readonly (readonly [string, Mapping])[] {
  return blockList(value).flatMap((labels) =>
    Object.entries(labels).flatMap(([label, bodies]) =>
      blockList(bodies).map((body) => [label, body] as const),
    ),
  );
}

export function text(value: HclValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** References among them come as `${source.file.a}` in some places, bare in others. */
export function strings(value: HclValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: HclValue) =>
    typeof one === 'string' ? [one.replace(/^\$\{(.*)\}$/, '$1')] : [],
  );
}
