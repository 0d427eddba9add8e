/** Reads YAML with positions, so that every complaint can say file, line and column. Throws `invalid_input` only. */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';
import type { Document } from 'yaml';
import { Failure } from '../domain/failure.ts';

/** Where in a document: mapping keys and list positions from the root. */
export type YamlPath = readonly PropertyKey[];

export interface YamlDocument {
  readonly value: unknown;
  /** Where a value is, or its key; the nearest thing around it where there is none. */
  position(path: YamlPath, which: 'key' | 'value'): Position;
}

/** Both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export const formatPosition = (at: Position): string => `${at.line}:${at.column}`;

/** `bakehouse.yaml` of people has some kilobytes; anything this long is another file given by mistake. */
const longest = 1_000_000;

export function readYaml(text: string, file: string): readonly YamlDocument[] {
  if (text.length > longest) {
    throw new Failure('invalid_input', `${file} is longer than ${longest / 1000} kB: split it`);
  }
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  if (!Array.isArray(parsed)) return [];
  const documents = parsed as Document.Parsed[];
  const wrong = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (wrong.length > 0) {
    const shown = wrong
      .slice(0, 20)
      .map((error) => `${file}:${formatPosition(at(error.pos[0]))}: ${error.message}`);
    throw new Failure('invalid_input', shown.join('\n'));
  }
  for (const document of documents) {
    visit(document, {
      Pair: (_, pair) => {
        if (!isScalar(pair.key) || pair.key.value !== '__proto__') return;
        const where = formatPosition(at(startOf(pair.key) ?? 0));
        throw new Failure('invalid_input', `${file}:${where}: \`__proto__\` cannot be a key`);
      },
    });
  }
  return documents.map((document) => ({
    value: toValue(document, file),
    position: (path, which) => at(offsetOf(document, path, which)),
  }));
}

function toValue(document: Document.Parsed, file: string): unknown {
  try {
    // Aliases may repeat what they name; the limit keeps a small file from becoming a huge value.
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new Failure('invalid_input', `${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function offsetOf(document: Document.Parsed, path: YamlPath, which: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? document.range[0];
  for (const [depth, step] of path.entries()) {
    const last = depth === path.length - 1;
    const child = childOf(document, node, step);
    if (child === undefined) break;
    offset =
      (last && which === 'key' ? startOf(child.key) : startOf(child.value)) ?? startOf(child.key) ?? offset;
    node = child.value;
  }
  return offset;
}

function childOf(
  document: Document.Parsed,
  node: unknown,
  step: PropertyKey,
): { key: unknown; value: unknown } | undefined {
  const target = withoutAlias(document, node);
  if (isMap(target)) {
    const pair = target.items.find((item) => isPair(item) && keyText(item.key) === String(step));
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  if (isSeq(target) && typeof step === 'number') {
    const value = target.items[step];
    return value === undefined ? undefined : { key: value, value };
  }
  return undefined;
}

const withoutAlias = (document: Document.Parsed, node: unknown): unknown =>
  isAlias(node) ? node.resolve(document) : node;

const keyText = (key: unknown): string => (isScalar(key) ? String(key.value) : String(key));

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
