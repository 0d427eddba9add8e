import { Failure } from '../../../domain/failure.ts';
import { bucketReadRoutes } from '../descriptors/routes/bucket-reads.ts';
import { implement } from '../handler.ts';
import { type ListOf, pageOf, paginationOf, slice } from '../paging.ts';
import { toWireExternalArtifact, toWireRelation } from '../wire/ancestry-lists.ts';
import { toWireBucket } from '../wire/bucket.ts';

const bucketList = {
  operation: 'ListBuckets',
  keys: ['name', 'created_at', 'updated_at'],
} as const satisfies ListOf<string>;
const ancestryList = { operation: 'ListBucketAncestry', keys: [] } as const satisfies ListOf<string>;
const searchList = { operation: 'SearchExternalArtifact', keys: [] } as const satisfies ListOf<string>;

const sides = {
  ANCESTRY_TYPE_UNSET: ['parents', 'children'],
  ANCESTRY_TYPE_PARENTS: ['parents'],
  ANCESTRY_TYPE_CHILDREN: ['children'],
} as const;

/** Empty is what clients send for what is not asked for. */
const given = (value: string | null | undefined): string | undefined =>
  value === '' ? undefined : (value ?? undefined);

export const bucketReadOperations = implement(bucketReadRoutes, {
  ListBuckets: async (call) => {
    const { deps, project, query, sights } = call;
    const page = pageOf(bucketList, query);
    const found = await deps.registry.views.buckets(project, page, sights);
    return {
      buckets: found.items.map((bucket) => toWireBucket(call, bucket)),
      pagination: paginationOf(bucketList, page, found),
    };
  },
  GetBucket: async (call) => {
    const { deps, project, path, sights } = call;
    return {
      bucket: toWireBucket(call, await deps.registry.views.bucket(project, path.bucket_name, sights)),
    };
  },
  ListBucketAncestry: async ({ deps, project, path, query, sights }) => {
    const page = pageOf(ancestryList, query);
    const fingerprint = given(query.version_fingerprint);
    const channel = given(query.channel_name);
    const all = await deps.registry.views.relations(
      project,
      path.bucket_name,
      {
        sides: sides[query.type ?? 'ANCESTRY_TYPE_UNSET'],
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(channel === undefined ? {} : { channel }),
      },
      sights,
    );
    const shown = slice(all, page);
    return {
      relations: shown.items.map(toWireRelation),
      total_count: all.length,
      pagination: paginationOf(ancestryList, page, shown),
    };
  },
  SearchExternalArtifact: async (call) => {
    const { deps, project, body, sights } = call;
    const externalIdentifier = given(body.external_identifier);
    if (externalIdentifier === undefined) {
      throw new Failure('invalid_input', 'external_identifier: it is what images are searched by');
    }
    const platform = given(body.platform);
    const region = given(body.region);
    const page = pageOf(searchList, {
      'pagination.page_size': String(body.pagination?.page_size ?? 0),
      'pagination.next_page_token': given(body.pagination?.next_page_token),
      'pagination.previous_page_token': given(body.pagination?.previous_page_token),
    });
    const found = await deps.registry.views.search(
      project,
      {
        externalIdentifier,
        ...(platform === undefined ? {} : { platform }),
        ...(region === undefined ? {} : { region }),
      },
      page,
      sights,
    );
    return {
      artifacts: found.items.map((one) => toWireExternalArtifact(call, one)),
      pagination: paginationOf(searchList, page, found),
    };
  },
});
