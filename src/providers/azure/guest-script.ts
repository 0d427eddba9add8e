/**
 * A managed run command answers only the newest 4 KiB of each output, so on Linux the command runs in a wrapper that keeps both outputs
 * in the guest, packed, and hands them over in pieces. https://learn.microsoft.com/azure/virtual-machines/linux/run-command-managed
 */
import { gunzipSync } from 'node:zlib';

const newestBytes = 64 * 1024;
/** Below the limit, with room for the first line. */
export const pieceBytes = 3_500;

function pack(name: string): string {
  return `tail -c ${newestBytes} "$d/${name}" | gzip -c | base64 | tr -d '\\n' > "$d/${name}.packed"`;
}

/** Prints `<exit code> <folder> <bytes of stdout> <bytes of stderr>` and the first piece. */
export function firstScript(command: string): string {
  const encoded = Buffer.from(command).toString('base64');
  return [
    'd=$(mktemp -d) || exit 1',
    `printf %s '${encoded}' | base64 -d > "$d/command" || exit 1`,
    'sh "$d/command" < /dev/null > "$d/out" 2> "$d/err"',
    'code=$?',
    pack('out'),
    pack('err'),
    'cat "$d/out.packed" "$d/err.packed" > "$d/packed"',
    'printf \'%s %s %s %s\\n\' "$code" "$d" "$(wc -c < "$d/out.packed")" "$(wc -c < "$d/err.packed")"',
    `head -c ${pieceBytes} "$d/packed"`,
    `if [ "$(wc -c < "$d/packed")" -le ${pieceBytes} ]; then rm -rf "$d"; fi`,
    '',
  ].join('\n');
}

export function nextScript(folder: string, offset: number, isLast: boolean): string {
  const piece = `tail -c +${offset + 1} '${folder}/packed' | head -c ${pieceBytes}`;
  return isLast ? `${piece}\nrm -rf '${folder}'\n` : `${piece}\n`;
}

export interface FirstAnswer {
  readonly exitCode: number;
  readonly folder: string;
  readonly outBytes: number;
  readonly errBytes: number;
  readonly piece: string;
}

/** Undefined when the guest said something else: it has no shell, or no room. */
export function parseFirst(output: string): FirstAnswer | undefined {
  const [, code, folder, out, err, piece] =
    /^(\d+) (\/[\w./-]+) +(\d+) +(\d+)\n([\s\S]*)$/.exec(output) ?? [];
  if (code === undefined || folder === undefined || piece === undefined) return undefined;
  return {
    exitCode: Number(code),
    folder,
    outBytes: Number(out),
    errBytes: Number(err),
    piece: piece.trim(),
  };
}

export function unpack(packed: string): string {
  return gunzipSync(Buffer.from(packed, 'base64')).toString('utf8').slice(-newestBytes);
}
