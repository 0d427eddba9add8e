import type { BuildView } from '../contract/views.ts';
import { mostArtifacts, type VersionFact } from './facts.ts';

/** In characters of JSON: labels may be long. */
const mostText = 65_536;

interface ToldBuild {
  readonly id: string;
  readonly platform: string;
  readonly component_type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly artifacts: readonly { readonly external_identifier: string; readonly region: string }[];
}

interface Told {
  readonly builds: readonly ToldBuild[];
  /** How many there are, where not all are told. */
  readonly truncated?: { readonly build_count: number; readonly artifact_count: number };
}

/** The builds of a version as far as they go into a call; what is left out is read in the registry. */
export function toldOfBuilds({ builds, artifactCount }: VersionFact): Told {
  const told: ToldBuild[] = [];
  let [artifacts, text] = [0, 0];
  for (const build of builds) {
    const one = toldOf(build, mostArtifacts - artifacts);
    text += JSON.stringify(one).length;
    if (text > mostText) break;
    artifacts += one.artifacts.length;
    told.push(one);
  }
  if (told.length === builds.length && artifacts >= artifactCount) return { builds: told };
  return { builds: told, truncated: { build_count: builds.length, artifact_count: artifactCount } };
}

const toldOf = (build: BuildView, most: number): ToldBuild => ({
  id: build.id,
  platform: build.platform ?? '',
  component_type: build.componentType,
  labels: build.labels,
  artifacts: build.artifacts.slice(0, most).map(({ externalIdentifier, region }) => ({
    external_identifier: externalIdentifier,
    region,
  })),
});
