/** Which source a line of output speaks of. Packers differ in how they call a source of a legacy template. Pure. */
export interface NamedSource {
  readonly source: string;
  readonly target: string;
}

export function sourceOfTarget(sources: readonly NamedSource[], target: string): string | undefined {
  return sources.find((one) => one.target === target || one.source === target)?.source;
}

/** `    b.file.a: text` and `==> b.file.a: text`; build names hold no colon. */
export function sourceOfText(sources: readonly NamedSource[], text: string): string | undefined {
  const target = spoken.exec(text)?.[1];
  return target === undefined ? undefined : sourceOfTarget(sources, target);
}

const spoken = /^\s*(?:==> )?([^\s:]+): /;

/** What a line says behind the name of its source: a source's lines are one stream, all others are another. */
export function contentOf(
  sources: readonly NamedSource[],
  line: string,
): { readonly stream: string; readonly from: number } {
  const found = spoken.exec(line);
  const source = found === null ? undefined : sourceOfTarget(sources, found[1] ?? '');
  return source === undefined ? { stream: '', from: 0 } : { stream: source, from: found?.[0].length ?? 0 };
}
