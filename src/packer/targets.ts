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
  const target = /^\s*(?:==> )?([^\s:]+): /.exec(text)?.[1];
  return target === undefined ? undefined : sourceOfTarget(sources, target);
}
