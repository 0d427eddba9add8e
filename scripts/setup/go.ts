/** Go, which builds the current Packer and its plugins: only tests ask for it. */
import { onPath } from '../../src/config/tools.ts';
import { command } from './command.ts';
import { NeedsAPerson } from './progress.ts';

/** What the go.mod of Packer and of its plugins asks for; an older Go refuses to read them. */
export const oldestGo = '1.26.3';

/** Modules as these builds need them. No other toolchain is fetched behind anybody's back. */
export const goEnvironment = {
  GOTOOLCHAIN: 'local',
  GOFLAGS: '-mod=mod',
  GOWORK: 'off',
  CGO_ENABLED: '0',
};

/** Path of a Go that builds `what`; stops with the version found and the version needed. */
export async function findGo(what: string): Promise<string> {
  const go = onPath(['go'])?.path;
  const need = `${what} is built with Go ${oldestGo} or newer`;
  if (go === undefined)
    throw new NeedsAPerson(`${need}, and there is none on PATH: install it, then ask again`);
  const { stdout } = await command(go, ['version'], { env: goEnvironment }).catch((cause: unknown) => {
    throw new NeedsAPerson(`${need}, and ${go} does not say its version: install it anew, then ask again`, {
      cause,
    });
  });
  const version = /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(stdout)?.[1];
  if (version === undefined || isOlder(version, oldestGo)) {
    throw new NeedsAPerson(
      `${need}, and ${go} is ${version ?? stdout.trim()}: install a newer one and put it first on PATH, then ask again`,
    );
  }
  return go;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const [needMajor = 0, needMinor = 0, needPatch = 0] = than.split('.').map(Number);
  return (
    major < needMajor ||
    (major === needMajor && (minor < needMinor || (minor === needMinor && patch < needPatch)))
  );
}
