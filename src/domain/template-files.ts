/** A template folder as content: path inside the folder, with `/`, to bytes. */
export type TemplateFiles = Readonly<Record<string, Uint8Array>>;

/** What a template may weigh; it is sent over HTTP and kept in the database. */
export const templateLimits = { bytes: 2 * 1024 * 1024, files: 500 } as const;

/**
 * The bytes that a template's digest is the SHA-256 of: its files in the order of their paths, each as length and bytes of
 * its path, length and bytes of its content, so that no two templates look alike. Hashing is left to who may hash.
 */
export function templateBytes(files: TemplateFiles): Uint8Array {
  const encoder = new TextEncoder();
  const paths = Object.keys(files).toSorted((a, b) => (a < b ? -1 : 1));
  const parts = paths.flatMap((path) => {
    const name = encoder.encode(path);
    const content = files[path] ?? new Uint8Array();
    return [encoder.encode(`${name.length}:`), name, encoder.encode(`${content.length}:`), content];
  });
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
