import { sql } from 'kysely';
import { toInstant } from '../../domain/instant.ts';
import { prepare } from '../../store/prepared.ts';
import type { Db, Store } from '../../store/store.ts';
import { clock, transact } from '../../store/transaction.ts';
import type { AccessTokens, TokenHolder } from '../contract/principals.ts';
import { present } from './present.ts';

export function createTokens(store: Store): AccessTokens {
  const { db } = store;
  const read = prepare(store, 'token_holder', holderOf);
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
    holder: async (digest) => (await read({ digest: Buffer.from(digest) }))[0],
  };
}

/** Asked with every call. */
const holderOf = sql<TokenHolder>`
  select p.id as "principalId", p.name, p.organization_id as "organizationId", p.attempt_id as "attemptId",
    (
      select json_build_object('project', project.name, 'bucket', b.name, 'fingerprint', v.fingerprint)
      from bake_attempt a
        join version v on v.id = a.version_id
        join bucket b on b.id = v.bucket_id
        join project on project.id = b.project_id
      where a.id = p.attempt_id
    ) as "ownVersion",
    coalesce((
      select json_agg(json_build_object('project', project.name, 'bucket', b.name, 'role', r.role))
      from principal_role r
        join project on project.id = r.project_id
        left join bucket b on b.id = r.bucket_id
      where r.principal_id = p.id and b.deleted_at is null
    ), '[]') as roles
  from token t
    join principal_secret s on s.client_id = t.client_id
    join principal p on p.id = s.principal_id
  where t.digest = ${'digest'} and t.expires_at > ${present} and p.revoked_at is null
    and (s.ends_at is null or s.ends_at > ${present})`;

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
