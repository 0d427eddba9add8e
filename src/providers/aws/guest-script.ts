/**
 * Commands by way of Systems Manager, which answers the first 24,000 characters of standard output and 8,000 of standard error
 * (GetCommandInvocation), while the newest 64 KiB are wanted: so the command's outputs are kept in the guest, and their ends are answered
 * as compressed text, in pieces where one answer does not take them.
 */
import { gunzipSync } from 'node:zlib';

export const keptBytes = 64 * 1024;
const firstOut = 18_000;
const firstErr = 5_000;
const pieceChars = 23_000;

export interface FirstAnswer {
  readonly exitCode: number;
  readonly isPacked: boolean;
  readonly folder: string;
  readonly outChars: number;
  readonly errChars: number;
  readonly out: string;
  readonly err: string;
}

/** The script, for AWS-RunShellScript. The command crosses as base64, so that nothing in it is read twice. */
export function commandScript(command: string): string {
  const encoded = Buffer.from(command).toString('base64');
  return `folder=$(mktemp -d) || exit 125
printf %s '${encoded}' | base64 -d >"$folder/command" || exit 125
/bin/sh "$folder/command" </dev/null >"$folder/out" 2>"$folder/err"
code=$?
if gzip -c </dev/null >/dev/null 2>&1; then pack='gzip -c'; else pack=cat; fi
for name in out err; do
  tail -c ${keptBytes} "$folder/$name" | $pack | base64 | tr -d '\\n' >"$folder/$name.text"
done
out=$(wc -c <"$folder/out.text"); err=$(wc -c <"$folder/err.text")
echo "bakehouse" $code "\${pack%% *}" $out $err "$folder"
head -c ${firstOut} "$folder/out.text"; echo
head -c ${firstErr} "$folder/err.text"; echo
if [ $out -le ${firstOut} ] && [ $err -le ${firstErr} ]; then rm -rf "$folder"; fi
`;
}

/** Undefined for what our script does not write: it could not be run. */
export function readFirst(text: string): FirstAnswer | undefined {
  const [head = '', out = '', err = ''] = text.split('\n');
  const match = /^bakehouse (\d+) (gzip|cat) (\d+) (\d+) (\/\S+)$/.exec(head);
  if (match === null) return undefined;
  const [, code, pack, outChars, errChars, folder = ''] = match;
  return {
    exitCode: Number(code),
    isPacked: pack === 'gzip',
    outChars: Number(outChars),
    errChars: Number(errChars),
    folder,
    out,
    err,
  };
}

/** Scripts that answer what the first answer did not hold; the last one tidies up. */
export function restScripts({ folder, out, err, outChars, errChars }: FirstAnswer): {
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly tidy: string;
} {
  const pieces = (name: string, from: number, to: number): readonly string[] => {
    const starts = Array.from(
      { length: Math.ceil((to - from) / pieceChars) },
      (_, n) => from + n * pieceChars,
    );
    return starts.map((start) => `tail -c +${start + 1} "${folder}/${name}.text" | head -c ${pieceChars}`);
  };
  return {
    out: pieces('out', out.length, outChars),
    err: pieces('err', err.length, errChars),
    tidy: `rm -rf "${folder}"`,
  };
}

export function unpacked(text: string, isPacked: boolean): string {
  const bytes = Buffer.from(text, 'base64');
  return (isPacked && bytes.length > 0 ? gunzipSync(bytes) : bytes).toString();
}
