/** How advisories name a package: OSV's ecosystem, its name there, and the version to compare. */
import { PackageURL } from 'packageurl-js';
import type { NamedPackage } from '../contract/sboms.ts';

export interface Advised {
  /** `npm`, `debian:12`, … */
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
}

/** From its package URL. Undefined: there is none, it has no version, or no order of versions is known for its kind. */
export function advisedAs({ purl }: Pick<NamedPackage, 'purl'>): Advised | undefined {
  const parsed = parse(purl);
  if (parsed === undefined) return undefined;
  const { type, namespace, name, version, qualifiers } = parsed;
  const full = namespace ? `${namespace}/${name}` : name;
  const found = ((): Advised | undefined => {
    if (!version) return undefined;
    switch (type) {
      case 'npm':
        return { ecosystem: 'npm', name: full, version };
      case 'pypi':
        return { ecosystem: 'pypi', name: name.toLowerCase().replaceAll(/[-_.]+/g, '-'), version };
      case 'golang':
        return { ecosystem: 'go', name: full, version: version.replace(/^(?:go|v)(?=\d)/, '') };
      case 'cargo':
        return { ecosystem: 'crates', name, version };
      case 'maven':
        return namespace ? { ecosystem: 'maven', name: `${namespace}:${name}`, version } : undefined;
      case 'deb':
      case 'apk':
        return ofDistribution(namespace ?? '', name, version, qualifiers ?? {});
      default:
        return undefined;
    }
  })();
  // A name that long is in no advisory.
  return found !== undefined && Buffer.byteLength(found.name) <= 512 ? found : undefined;
}

/** Advisories name the source package, and the release that it is of. */
function ofDistribution(
  namespace: string,
  name: string,
  version: string,
  { distro = '', upstream = '' }: Readonly<Record<string, string | undefined>>,
): Advised | undefined {
  const [source = '', sourceVersion] = upstream.split('@');
  const release = distro.replace(/^[a-z]+-/, '');
  const advised = { name: source === '' ? name : source, version: sourceVersion ?? version };
  const parts = release.split('.');
  if (!/^\d+(?:\.\d+)*$/.test(release)) return undefined;
  if (namespace === 'debian') return { ecosystem: `debian:${parts[0]}`, ...advised };
  if (parts.length < 2) return undefined;
  if (namespace === 'ubuntu' || namespace === 'alpine') {
    return { ecosystem: `${namespace}:${parts[0]}.${parts[1]}`, ...advised };
  }
  return undefined;
}

/** What an advisory calls an ecosystem, as we do. Undefined: no order of versions is known for it. */
export function ecosystemOf(written: string): string | undefined {
  const [kind = '', release = ''] = written.split(':');
  const lower = kind.toLowerCase();
  if (['npm', 'pypi', 'go', 'maven'].includes(lower)) return lower;
  if (lower.startsWith('crates')) return 'crates';
  const number = release.replace(/^v/, '');
  if (!/^\d+(?:\.\d+)?$/.test(number)) return undefined;
  return ['debian', 'ubuntu', 'alpine'].includes(lower) ? `${lower}:${number}` : undefined;
}

function parse(purl: string): PackageURL | undefined {
  try {
    return purl === '' ? undefined : PackageURL.fromString(purl);
  } catch {
    return undefined;
  }
}
