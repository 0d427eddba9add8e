import { toInstant } from '../../domain/instant.ts';
import type { Db, Store } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import type { AccessTokens } from '../contract/principals.ts';
import { present } from './present.ts';

export function createTokens(store: Store): AccessTokens {
  const { db } = store;
  return {
    async secretDigest(clientId) {
      const row = await selectSecrets(db)
        .where('principal_secret.client_id', '=', clientId)
        .select('principal_secret.digest')
        .executeTakeFirst();
      return row?.digest;
    },
    issue: ({ clientId, digest, lifeMs }) =>
      transact(store, async (tx) => {
        // Its row is locked first: a rotation or a revocation that comes meanwhile waits, and then takes this token along.
        const secret = await selectSecrets(tx)
          .where('principal_secret.client_id', '=', clientId)
          .select('principal_secret.client_id')
          .forUpdate('principal_secret')
          .executeTakeFirst();
        if (secret === undefined) return false;
        const now = await clock(tx);
        await tx
          .updateTable('principal_secret')
          .set({ used_at: now })
          .where('client_id', '=', clientId)
          .execute();
        await tx
          .deleteFrom('token')
          .where('client_id', '=', clientId)
          .where('expires_at', '<=', now)
          .execute();
        await tx
          .insertInto('token')
          .values({
            digest: Buffer.from(digest),
            client_id: clientId,
            created_at: now,
            expires_at: toInstant(Date.parse(now) + lifeMs),
          })
          .execute();
        return true;
      }),
    async holder(digest) {
      const found = await selectSecrets(db)
        .innerJoin('token', 'token.client_id', 'principal_secret.client_id')
        .where('token.digest', '=', Buffer.from(digest))
        .where('token.expires_at', '>', present)
        .select(['principal.id as principalId', 'principal.name'])
        .select('principal.organization_id as organizationId')
        .executeTakeFirst();
      if (found === undefined) return undefined;
      const roles = await db
        .selectFrom('principal_role')
        .innerJoin('project', 'project.id', 'principal_role.project_id')
        .leftJoin('bucket', 'bucket.id', 'principal_role.bucket_id')
        .where('principal_role.principal_id', '=', found.principalId)
        .where('bucket.deleted_at', 'is', null)
        .select(['project.name as project', 'bucket.name as bucket', 'role'])
        .execute();
      return { ...found, roles };
    },
  };
}

/** Secrets that work at this instant, with whose they are. */
const selectSecrets = (db: Db) =>
  db
    .selectFrom('principal_secret')
    .innerJoin('principal', 'principal.id', 'principal_secret.principal_id')
    .where('principal.revoked_at', 'is', null)
    .where((where) =>
      where.or([
        where('principal_secret.ends_at', 'is', null),
        where('principal_secret.ends_at', '>', present),
      ]),
    );
