import { z } from 'zod';
import { criticalities } from '../../../../domain/vulnerability.ts';
import { hcpRoute, registryPrefix } from '../route.ts';
import {
  listedPackage,
  vulnerabilitySummary,
  vulnerabilityWithImpacts,
  vulnerablePackage,
} from '../schemas/package.ts';
import { pageQuery, pagination, sortQuery } from '../schemas/pagination.ts';
import { nothing } from '../values.ts';

const bucket = `${registryPrefix}/buckets/{bucket_name}` as const;
const packages = `${bucket}/packages` as const;

/** Go sends an empty text for what is not set. */
const wanted = z
  .string({ error: 'is written more than once' })
  .max(1024)
  .optional()
  .transform((value) => (value === '' ? undefined : value));

const packageQuery = { package_name: wanted, package_name_starts_with: wanted, package_version: wanted };
const known = z
  .string()
  .toLowerCase()
  .pipe(z.enum(criticalities, { error: `is one of ${criticalities.join(', ')}` }));
const vulnerabilityQuery = {
  criticality: z
    .union([z.string(), z.array(z.string()).max(100)])
    .default([])
    .transform((value) => [value].flat().flatMap((one) => one.split(',').filter((word) => word !== '')))
    .pipe(z.array(known)),
  identifier: wanted,
  identifier_starts_with: wanted,
};
const packagePage = z.object({ packages: z.array(listedPackage), pagination });

export const packageRoutes = {
  ListBuildPackages: hcpRoute({
    method: 'GET',
    path: `${bucket}/versions/{fingerprint}/builds/{build_id}/packages`,
    operation: 'ListBuildPackages',
    summary: 'Packages that the SBOMs of a build name, by name and version.',
    role: 'viewer',
    query: z.object({ ...packageQuery, ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: packagePage,
    errors: ['not_found'],
  }),
  ListBucketPackages: hcpRoute({
    method: 'GET',
    path: packages,
    operation: 'ListBucketPackages',
    summary: 'Packages that the SBOMs of a bucket name, each once, by name and version.',
    role: 'viewer',
    query: z.object({ ...packageQuery, ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: packagePage,
    errors: ['not_found'],
  }),
  ListBucketPackagesVulnerabilitySummary: hcpRoute({
    method: 'GET',
    path: `${packages}/vulnerability-summary`,
    operation: 'ListBucketPackagesVulnerabilitySummary',
    summary: 'How many vulnerabilities there are in a bucket, in its packages and behind its channels.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: vulnerabilitySummary,
    errors: ['not_found'],
  }),
  ListBucketPackagesWithVulnerabilities: hcpRoute({
    method: 'GET',
    path: `${packages}/with-vulnerabilities`,
    operation: 'ListBucketPackagesWithVulnerabilities',
    summary:
      'Packages with what is known against them, for each build that has one and each channel that points to it.',
    role: 'viewer',
    query: z.object({ ...packageQuery, ...vulnerabilityQuery, ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: z.object({ packages: z.array(vulnerablePackage), pagination }),
    errors: ['not_found'],
  }),
  ListBucketVulnerabilities: hcpRoute({
    method: 'GET',
    path: `${bucket}/vulnerabilities`,
    operation: 'ListBucketVulnerabilities',
    summary:
      'Vulnerabilities in a bucket by their id, with the packages, builds and channels that they reach.',
    role: 'viewer',
    query: z.object({ ...vulnerabilityQuery, ...pageQuery, ...sortQuery }),
    body: nothing,
    reply: z.object({ vulnerabilities: z.array(vulnerabilityWithImpacts), pagination }),
    errors: ['not_found'],
  }),
} as const;
