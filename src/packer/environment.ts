/** The environment that Packer gets: built up from nothing, so that no credential of ours reaches a provisioner. */
import { join } from 'node:path';

/** What a program needs to find other programs, speak the right language and reach the network. */
const passedOn =
  /^(PATH|LANG|LANGUAGE|LC_[A-Z]+|TZ|USER|LOGNAME|SSL_CERT_FILE|SSL_CERT_DIR|(https?|no|all|ftp)_proxy)$/i;

export interface PackerPlaces {
  /** The attempt's own `HOME`, with Packer's configuration folder. */
  readonly home: string;
  readonly temporary: string;
  /** Downloads, shared by attempts; Packer locks them itself. */
  readonly cache: string;
  /** Where this Packer has its plugins; only Packer 1.7 and later. */
  readonly plugins?: string;
}

/**
 * `caller` is the environment of our own process, of which only harmless names pass: `HCP_*`, `PKR_VAR_*`, `VAULT_*` and
 * cloud credentials do not. `given` is what the bake was given on purpose, unchanged.
 */
export function packerEnvironment(
  caller: Readonly<Record<string, string | undefined>>,
  places: PackerPlaces,
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const harmless = Object.entries(caller).flatMap(([name, value]) =>
    value !== undefined && passedOn.test(name) ? [[name, value] as const] : [],
  );
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ...Object.fromEntries(harmless),
    HOME: places.home,
    TMPDIR: places.temporary,
    PACKER_CONFIG_DIR: join(places.home, '.packer.d'),
    PACKER_CACHE_DIR: places.cache,
    ...(places.plugins === undefined ? {} : { PACKER_PLUGIN_PATH: places.plugins }),
    PACKER_NO_COLOR: '1',
    // Without it Packer asks its maker's servers for news on each run.
    CHECKPOINT_DISABLE: '1',
    ...given,
  };
}
