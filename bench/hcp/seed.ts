/** What publishing leaves, as rows and by SQL: buckets whose every version has three builds, the newest one on `prod`. */
import { sql } from 'kysely';
import type { Store } from '../../src/store/store.ts';

/** Of a version at most, so that a registry grows by its buckets. */
const perBucket = 100;

export const bucketName = (index: number): string => `bucket-${index}`;
export const fingerprint = (bucket: number, version: number): string => `f-${bucket}-${version}`;

/** The kind, and the bucket, the version and the source that it is of: hexadecimal digits are digits of a ULID too. */
const id = (kind: string, ...of: readonly string[]) =>
  sql`upper(${kind} || ${sql.join(
    of.map((one) => sql`lpad(to_hex(${sql.ref(`${one}.n`)}), 6, '0')`),
    sql` || `,
  )} || repeat('0', ${25 - 6 * of.length}))`;

/** Makes buckets from `from` on until there are `versions` more; answers how many buckets that took. */
export async function grow(
  { db }: Store,
  projectId: string,
  from: number,
  versions: number,
): Promise<number> {
  const each = Math.min(perBucket, versions);
  const buckets = Math.ceil(versions / each);
  const numbers = sql`generate_series(${from}::int, ${from + buckets - 1}::int) as b (n)`;
  const all = sql`${numbers} cross join generate_series(1, ${each}::int) as v (n)`;
  const builds = sql`${all} cross join generate_series(1, 3) as s (n)`;
  const actor = sql`'{"name":"bench","via":"api"}'::jsonb`;
  const at = sql`clock_timestamp() - interval '1 hour'`;
  const statements = [
    sql`insert into bucket (id, project_id, name, next_number, created_at, updated_at)
      select ${id('1', 'b')}, ${projectId}, 'bucket-' || b.n, ${each + 1}, ${at}, ${at} from ${numbers}`,
    sql`insert into version (id, bucket_id, fingerprint, number, state, actor, created_at, completed_at, template_type)
      select ${id('2', 'b', 'v')}, ${id('1', 'b')}, 'f-' || b.n || '-' || v.n, v.n, 'complete', ${actor}, ${at}, ${at}, 'HCL2' from ${all}`,
    sql`insert into build (id, version_id, source, state, platform, packer_run_uuid, labels, created_at, updated_at)
      select ${id('3', 'b', 'v', 's')}, ${id('2', 'b', 'v')}, 'amazon-ebs.source-' || s.n, 'done', 'aws', gen_random_uuid(),
        '{"team":"platform"}', ${at}, ${at}
      from ${builds}`,
    sql`insert into artifact (id, build_id, version_id, provider, account, region, image_id, created_at)
      select ${id('4', 'b', 'v', 's')}, ${id('3', 'b', 'v', 's')}, ${id('2', 'b', 'v')}, 'aws', 'unknown', 'eu-central-1',
        'ami-' || b.n || '-' || v.n || '-' || s.n, ${at}
      from ${builds}`,
    ...(['latest', 'prod'] as const).flatMap((name, index) => [
      sql`insert into channel (id, bucket_id, name, managed, restricted, gates, created_at, updated_at)
        select ${id(String(5 + index), 'b')}, ${id('1', 'b')}, ${name}, ${name === 'latest'}, ${name === 'latest'},
          '{}'::jsonb, ${at}, ${at}
        from ${numbers}`,
      sql`insert into assignment (id, channel_id, sequence, version_id, version_name, cause, actor, at)
        select ${id(String(7 + index), 'b', 'v')}, ${id(String(5 + index), 'b')}, v.n, ${id('2', 'b', 'v')}, 'v' || v.n, 'assigned',
          ${actor}, ${at}
        from ${all}`,
    ]),
    sql`analyze`,
  ];
  for (const statement of statements) await statement.execute(db);
  return buckets;
}
