import type { ImageRef } from '../../../src/domain/target.ts';
import type { Version } from '../../../src/domain/version.ts';
import type { Store } from '../../../src/store/store.ts';
import type { World } from './world.ts';

/** A version with one built image that no bake of ours made, ready to be completed; by default its image lies where the line wants it. */
export async function openForeign(
  store: Store,
  world: World,
  bucket: string,
  image?: ImageRef,
): Promise<Version> {
  const { id } = await world.open(bucket);
  await store.db
    .updateTable('version')
    .set({ request_id: null, attempt: null, bake_id: null })
    .where('id', '=', id)
    .execute();
  if (image !== undefined) {
    await store.db
      .updateTable('artifact')
      .set({ ...image.target, image_id: image.imageId })
      .where('version_id', '=', id)
      .execute();
  }
  return world.registry.versions.get(id);
}
