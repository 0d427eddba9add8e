import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { PackageFilter, PackageView } from '../contract/packages.ts';
import type { PageAsked, PageOf } from '../contract/pages.ts';
import { pageClauses, toPage } from './page.ts';
import { packageMatches, sbomsOfPackage } from './scope.ts';

interface Row extends PackageView {
  readonly id: string;
}

/** Each package of the scope once. */
export async function listPackages(
  db: Db,
  scope: RawBuilder<unknown>,
  filter: PackageFilter,
  ask: PageAsked<'name'>,
): Promise<PageOf<PackageView>> {
  const place = sql`select name, version, id from package where id = ${ask.from?.id}::bigint`;
  const page = pageClauses(ask, ['p.name', 'p.version', 'p.id'], place);
  const { rows } = await sql<Row>`
    with ${scope}
    select p.id::text as id, p.name, p.version, p.purl, ${sbomsOfPackage} as sboms
    from package p
    where p.id in (select sp.package_id from scope s join sbom_package sp on sp.sbom_id = s.id)
      and ${packageMatches(filter)} and ${page.where}
    ${page.order}`.execute(db);
  return toPage(rows, ask, ({ id }) => id);
}
