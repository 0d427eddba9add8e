/** The forms in which a secret turns up in logs and on disks: as it is, by its lines, and as JSON, HCL, URLs and base64 carry it. Pure. */

/** Shorter values are left alone: replacing every `1` or `no` would destroy the log and hide nothing. */
const shortestSecret = 3;
/** A form that is looked for across line ends, a line of a multi-line secret (`{` alone is no secret), an encoded form. */
export const shortestPart = 8;

export function* formsOf(secret: string): Generator<string> {
  const whole = secret.trim();
  if (whole.length < shortestSecret) return;
  yield whole;
  const json = JSON.stringify(whole).slice(1, -1);
  yield json;
  // Go's encoder escapes what HTML reads, HCL what begins a template.
  yield json.replaceAll(
    /[<>&\u2028\u2029]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  yield json.replaceAll(/[$%](?=\{)/g, '$&$&');
  // Packer's machine-readable output does not escape its own escapes.
  yield whole.replaceAll('\\n', '\n').replaceAll('\\r', '\r');
  if (whole.length < shortestPart) return;
  if (whole.isWellFormed()) yield* inUrls(whole);
  for (const raw of new Set([secret, whole])) yield* inBase64(raw);
  for (const line of whole.split(/\r?\n/)) if (line.trim().length >= shortestPart) yield line.trim();
}

function* inUrls(text: string): Generator<string> {
  const component = encodeURIComponent(text);
  yield component;
  const strict = component.replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  // Encoders differ in what they leave alone, in the case of digits and in how they write a space.
  const form = new URLSearchParams({ q: text }).toString().slice('q='.length);
  for (const one of [strict, strict.replaceAll('%20', '+'), form, component.replaceAll('%2F', '/')]) {
    yield one;
    yield one.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  }
}

/**
 * Also as a part of something longer (`user:password`): with one or two bytes before it the digits are others, and the first and last of
 * them belong to the neighbours too.
 */
function* inBase64(text: string): Generator<string> {
  const bytes = Buffer.from(text);
  for (const before of [0, 1, 2]) {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const first = before === 0 ? 0 : before + 1;
    const own = Math.floor(((before + bytes.length) * 8) / 6);
    const form = digits.slice(first, before === 0 ? digits.length : own).replace(/=+$/, '');
    // Two digits less: what follows the secret changes the last one.
    for (const one of new Set([form, digits.slice(first, own)])) {
      if (one.length < shortestPart) continue;
      yield one;
      yield one.replaceAll('+', '-').replaceAll('/', '_');
    }
  }
}
