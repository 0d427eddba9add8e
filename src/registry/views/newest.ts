import { type RawBuilder, sql } from 'kysely';

/** Id of a bucket's newest complete version: its highest number. One look at an index. */
export const newestOf = (bucketId: RawBuilder<unknown>) => sql`
  select v.id from version v where v.bucket_id = ${bucketId} and v.number is not null and v.deleted_at is null
  order by v.number desc limit 1`;
