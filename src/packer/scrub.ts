/** Takes secret values out of text. Packer 1.6.6 prints sensitive variables in its machine-readable output. */

/** Shorter values are left alone: replacing every `1` or `no` would destroy the log and hide nothing. */
const shortestSecret = 3;
/** A line of a multi-line secret (a private key) is scrubbed on its own from this length on: `{` alone is no secret. */
const shortestPart = 8;
const mask = '<sensitive>';

/** Longest first, so that a secret that contains another one leaves no rest. */
export function scrubber(secrets: Iterable<string>): (text: string) => string {
  const needles = new Set<string>();
  for (const secret of secrets) for (const form of formsOf(secret)) needles.add(form);
  const ordered = [...needles].toSorted((a, b) => b.length - a.length);
  if (ordered.length === 0) return (text) => text;
  const pattern = new RegExp(
    ordered.map((needle) => needle.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'),
    'g',
  );
  return (text) => text.replace(pattern, mask);
}

/** As it is, by its lines, and as JSON, URLs and base64 carry it. */
export function* formsOf(secret: string): Generator<string> {
  const whole = secret.trim();
  if (whole.length < shortestSecret) return;
  yield whole;
  yield JSON.stringify(whole).slice(1, -1);
  if (whole.length < shortestPart) return;
  if (whole.isWellFormed()) yield encodeURIComponent(whole);
  for (const raw of new Set([secret, whole])) yield Buffer.from(raw).toString('base64').replace(/=+$/, '');
  for (const line of whole.split(/\r?\n/)) if (line.trim().length >= shortestPart) yield line.trim();
}
