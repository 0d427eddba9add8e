import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Db, Store } from '../../store/store.ts';
import type { Operations, OperationView } from '../contract/operations.ts';

export function createOperations({ db }: Store): Operations {
  return {
    async find(project, id) {
      const found = (await ofRevocation(db, project, id)) ?? (await doneAtOnce(db, project, id));
      if (found === undefined)
        throw new Failure('not_found', `The operation with identifier ${id} does not exist.`);
      return found;
    },
  };
}

/** All that was inherited from the record counts: effects are written in steps. An exemption puts one off. */
async function ofRevocation(db: Db, project: string, id: string): Promise<OperationView | undefined> {
  const { rows } = await sql<OperationView>`
    select r.id, b.name as bucket, r.created_at as "createdAt", coalesce(r.lifted_at, r.materialised_at, r.created_at) as "updatedAt",
      case
        when r.lifted_at is not null then 'done'
        when exists (
          select from revocation o
          where o.root_id = r.id and o.lifted_at is null and o.materialised_at is null and o.due_at <= clock_timestamp()
            and not exists (
              select from exemption e
              where e.version_id = o.version_id and e.starts_at <= clock_timestamp() and e.ends_at > clock_timestamp()
            )
        ) then 'running'
        when r.materialised_at is null then 'pending'
        else 'done'
      end as state
    from revocation r
      join version v on v.id = r.version_id
      join bucket b on b.id = v.bucket_id
      join project p on p.id = b.project_id
    where r.id = ${id} and p.name = ${project}`.execute(db);
  return rows[0];
}

async function doneAtOnce(db: Db, project: string, id: string): Promise<OperationView | undefined> {
  const { rows } = await sql<OperationView>`
    select v.id, 'done' as state, b.name as bucket, v.created_at as "createdAt", coalesce(v.updated_at, v.created_at) as "updatedAt"
    from version v join bucket b on b.id = v.bucket_id join project p on p.id = b.project_id
    where v.id = ${id} and p.name = ${project}
    union all
    select c.id, 'done', null, c.updated_at, c.updated_at
    from registry_config c join project p on p.id = c.project_id
    where c.id = ${id} and p.name = ${project}`.execute(db);
  return rows[0];
}
