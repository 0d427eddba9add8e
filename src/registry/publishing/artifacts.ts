import { sql } from 'kysely';
import { monotonicFactory } from 'ulid';
import { providerOf } from '../../domain/build-change.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import { unknownAccount } from '../../domain/target.ts';
import type { Tx } from '../../store/store.ts';
import type { ToldArtifact } from '../contract/publishing.ts';
import { heldByOthers, keyOf } from './held-by-others.ts';
import type { HeldVersion } from './hold-version.ts';

/** They are read by their ids, and Packer takes the first one that fits: in the order in which they were told. */
const nextId = monotonicFactory();

interface OfBuild {
  readonly id: string;
  readonly versionId: string;
  readonly platform: string | null;
}

/** Writes what a build that is not done has made, in place of what was told before. One parameter, however many there are. */
export async function replaceArtifacts(
  tx: Tx,
  build: OfBuild,
  told: readonly ToldArtifact[],
  { line, bucketId }: HeldVersion,
  now: string,
): Promise<void> {
  await tx.deleteFrom('artifact').where('build_id', '=', build.id).execute();
  if (told.length === 0) return;
  const provider = providerOf(build.platform);
  const images = told.map(({ externalIdentifier: imageId, region }) => ({
    imageId,
    target: { provider, account: accountOf(line, provider, region), region },
  }));
  const others = await heldByOthers(tx, bucketId, images);
  const rows = images.map((image) => ({
    id: nextId(),
    account: others.has(keyOf(image)) ? unknownAccount : image.target.account,
    region: image.target.region,
    image_id: image.imageId,
  }));
  await sql`
    insert into artifact (id, build_id, version_id, provider, account, region, image_id, created_at)
    select id, ${build.id}, ${build.versionId}, ${provider}, account, region, image_id, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (id text, account text, region text, image_id text)
    on conflict (build_id, provider, account, region, image_id) do nothing`.execute(tx);
}

/** Packer tells no account; the line does, where it leaves no choice. */
function accountOf(line: ImageLine | null, provider: string, region: string): string {
  const accounts = (line?.targets ?? []).filter(
    (target) => target.provider === provider && target.region === region,
  );
  const [only] = accounts;
  return only === undefined || accounts.length > 1 ? unknownAccount : only.account;
}

export async function isSameArtifacts(
  tx: Tx,
  buildId: string,
  told: readonly ToldArtifact[],
): Promise<boolean> {
  const rows = await tx
    .selectFrom('artifact')
    .where('build_id', '=', buildId)
    .where('copied_from', 'is', null)
    .select(['image_id', 'region'])
    .execute();
  const known = new Set(rows.map(({ image_id, region }) => JSON.stringify([image_id, region])));
  const given = new Set(
    told.map(({ externalIdentifier, region }) => JSON.stringify([externalIdentifier, region])),
  );
  return known.size === given.size && [...given].every((one) => known.has(one));
}
