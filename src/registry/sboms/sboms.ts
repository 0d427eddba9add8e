import { Failure } from '../../domain/failure.ts';
import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Sboms } from '../contract/sboms.ts';
import { findBuild, findRunningBuild } from './find-build.ts';
import { uploadSbom } from './upload.ts';

export function createSboms(store: Store): Sboms {
  const { db } = store;
  const select = (buildId: string) =>
    db.selectFrom('sbom').select(['id', 'name', 'format']).where('build_id', '=', buildId);
  return {
    refuseUnlessRunning: (at) => findRunningBuild(db, at),
    upload: (input) => transact(store, (tx) => uploadSbom(tx, input)),
    async list(at) {
      await findBuild(db, at);
      return select(at.buildId).orderBy('name').execute();
    },
    async get(at, name) {
      await findBuild(db, at);
      const found = await select(at.buildId).where('name', '=', name).executeTakeFirst();
      if (found === undefined) throw unknown(name);
      return found;
    },
    async content(id) {
      const found = await db.selectFrom('sbom').select('content').where('id', '=', id).executeTakeFirst();
      if (found === undefined) throw unknown(id);
      return found.content;
    },
  };
}

const unknown = (name: string): Failure =>
  new Failure('not_found', `The sbom with identifier ${name} does not exist.`);
