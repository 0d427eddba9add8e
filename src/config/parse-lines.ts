/** Text of a `bakehouse.yaml` → checked image lines, still without the digests of their template folders. Pure. */
import { Failure } from '../domain/failure.ts';
import { openGates } from '../domain/image-line.ts';
import type { ChannelSpec, CheckSpec, ImageLine } from '../domain/image-line.ts';
import { checkRules } from './line-rules.ts';
import { documentSchema } from './line-schema.ts';
import type { WrittenBucket, WrittenDocument } from './line-schema.ts';
import { toSecret } from './line-secrets.ts';
import { complaintsOf, formatComplaints } from './schema-issues.ts';
import { formatPosition, readYaml } from './yaml-file.ts';
import type { YamlDocument } from './yaml-file.ts';

export interface ParsedLine {
  readonly line: Omit<ImageLine, 'template'>;
  readonly template: WrittenTemplate;
  /** `file:line:column` of the template, for complaints about its content. */
  readonly templateAt: string;
}

type WrittenTemplate =
  | { readonly kind: 'path'; readonly path: string; readonly entry?: string }
  | { readonly kind: 'git'; readonly repository: string; readonly ref: string; readonly entry?: string };

export interface ParsedDocument {
  /** Absent: the command's project. */
  readonly project?: string;
  readonly lines: readonly ParsedLine[];
}

/** Every complaint of the file at once, one a line; throws `invalid_input` and nothing else. */
export function parseLines(text: string, file: string): readonly ParsedDocument[] {
  const documents = readYaml(text, file);
  const filled = documents.filter((document) => document.value !== null && document.value !== undefined);
  if (filled.length === 0) {
    throw new Failure('invalid_input', `${file} is empty: begin with \`buckets:\` and one image line`);
  }
  const complaints: string[] = [];
  const owners = new Map<string, string>();
  const parsed = filled.map((document) => {
    const result = documentSchema.safeParse(document.value);
    const found = result.success
      ? checkRules(result.data)
      : complaintsOf(result.error.issues, document.value);
    complaints.push(...formatComplaints(file, document, found));
    if (!result.success) return { lines: [] };
    complaints.push(...namedTwice(file, document, result.data, owners));
    return toDocument(file, document, result.data);
  });
  if (complaints.length > 0) throw new Failure('invalid_input', complaints.slice(0, 20).join('\n'));
  return parsed;
}

function namedTwice(
  file: string,
  document: YamlDocument,
  written: WrittenDocument,
  owners: Map<string, string>,
): readonly string[] {
  return Object.keys(written.buckets).flatMap((bucket) => {
    const key = `${written.project ?? ''}/${bucket}`;
    const path = ['buckets', bucket];
    const before = owners.get(key);
    owners.set(key, formatPosition(document.position(path, 'key')));
    if (before === undefined) return [];
    return formatComplaints(file, document, [
      { path, message: `described at ${before} already`, atKey: true },
    ]);
  });
}

function toDocument(file: string, document: YamlDocument, written: WrittenDocument): ParsedDocument {
  const lines = Object.entries(written.buckets).map(([bucket, line]) => ({
    line: toLine(bucket, line),
    template: toTemplate(line.template),
    templateAt: `${file}:${formatPosition(document.position(['buckets', bucket, 'template'], 'value'))}`,
  }));
  return written.project === undefined ? { lines } : { project: written.project, lines };
}

function toTemplate(template: WrittenBucket['template']): WrittenTemplate {
  if (typeof template === 'string') return { kind: 'path', path: template };
  const entry = template.entry === undefined ? {} : { entry: template.entry };
  if (template.git !== undefined && template.ref !== undefined) {
    return { kind: 'git', repository: template.git, ref: template.ref, ...entry };
  }
  return { kind: 'path', path: template.path ?? '.', ...entry };
}

function toLine(bucket: string, written: WrittenBucket): Omit<ImageLine, 'template'> {
  const { endOfLife, deleteAfter } = written;
  const age = typeof endOfLife === 'number' ? { after: endOfLife, cascades: false } : endOfLife;
  return {
    bucket,
    description: written.description,
    sources: written.sources,
    variables: written.variables,
    parents: written.parents.map(({ variable, ...link }) => ({
      ...link,
      ...(variable === undefined ? {} : { variable }),
    })),
    targets: written.targets,
    tests: written.tests.map(toCheck),
    channels: written.channels.map(toChannel),
    timeLimitMs: written.timeLimit,
    endOfLifeCascades: age?.cascades ?? false,
    ...(written.secrets.length === 0 ? {} : { secrets: written.secrets.map(toSecret) }),
    ...(age === undefined ? {} : { endOfLifeMs: age.after }),
    ...(deleteAfter === undefined ? {} : { deleteAfterMs: deleteAfter }),
    // Absent, a line is equal to one that never named it.
    ...(written.adopt ? { adopt: true } : {}),
  };
}

const commandTimeoutMs = 60_000;

function toCheck(test: WrittenBucket['tests'][number]): CheckSpec {
  return test.console === undefined
    ? {
        name: test.name,
        kind: 'command',
        command: test.command ?? '',
        timeoutMs: test.timeout ?? commandTimeoutMs,
      }
    : { name: test.name, kind: 'console', pattern: test.console };
}

function toChannel(channel: WrittenBucket['channels'][number]): ChannelSpec {
  if (typeof channel === 'string') return { name: channel, gates: openGates };
  const { tested, verified, inOrder, soak, approvals, approvalDeadline } = channel.gates;
  return {
    name: channel.name,
    gates: {
      tested,
      verified,
      inOrder,
      soakMs: soak,
      approvals,
      // Without approvals the deadline means nothing; zero keeps the line equal to one that never named it.
      approvalDeadlineMs: approvals > 0 ? approvalDeadline : 0,
    },
  };
}
