import { Failure } from '../../domain/failure.ts';
import { templateDigest } from '../../domain/template-digest.ts';
import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { TemplateSnapshot } from '../contract/lines.ts';

/** Stores content under its own digest; a digest that is not the content's is refused, because pins trust it. */
export async function putTemplate(store: Store, { digest, files }: TemplateSnapshot): Promise<void> {
  const actual = await templateDigest(files);
  if (actual !== digest) {
    throw new Failure(
      'invalid_input',
      `The template's content is ${actual}, not ${digest}. Read the folder again and upload it.`,
    );
  }
  await transact(store, async (tx) => {
    const made = await tx
      .insertInto('template')
      .values({ digest })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst();
    if (made.numInsertedOrUpdatedRows !== 1n) return;
    const rows = Object.entries(files).map(([path, content]) => ({
      digest,
      path,
      content: Buffer.from(content),
    }));
    if (rows.length > 0) await tx.insertInto('template_file').values(rows).execute();
  });
}

export async function hasTemplate(store: Store, digest: string): Promise<boolean> {
  const row = await store.db
    .selectFrom('template')
    .select('digest')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row !== undefined;
}

export async function getTemplate(store: Store, digest: string): Promise<TemplateSnapshot> {
  if (!(await hasTemplate(store, digest))) {
    throw new Failure('not_found', `Template ${digest} is not stored. Apply the line that uses it again.`);
  }
  const rows = await store.db
    .selectFrom('template_file')
    .select(['path', 'content'])
    .where('digest', '=', digest)
    .orderBy('path')
    .execute();
  return {
    digest,
    files: Object.fromEntries(rows.map(({ path, content }) => [path, new Uint8Array(content)])),
  };
}
