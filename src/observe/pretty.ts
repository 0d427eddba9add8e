/** One line of JSON from the logger as one line for people; what is no such line passes unchanged. */
import { Writable } from 'node:stream';

import pc from 'picocolors';

const names: Readonly<Record<number, string>> = {
  10: pc.gray('trace'),
  20: pc.gray('debug'),
  30: pc.green('info '),
  40: pc.yellow('warn '),
  50: pc.red('error'),
  60: pc.red('fatal'),
};

const written = new Set(['level', 'time', 'msg', 'process', 'pid', 'hostname', 'err']);

export function prettyLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== 'object' || parsed === null) return line;
    entry = { ...parsed };
  } catch {
    return line;
  }
  const time = typeof entry['time'] === 'string' ? entry['time'].slice(11, 23) : '';
  const name = names[Number(entry['level'])] ?? String(entry['level']);
  const facts = Object.entries(entry)
    .filter(([key]) => !written.has(key))
    .map(([key, value]) => pc.dim(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`));
  const part = typeof entry['process'] === 'string' ? [pc.cyan(entry['process'])] : [];
  const message = typeof entry['msg'] === 'string' ? entry['msg'] : '';
  const failure = describe(entry['err']);
  return [pc.dim(time), name, ...part, message, ...failure, ...facts].join(' ');
}

function describe(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null || !('message' in error)) return [];
  return [pc.red(String(error.message))];
}

/** A stream that the logger writes JSON lines to, and that writes pretty ones to `out`. */
export function prettyStream(out: NodeJS.WritableStream): Writable {
  let rest = '';
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) out.write(`${prettyLine(line)}\n`);
      done();
    },
  });
}
