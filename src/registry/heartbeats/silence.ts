import { sql } from 'kysely';

/** Five heartbeats of Packer that did not come. */
const expiryMs = 10 * 60_000;
/** Servers say that they are up every half minute; when none did for so long, none was. */
const gapMs = 90_000;

const ms = (value: number) => sql`make_interval(secs => ${value / 1000})`;

/** Since when a server is up without a gap; now, while none is: then nobody can be silent. */
const upSince = sql`coalesce(
  (select since from server_watch where seen_at > clock_timestamp() - ${ms(gapMs)}), clock_timestamp())`;

/** From when the silence of a build `b` counts. */
export const silentSince = sql`greatest(b.heartbeat_at, ${upSince})`;

export const expiry = ms(expiryMs);

export const markServer = sql`
  insert into server_watch as w (since, seen_at) values (clock_timestamp(), clock_timestamp())
  on conflict (only_one) do update set
    since = case when w.seen_at > clock_timestamp() - ${ms(gapMs)} then w.since else clock_timestamp() end,
    seen_at = clock_timestamp()`;
