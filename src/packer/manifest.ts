/** The file that Packer's `manifest` post-processor writes, read as proof of what was made. Pure. */
import { isAbsolute, resolve } from 'node:path';

import { z } from 'zod';

const manifestShape = z.object({
  builds: z.array(
    z.object({
      name: z.string(),
      builder_type: z.string(),
      artifact_id: z.string(),
      files: z.array(z.object({ name: z.string(), size: z.number() })).nullish(),
      custom_data: z.record(z.string(), z.string()).nullish(),
    }),
  ),
});

interface ManifestEntry {
  /** Name in the `source` block; Packer leaves out the build's name and a name given inside the build. */
  readonly name: string;
  readonly builderType: string;
  readonly artifactId: string;
  /** Absolute. */
  readonly files: readonly string[];
}

export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  /** Why the file proves nothing or not all: absent, cut off, another bake's. */
  readonly problem?: string;
}

/**
 * `text` is `undefined` when there is no file. `base` is where Packer ran. Entries that carry another bake id prove
 * nothing. Packer does not write the file atomically, so a killed one may leave half of it.
 */
export function readManifest(text: string | undefined, bakeId: string, base: string): Manifest {
  if (text === undefined) return { entries: [], problem: 'there is no manifest' };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { entries: [], problem: 'the manifest was cut off' };
  }
  const parsed = manifestShape.safeParse(json);
  if (!parsed.success) return { entries: [], problem: 'the manifest has an unknown form' };
  const foreign = (data: Record<string, string> | null | undefined) =>
    data?.['bake_id'] !== undefined && data['bake_id'] !== bakeId;
  const ours = parsed.data.builds.filter((build) => !foreign(build.custom_data));
  const entries = ours.map((build) => ({
    name: build.name,
    builderType: build.builder_type,
    artifactId: build.artifact_id,
    files: (build.files ?? []).map(({ name }) => (isAbsolute(name) ? name : resolve(base, name))),
  }));
  return ours.length === parsed.data.builds.length
    ? { entries }
    : { entries, problem: 'the manifest names another bake id' };
}
