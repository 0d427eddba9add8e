import type { z } from 'zod';
import type { Criticality } from '../../../domain/vulnerability.ts';
import type {
  PackageView,
  VulnerabilitySummary,
  VulnerabilityView,
  VulnerablePackage,
} from '../../../registry/contract/packages.ts';
import type { NamedPackage } from '../../../registry/contract/sboms.ts';
import type {
  listedPackage,
  vulnerability,
  vulnerabilitySummary,
  vulnerablePackage,
} from '../descriptors/schemas/package.ts';

const words = {
  critical: ['CRITICAL', 'Critical'],
  high: ['HIGH', 'High'],
  medium: ['MEDIUM', 'Medium'],
  low: ['LOW', 'Low'],
  unknown: ['UNKNOWN', 'Unknown'],
} as const satisfies Record<Criticality, readonly [string, string]>;

const criticality = (value: Criticality) => words[value][1];

export const toWireNamed = ({ name, version, purl }: NamedPackage) => ({ name, version, purl });

export const toWirePackage = (one: PackageView): z.input<typeof listedPackage> => ({
  ...toWireNamed(one),
  sboms: [...one.sboms],
});

export const toWireVulnerability = (one: VulnerabilityView): z.input<typeof vulnerability> => ({
  identifier: one.identifier,
  severity: words[one.criticality][0],
  criticality: criticality(one.criticality),
  description: one.description,
  fixed_version: one.fixedVersion ?? '',
  first_seen_at: one.firstSeenAt,
  published_at: one.publishedAt,
  resolved_at: null,
  withdrawn_at: null,
  refers_to: one.aliases.join(','),
  related: one.related.join(','),
});

export const toWireVulnerablePackage = (one: VulnerablePackage): z.input<typeof vulnerablePackage> => ({
  ...toWirePackage(one),
  build_id: one.build.id,
  build_name: one.build.name,
  channel_id: one.channel?.id ?? '',
  channel_name: one.channel?.name ?? '',
  vuln_details: [
    { last_scanned_at: one.scannedAt, vulnerabilities: one.vulnerabilities.map(toWireVulnerability) },
  ],
});

export const toWireSummary = ({
  total,
  packages,
  channels,
}: VulnerabilitySummary): z.input<typeof vulnerabilitySummary> => ({
  total_by_criticality: total.map((one) => ({
    ...counted(one),
    first_seen_at: one.firstSeenAt,
    average_age_days_for_criticality: one.averageAgeDays,
  })),
  packages_by_criticality: packages.map((one) => ({
    ...counted(one),
    package_name: one.name,
    package_version: one.version,
    package_purl: one.purl,
  })),
  channels_by_criticality: channels.map((one) => ({
    ...counted(one),
    channel_id: one.channel.id,
    channel_name: one.channel.name,
  })),
});

const counted = (one: { readonly criticality: Criticality; readonly count: number }) => ({
  criticality: criticality(one.criticality),
  vulnerability_count: String(one.count),
});
