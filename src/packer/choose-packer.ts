/** Chooses the Packer of one bake by what its template needs, never by the order on PATH. Pure. */
import { Failure } from '../domain/failure.ts';
import type { DetectedPacker } from './detect.ts';
import { isAtLeast } from './detect.ts';
import { pluginFor } from './families/index.ts';
import { firstPublishing, firstReading } from './publishing.ts';

export interface PackerNeeds {
  readonly builders: readonly string[];
  /** `required_plugins` or an `hcp_packer_registry` block: Packer 1.7 or later. */
  readonly modern: boolean;
  /** It publishes to a registry. */
  readonly hcpRegistry?: boolean;
  /** It reads one. */
  readonly hcpData?: boolean;
}

/** The newest that fits. Throws `tool_missing` naming what is missing, what was found, and what to install. */
export function choosePacker(found: readonly DetectedPacker[], needs: PackerNeeds): DetectedPacker {
  const newestFirst = found.toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  const least = leastFor(needs);
  const fitting = newestFirst.filter((packer) => isAtLeast(packer.version, least));
  const complete = fitting.find((packer) => lacking(packer, needs).length === 0);
  if (complete !== undefined) return complete;
  if (found.length === 0) {
    throw new Failure(
      'tool_missing',
      'there is no Packer on this host: install it (`apt-get install packer`, or from developer.hashicorp.com/packer/install) and name it in `packers`',
    );
  }
  const seen = found.map((packer) => `${packer.version} at ${packer.path}`).join(', ');
  const [best] = fitting;
  if (best === undefined && (needs.hcpRegistry === true || needs.hcpData === true)) {
    const what = needs.hcpRegistry === true ? '`hcp_packer_registry`' : '`hcp-packer-…` data sources';
    throw new Failure(
      'tool_missing',
      `the template has ${what}, for which Packer ${least} or later is needed; found ${seen}: install a newer one`,
    );
  }
  if (best === undefined) {
    throw new Failure(
      'tool_missing',
      `the template has \`required_plugins\` or \`hcp_packer_registry\`, which need Packer 1.7 or later; found ${seen}: install a newer one`,
    );
  }
  const missing = lacking(best, needs);
  throw new Failure(
    'tool_missing',
    `no Packer here has the builder ${missing.join(', ')}; found ${seen}. ${remedy(missing, needs)}`,
  );
}

function leastFor({ hcpRegistry, hcpData, modern }: PackerNeeds): string {
  if (hcpRegistry === true) return firstPublishing;
  if (hcpData === true) return firstReading;
  return modern ? '1.7.0' : '0';
}

function lacking(packer: DetectedPacker, needs: PackerNeeds): readonly string[] {
  return [...new Set(needs.builders)].filter((builder) => !packer.builders.includes(builder));
}

/** Compiled into Debian's Packer 1.6.6; of the builders that people use here. */
const inDebian = /^(qemu|amazon-.+|azure-.+|googlecompute|docker)$/;

function remedy(missing: readonly string[], { modern }: PackerNeeds): string {
  const plugins = [...new Set(missing.flatMap((builder) => pluginFor(builder) ?? []))];
  if (plugins.length === 0) {
    return 'Find the plugin at developer.hashicorp.com/packer/integrations and install it with `packer plugins install`';
  }
  const commands = plugins.map((plugin) => `\`packer plugins install ${plugin}\``).join(' and ');
  const debian =
    !modern && missing.every((builder) => inDebian.test(builder))
      ? ", or Debian's package, which has it compiled in: `apt-get install packer`"
      : '';
  return `Install it with ${commands} (Packer 1.7 or later)${debian}`;
}
