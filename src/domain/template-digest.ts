/** A template folder as content: path inside the folder, with `/`, to bytes. */
export type TemplateFiles = Readonly<Record<string, Uint8Array>>;

/** What a template may weigh; it is sent over HTTP and kept in the database. */
export const templateLimits = { bytes: 2 * 1024 * 1024, files: 500 } as const;

/**
 * `sha256:…` of the files in the order of their paths; each as length and bytes of its path, length and bytes of its
 * content, so that no two templates look alike. Not for workflow code: it hashes.
 */
export async function templateDigest(files: TemplateFiles): Promise<string> {
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
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', whole));
  return `sha256:${Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
