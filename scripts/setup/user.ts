/** Whether this user can run what the set-up fetches: asked before anything is fetched. */
import { installationRoot } from '../../src/config/tools.ts';
import { findBinaries } from '../../src/store/embedded/binaries.ts';
import { isRoot } from './apt.ts';
import { NeedsAPerson } from './progress.ts';
import { missingQemu } from './programs.ts';

/**
 * PostgreSQL refuses root, and a container may not let root make the user namespace that helps (Docker's usual seccomp profile does not).
 * With a database of the user's own there is nothing to ask.
 */
export async function userRunsPostgres(): Promise<void> {
  if ((process.env['DATABASE_URL'] ?? '') !== '') return;
  try {
    await findBinaries();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NeedsAPerson(isRoot && why.includes('as root') ? `${why}\n${asNormalUser()}` : why, { cause });
  }
}

function asNormalUser(): string {
  const qemu = missingQemu();
  // What only root can do has to be done before root is left.
  const install =
    qemu.length === 0
      ? []
      : [`apt-get update && apt-get install -y --no-install-recommends ${qemu.join(' ')}`];
  const lines = [
    ...install,
    'useradd --create-home bakehouse',
    `chown -R bakehouse: ${installationRoot}`,
    "runuser bakehouse -c 'npm run demo'",
  ];
  return `As root, in the clone, which must be in a folder that others may enter:\n  ${lines.join('\n  ')}`;
}
