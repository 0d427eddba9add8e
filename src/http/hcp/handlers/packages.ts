import type { Criticality } from '../../../domain/vulnerability.ts';
import type { PackageFilter, VulnerabilityFilter } from '../../../registry/contract/packages.ts';
import { packageRoutes } from '../descriptors/routes/packages.ts';
import { implement } from '../handler.ts';
import { type ListOf, pageOf, paginationOf } from '../paging.ts';
import {
  toWireNamed,
  toWirePackage,
  toWireSummary,
  toWireVulnerability,
  toWireVulnerablePackage,
} from '../wire/package.ts';

interface PackageQuery {
  readonly package_name?: string | undefined;
  readonly package_name_starts_with?: string | undefined;
  readonly package_version?: string | undefined;
}

const packageFilter = (query: PackageQuery): PackageFilter => ({
  ...(query.package_name === undefined ? {} : { name: query.package_name }),
  ...(query.package_name_starts_with === undefined ? {} : { nameStartsWith: query.package_name_starts_with }),
  ...(query.package_version === undefined ? {} : { version: query.package_version }),
});

interface VulnerabilityQuery {
  readonly criticality: readonly Criticality[];
  readonly identifier?: string | undefined;
  readonly identifier_starts_with?: string | undefined;
}

const vulnerabilityFilter = (query: VulnerabilityQuery): VulnerabilityFilter => ({
  criticalities: query.criticality,
  ...(query.identifier === undefined ? {} : { identifier: query.identifier }),
  ...(query.identifier_starts_with === undefined
    ? {}
    : { identifierStartsWith: query.identifier_starts_with }),
});

const byNumber = { keys: ['name'], place: /^\d{1,18}$/ } as const;
const buildList = { operation: 'ListBuildPackages', ...byNumber } satisfies ListOf<string>;
const bucketList = { operation: 'ListBucketPackages', ...byNumber } satisfies ListOf<string>;
const vulnerableList = {
  operation: 'ListBucketPackagesWithVulnerabilities',
  keys: ['name'],
  place: /^\d{1,18}\.\w{1,64}\.[\w-]{1,64}$/,
} as const satisfies ListOf<string>;
const vulnerabilityList = {
  operation: 'ListBucketVulnerabilities',
  keys: ['identifier'],
  place: /^[^\0]{1,255}$/,
} as const satisfies ListOf<string>;

export const packageOperations = implement(packageRoutes, {
  ListBuildPackages: async ({ deps, project, path, query }) => {
    const page = pageOf(buildList, query);
    const found = await deps.registry.packages.ofBuild(
      { project, bucket: path.bucket_name, fingerprint: path.fingerprint, buildId: path.build_id },
      packageFilter(query),
      page,
    );
    return { packages: found.items.map(toWirePackage), pagination: paginationOf(buildList, page, found) };
  },
  ListBucketPackages: async ({ deps, project, path, query }) => {
    const page = pageOf(bucketList, query);
    const found = await deps.registry.packages.ofBucket(
      { project, bucket: path.bucket_name },
      packageFilter(query),
      page,
    );
    return { packages: found.items.map(toWirePackage), pagination: paginationOf(bucketList, page, found) };
  },
  ListBucketPackagesVulnerabilitySummary: async ({ deps, project, path, sight }) =>
    toWireSummary(await deps.registry.packages.summary({ project, bucket: path.bucket_name, sight })),
  ListBucketPackagesWithVulnerabilities: async ({ deps, project, path, query, sight }) => {
    const page = pageOf(vulnerableList, query);
    const found = await deps.registry.packages.vulnerable(
      { project, bucket: path.bucket_name, sight },
      { ...packageFilter(query), ...vulnerabilityFilter(query) },
      page,
    );
    return {
      packages: found.items.map(toWireVulnerablePackage),
      pagination: paginationOf(vulnerableList, page, found),
    };
  },
  ListBucketVulnerabilities: async ({ deps, project, path, query, sight }) => {
    const page = pageOf(vulnerabilityList, query);
    const found = await deps.registry.packages.vulnerabilities(
      { project, bucket: path.bucket_name, sight },
      vulnerabilityFilter(query),
      page,
    );
    return {
      vulnerabilities: found.items.map((one) => ({
        vulnerability: toWireVulnerability(one.vulnerability),
        impacted_builds: [...one.builds],
        impacted_channels: [...one.channels],
        impacted_packages: one.packages.map(toWireNamed),
      })),
      pagination: paginationOf(vulnerabilityList, page, found),
    };
  },
});
