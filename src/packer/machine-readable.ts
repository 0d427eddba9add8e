/**
 * Packer's `-machine-readable` output, as events. Pure: bytes in, events out, the same ones wherever the stream is cut.
 * A line is `timestamp,target,type,data…`; what is not of that form (a panic, a warning of the loader) is kept as text.
 * https://developer.hashicorp.com/packer/docs/commands#machine-readable-output
 */

/**
 * A line longer than this is left out: a program that prints no newline must not fill the memory, and a secret that is cut in two is
 * not found any more.
 */
export const longestLineBytes = 1024 * 1024;

export interface OutputArtifact {
  readonly builderId: string;
  readonly id: string;
  readonly files: readonly string[];
}

export type PackerEvent =
  | { readonly kind: 'ui'; readonly level: 'say' | 'message' | 'error'; readonly text: string }
  /** The target (`build.type.name`) failed. */
  | { readonly kind: 'error'; readonly target: string; readonly message: string }
  /** Listed at the very end of a run, once per post-processor: the same artifact comes several times. */
  | { readonly kind: 'artifact'; readonly target: string; readonly artifact: OutputArtifact }
  | {
      readonly kind: 'other';
      readonly target: string;
      readonly type: string;
      readonly data: readonly string[];
    }
  | { readonly kind: 'text'; readonly text: string };

export interface MachineReadableParser {
  push(bytes: Uint8Array): readonly PackerEvent[];
  /** The rest, when the stream ended without a newline. */
  end(): readonly PackerEvent[];
}

export function machineReadableParser(): MachineReadableParser {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const assemble = artifactAssembler();
  let pieces: Uint8Array[] = [];
  let held = 0;
  /** The rest of a line that is too long. */
  let skips = false;
  const hold = (piece: Uint8Array) => {
    pieces.push(piece.slice());
    held += piece.length;
  };
  const release = (): readonly PackerEvent[] => {
    const line = decoder.decode(Buffer.concat(pieces));
    pieces = [];
    held = 0;
    return assemble(line);
  };
  const leaveOut = (): PackerEvent => {
    pieces = [];
    held = 0;
    skips = true;
    return { kind: 'text', text: `(a line longer than ${longestLineBytes} bytes is left out)` };
  };
  return {
    push(bytes) {
      const events: PackerEvent[] = [];
      let rest = bytes;
      while (rest.length > 0) {
        const newline = rest.indexOf(10);
        const piece = newline === -1 ? rest : rest.subarray(0, newline);
        if (!skips && held + piece.length > longestLineBytes) events.push(leaveOut());
        if (!skips) hold(piece);
        if (newline === -1) break;
        if (!skips) events.push(...release());
        skips = false;
        rest = rest.subarray(newline + 1);
      }
      return events;
    },
    end: () => (held === 0 ? [] : release()),
  };
}

/** What a person reads of an event; whole lines. */
export function humanText(event: PackerEvent): string {
  if (event.kind === 'ui' || event.kind === 'text') return `${event.text.replace(/\n$/, '')}\n`;
  return '';
}

function artifactAssembler(): (line: string) => readonly PackerEvent[] {
  const open = new Map<string, { builderId: string; id: string; files: string[] }>();
  return (line) => {
    const parsed = parseLine(line);
    if (parsed === undefined) return [{ kind: 'text', text: line }];
    const { target, type, data } = parsed;
    const [first = '', second = '', third = '', fourth = ''] = data;
    if (type === 'ui' && (first === 'say' || first === 'message' || first === 'error')) {
      return [{ kind: 'ui', level: first, text: second }];
    }
    if (type === 'error' && target !== '') return [{ kind: 'error', target, message: first }];
    if (type !== 'artifact') return [{ kind: 'other', target, type, data }];
    const key = `${target},${first}`;
    const artifact = open.get(key) ?? { builderId: '', id: '', files: [] };
    open.set(key, artifact);
    if (second === 'builder-id') artifact.builderId = third;
    if (second === 'id') artifact.id = third;
    if (second === 'file' && fourth !== '') artifact.files.push(fourth);
    if (second !== 'end') return [];
    open.delete(key);
    return [{ kind: 'artifact', target, artifact }];
  };
}

function parseLine(line: string): { target: string; type: string; data: string[] } | undefined {
  const [timestamp = '', target, type, ...data] = line.split(',');
  if (!/^\d{1,19}$/.test(timestamp) || target === undefined || type === undefined || type === '') {
    return undefined;
  }
  return { target: unescape(target), type: unescape(type), data: data.map(unescape) };
}

function unescape(text: string): string {
  return text.replaceAll('%!(PACKER_COMMA)', ',').replaceAll('\\n', '\n').replaceAll('\\r', '\r');
}
