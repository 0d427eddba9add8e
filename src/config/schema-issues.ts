/** Turns what zod says into lines a person can act on: `bakehouse.yaml:12:5: buckets.base.channels[1]: …`. */
import type { z } from 'zod';
import { formatPosition } from './yaml-file.ts';
import type { YamlDocument, YamlPath } from './yaml-file.ts';

export interface Complaint {
  readonly path: YamlPath;
  readonly message: string;
  /** Whether the key itself is wrong, not its value. */
  readonly atKey?: boolean;
}

type Issue = z.core.$ZodIssue;

export function complaintsOf(
  issues: readonly Issue[],
  value: unknown,
  base: YamlPath = [],
): readonly Complaint[] {
  return issues.flatMap((issue) => complaintsOfOne(issue, value, [...base, ...issue.path]));
}

function complaintsOfOne(issue: Issue, value: unknown, path: YamlPath): readonly Complaint[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: messages[index] ?? `unknown key \`${key}\``,
      atKey: true,
    }));
  }
  if (path.length > 0 && valueAt(value, path) === undefined) {
    return [{ path: path.slice(0, -1), message: `\`${String(path.at(-1))}\` is missing` }];
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path, message: inner.message, atKey: true }));
  }
  if (issue.code === 'invalid_union') {
    // The branch that takes this kind of value at all is the one the person meant.
    const meant = issue.errors.find((branch) => !branch.some(isOtherKind));
    if (meant !== undefined && meant.length > 0) return complaintsOf(meant, value, path);
  }
  return [{ path, message: issue.message.replace(/^Invalid input: /, '') }];
}

const isOtherKind = (issue: Issue): boolean => issue.code === 'invalid_type' && issue.path.length === 0;

function valueAt(value: unknown, path: YamlPath): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

/** `file:line:column: where: what`, in the order of the file. */
export function formatComplaints(
  file: string,
  document: YamlDocument,
  complaints: readonly Complaint[],
): readonly string[] {
  return complaints
    .map((complaint) => ({
      complaint,
      at: document.position(complaint.path, complaint.atKey === true ? 'key' : 'value'),
    }))
    .toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
    .map(({ complaint, at }) => {
      const where = formatPath(complaint.path);
      return `${file}:${formatPosition(at)}: ${where === '' ? '' : `${where}: `}${complaint.message}`;
    });
}

/** `buckets.base.channels[1]`. */
const formatPath = (path: YamlPath): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
