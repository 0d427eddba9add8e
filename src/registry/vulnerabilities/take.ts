import { sql } from 'kysely';
import { Failure } from '../../domain/failure.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Advisory, Vulnerabilities, VulnerabilityImport } from '../contract/vulnerabilities.ts';
import { recordAll } from '../record.ts';
import { ecosystemOf } from './advised-as.ts';
import { lockForImport, scanAdvisories } from './scan.ts';

type Input = Parameters<Vulnerabilities['take']>[0];

export async function takeAdvisories(tx: Tx, input: Input): Promise<VulnerabilityImport> {
  await lockForImport(tx);
  const now = await clock(tx);
  const before = await begin(tx, input, now);
  if (before >= input.batch) return find(tx, input.importId);
  if (input.batch !== before + 1) {
    throw new Failure(
      'conflict',
      `Import ${input.importId} has had ${before} calls, so that ${input.batch} is not the next one. Begin another import.`,
    );
  }
  const known = input.advisories.map(withKnownEcosystems);
  const wanted = known.filter(({ affected }) => affected.length > 0);
  await forget(
    tx,
    known.filter(({ affected }) => affected.length === 0),
  );
  const replaced = await write(tx, wanted);
  await scanAdvisories(tx, replaced, now);
  await tx
    .updateTable('vulnerability_import')
    .set((at) => ({
      batches: input.batch,
      advisories: at('advisories', '+', wanted.length),
      ended_at: input.last ? now : null,
    }))
    .where('id', '=', input.importId)
    .execute();
  const taken = await find(tx, input.importId);
  if (input.batch === 1 || input.last) await tell(tx, taken, input, now);
  return taken;
}

/** How many calls it has had. */
async function begin(tx: Tx, { importId, file, by }: Input, now: string): Promise<number> {
  await tx
    .insertInto('vulnerability_import')
    .values({ id: importId, file, actor: JSON.stringify(by), started_at: now })
    .onConflict((on) => on.column('id').doNothing())
    .execute();
  const { batches } = await tx
    .selectFrom('vulnerability_import')
    .select('batches')
    .where('id', '=', importId)
    .executeTakeFirstOrThrow();
  return batches;
}

const find = (tx: Tx, id: string): Promise<VulnerabilityImport> =>
  tx
    .selectFrom('vulnerability_import')
    .select(['id', 'file', 'advisories', 'started_at as startedAt', 'ended_at as endedAt'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();

const withKnownEcosystems = (advisory: Advisory): Advisory => ({
  ...advisory,
  affected: advisory.affected.flatMap((one) => {
    const ecosystem = ecosystemOf(one.ecosystem);
    return ecosystem === undefined
      ? []
      : [
          {
            ...one,
            ecosystem,
            name: ecosystem === 'pypi' ? one.name.toLowerCase().replaceAll(/[-_.]+/g, '-') : one.name,
          },
        ];
  }),
});

/** Those that name no package any more that could be here. */
async function forget(tx: Tx, advisories: readonly Advisory[]): Promise<void> {
  const ids = advisories.map(({ id }) => id);
  await sql`delete from vulnerability where id = any(${ids}::text[])`.execute(tx);
}

/** Answers the ids of those that were written. */
async function write(tx: Tx, advisories: readonly Advisory[]): Promise<readonly string[]> {
  // The last one of an id: a statement changes a row once.
  const rows = [...new Map(advisories.map((one) => [one.id, one])).values()];
  const { rows: written } = await sql<{ readonly id: string }>`
    insert into vulnerability as known (id, description, criticality, aliases, related, published_at, modified_at, withdrawn_at)
    select id, description, criticality, aliases, related, "publishedAt", "modifiedAt", "withdrawnAt"
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (
      id text, description text, criticality text, aliases text[], related text[], "publishedAt" timestamptz, "modifiedAt" timestamptz,
      "withdrawnAt" timestamptz
    )
    on conflict (id) do update set
      description = excluded.description, criticality = excluded.criticality, aliases = excluded.aliases, related = excluded.related,
      published_at = excluded.published_at, modified_at = excluded.modified_at, withdrawn_at = excluded.withdrawn_at
    where known.modified_at is null or excluded.modified_at >= known.modified_at
    returning id`.execute(tx);
  const ids = written.map(({ id }) => id);
  const affected = rows
    .filter(({ id }) => ids.includes(id))
    .flatMap((one) =>
      one.affected.map((what, position) => ({ vulnerability_id: one.id, position, ...what })),
    );
  await sql`delete from vulnerability_affected where vulnerability_id = any(${ids}::text[])`.execute(tx);
  await sql`
    insert into vulnerability_affected (vulnerability_id, position, ecosystem, name, ranges, versions)
    select vulnerability_id, position, ecosystem, name, ranges, versions
    from jsonb_to_recordset(${JSON.stringify(affected)}::jsonb) as r (
      vulnerability_id text, position integer, ecosystem text, name text, ranges jsonb, versions jsonb
    )`.execute(tx);
  return ids;
}

/** Of the whole installation, so that each project's trail has it: when it begins, and when it is done. */
async function tell(tx: Tx, taken: VulnerabilityImport, { by }: Input, now: string): Promise<void> {
  const projects = await tx.selectFrom('project').select('name').execute();
  const { file, advisories, endedAt } = taken;
  await recordAll(
    tx,
    projects.map(({ name }) => ({
      event: {
        kind: 'vulnerabilities.imported',
        project: name,
        subjectId: taken.id,
        data: { file, advisories, done: endedAt !== null },
        by,
        at: now,
      },
    })),
  );
}
