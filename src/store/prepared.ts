import type { RawBuilder } from 'kysely';
import type { QueryResultRow } from 'pg';
import { Failure } from '../domain/failure.ts';
import type { Store } from './store.ts';
import { unavailable } from './unavailable.ts';

/**
 * A query that each connection plans once: for what is asked for all the time and takes longer to plan than to run. Its parameters are
 * written as the names under which they are given. `name` is unique in the program.
 */
export function prepare<Row extends QueryResultRow>(
  { db, pool, address }: Store,
  name: string,
  query: RawBuilder<Row>,
): (given: Readonly<Record<string, unknown>>) => Promise<readonly Row[]> {
  const { sql: text, parameters } = query.compile(db);
  const names = parameters.map(String);
  return async (given) => {
    const values = names.map((parameter) => {
      if (parameter in given) return given[parameter];
      throw new Failure('internal', `the query ${name} was not given ${parameter}`);
    });
    try {
      return (await pool.query<Row>({ name, text, values })).rows;
    } catch (error) {
      throw unavailable(error, address);
    }
  };
}
