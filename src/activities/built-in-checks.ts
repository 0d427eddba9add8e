/**
 * What every image is checked for, whatever its line says: that a machine started from it is a new one, and that the bake left nothing
 * of itself behind. Commands are plain POSIX shell, run in the guest; where it has none, these checks are left out, and the result says so.
 */
import type { ImageRef } from '../domain/target.ts';
import type { CheckResult, SecretScan } from '../domain/version.ts';
import type { CallContext, GuestShell, ImageProvider, Machine } from '../providers/provider.ts';

export interface Look {
  readonly provider: ImageProvider;
  readonly machine: Machine;
  readonly image: ImageRef;
  readonly mustBeGone: readonly string[];
  /** What the bake host found, which alone knew the secrets; null: nobody looked. */
  readonly secretScan: SecretScan | null;
  readonly context: CallContext;
}

export interface Seen {
  readonly passed: boolean;
  readonly detail: string;
}

interface BuiltInCheck {
  readonly name: string;
  /** It runs commands of this shell in the guest. Absent: none. */
  readonly shell?: 'posix';
  /** Undefined where it cannot be looked at. */
  look(at: Look): Promise<Seen | undefined>;
}

const commandMs = 60_000;

const inGuest = ({ provider, machine, context }: Look, command: string) =>
  provider.machines.run(machine, command, commandMs, context);

/** A boot that went wrong says so on the console even where commands are accepted. */
const bootTrouble =
  /Kernel panic|Entering emergency mode|You are in emergency mode|^cloud-init.*\bfailed\b.*$/im;

/** The guest's clock may have been set between boot and key generation, and files have whole seconds. */
const clockSlackSeconds = 5;

const builtInChecks: readonly BuiltInCheck[] = [
  {
    name: 'boot ended well',
    async look({ provider, machine }) {
      const trouble = bootTrouble.exec(await provider.machines.console(machine));
      return trouble === null
        ? { passed: true, detail: 'no sign of a failed boot on the console' }
        : { passed: false, detail: `the console shows: ${trouble[0]}` };
    },
  },
  {
    name: 'machine id is fresh',
    shell: 'posix',
    async look(at) {
      const { stdout } = await inGuest(at, 'cat /etc/machine-id');
      const id = stdout.trim();
      if (!/^[0-9a-f]{32}$/.test(id)) {
        return { passed: false, detail: `/etc/machine-id holds "${id}": let each boot make one` };
      }
      const found = (await at.provider.searchDisk?.(at.image, [id], at.context)) ?? [];
      return found.length === 0
        ? { passed: true, detail: id }
        : { passed: false, detail: `${id} is on the image: empty /etc/machine-id at the end of the bake` };
    },
  },
  {
    name: 'host keys are fresh',
    shell: 'posix',
    async look(at) {
      const { stdout } = await inGuest(
        at,
        'for key in /etc/ssh/ssh_host_*_key /etc/dropbear/*_host_key; do [ -f "$key" ] && stat -c "%Y %n" "$key"; done; ' +
          'echo "$(date +%s) $(cut -d" " -f1 /proc/uptime) clock"',
      );
      const rows = stdout
        .trim()
        .split('\n')
        .map((row) => row.split(' '));
      const [now = '', uptime = ''] = rows.find((row) => row[2] === 'clock') ?? [];
      const keys = rows.filter((row) => row.length === 2);
      if (keys.length === 0) return { passed: false, detail: 'no SSH host key was found in the guest' };
      const bootedAt = Number(now) - Number(uptime) - clockSlackSeconds;
      const old = keys.filter(([made]) => !(Number(made) >= bootedAt)).map(([, path]) => path);
      return old.length === 0
        ? { passed: true, detail: `${String(keys.length)} made since boot` }
        : { passed: false, detail: `made before this boot, so every machine has them: ${old.join(', ')}` };
    },
  },
  {
    name: 'no key of the bake is authorized',
    shell: 'posix',
    async look(at) {
      const { stdout } = await inGuest(
        at,
        'cat /root/.ssh/authorized_keys /root/.ssh/authorized_keys2 /home/*/.ssh/authorized_keys 2>/dev/null; true',
      );
      const left = at.mustBeGone.filter((mark) => stdout.includes(mark));
      return left.length === 0
        ? { passed: true, detail: `none of ${String(at.mustBeGone.length)}` }
        : { passed: false, detail: `still authorized: ${left.join(', ')}` };
    },
  },
  {
    name: 'nothing of the bake is on the disk',
    async look({ provider, image, mustBeGone, context }) {
      if (provider.searchDisk === undefined) return undefined;
      const found = mustBeGone.length === 0 ? [] : await provider.searchDisk(image, mustBeGone, context);
      return found.length === 0
        ? { passed: true, detail: `looked for ${String(mustBeGone.length)} marks` }
        : { passed: false, detail: `found on the image's disk: ${found.join(', ')}` };
    },
  },
  {
    name: 'no planted secret',
    look: ({ secretScan }) => Promise.resolve(secretScan === null ? undefined : judged(secretScan)),
  },
];

const lacking: Readonly<Record<GuestShell, string>> = {
  posix: '',
  powershell: 'commands there are run by PowerShell, and these are written for a POSIX shell',
  none: 'no command can be run there',
};

/** The built-in checks that a machine with this shell can be put to, and a result that names the others, if any. */
export function checksWith(shell: GuestShell): {
  readonly looked: readonly BuiltInCheck[];
  readonly leftOut: readonly CheckResult[];
} {
  const isOut = (check: BuiltInCheck) => check.shell !== undefined && check.shell !== shell;
  const out = builtInChecks.filter(isOut).map(({ name }) => name);
  const detail = `not looked at, because ${lacking[shell]}: ${out.join(', ')}`;
  return {
    looked: builtInChecks.filter((check) => !isOut(check)),
    leftOut: out.length === 0 ? [] : [{ name: 'built-in checks left out', passed: true, detail }],
  };
}

function judged({ lookedFor, found, tooShort, problem }: SecretScan): Seen {
  if (problem !== undefined) return { passed: false, detail: `the disk could not be looked at: ${problem}` };
  if (found.length > 0) {
    return {
      passed: false,
      detail: `on the image's disk is the value of ${found.join(', ')}, also if its file was deleted: let the template keep it in memory, and change the secret`,
    };
  }
  const short = tooShort.length === 0 ? '' : `; too short to look for: ${tooShort.join(', ')}`;
  return { passed: true, detail: `looked for ${lookedFor.join(', ') || 'none: the bake had none'}${short}` };
}
