import { z } from 'zod';
import { instant, ulid } from '../values.ts';
import { sbom } from './sbom.ts';

const criticality = z.enum(['Critical', 'High', 'Medium', 'Low', 'Unknown']);
/** An int64, which is a text in JSON. */
const count = z.string().regex(/^\d+$/);

export const vulnerability = z.object({
  identifier: z.string(),
  severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']),
  criticality,
  description: z.string(),
  fixed_version: z.string(),
  first_seen_at: instant,
  published_at: instant,
  /** What is resolved or withdrawn is not told of. */
  resolved_at: z.null(),
  withdrawn_at: z.null(),
  refers_to: z.string(),
  related: z.string(),
});

export const namedPackage = z.object({ name: z.string(), version: z.string(), purl: z.string() });
export const listedPackage = namedPackage.extend({ sboms: z.array(sbom) });

export const vulnerablePackage = listedPackage.extend({
  build_id: ulid,
  build_name: z.string(),
  /** Empty: no channel that the caller sees points to its version. */
  channel_id: z.string(),
  channel_name: z.string(),
  vuln_details: z.array(z.object({ last_scanned_at: instant, vulnerabilities: z.array(vulnerability) })),
});

const impacted = z.array(z.object({ id: ulid, name: z.string() }));

export const vulnerabilityWithImpacts = z.object({
  vulnerability,
  impacted_builds: impacted,
  impacted_channels: impacted,
  impacted_packages: z.array(namedPackage),
});

export const vulnerabilitySummary = z.object({
  total_by_criticality: z.array(
    z.object({
      criticality,
      vulnerability_count: count,
      first_seen_at: z.string(),
      average_age_days_for_criticality: z.number(),
    }),
  ),
  packages_by_criticality: z.array(
    z.object({
      criticality,
      vulnerability_count: count,
      package_name: z.string(),
      package_version: z.string(),
      package_purl: z.string(),
    }),
  ),
  channels_by_criticality: z.array(
    z.object({ criticality, vulnerability_count: count, channel_id: ulid, channel_name: z.string() }),
  ),
});
