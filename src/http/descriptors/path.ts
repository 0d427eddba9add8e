/** What a client needs of a route at run time. Apart from the schemas, because loading those takes longer than a call. */
export const apiPrefix = '/api/v1';

export const pathNames = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');

/** The path with its names filled in, each percent-encoded. */
export const fillPath = (path: string, values: Readonly<Record<string, unknown>>): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
