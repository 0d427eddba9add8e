/** Rules of the secrets that a line names. Pure. */
import type { LineSecret } from './image-line.ts';

/** What the runner sets itself, or what would give a secret to programs that are none of the bake's. */
const reserved =
  /^(PATH|HOME|TMPDIR|USER|LOGNAME|SHELL|LANG|LC_.*|LD_.*|PACKER_.*|PKR_.*|HCP_.*|CHECKPOINT_.*|BAKEHOUSE_.*)$/;

/** As `vault kv get` and `vault read` take it: at least an engine and a name, nothing that an address could hide. */
const pathForm = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.@-]+)+$/;

/** What is wrong with one secret, and where in it; undefined: nothing. */
export function secretProblem({ from, into }: LineSecret): SecretProblem | undefined {
  if (!pathForm.test(from.path) || from.path.split('/').some((part) => /^\.+$/.test(part))) {
    return {
      at: ['from', from.kind],
      text: `${JSON.stringify(from.path)} is no path in Vault: write engine/name`,
    };
  }
  if (from.kind === 'kv' && /^[^/]+\/data\//.test(from.path)) {
    const shorter = from.path.replace('/data/', '/');
    return { at: ['from', 'kv'], text: `leave \`data/\` out, as in \`vault kv get\`: ${shorter}` };
  }
  if (into.kind !== 'environment') return undefined;
  const at = ['into', 'environment'];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(into.name)) {
    return { at, text: `${JSON.stringify(into.name)} is no name of an environment variable` };
  }
  if (!reserved.test(into.name.toUpperCase())) return undefined;
  return { at, text: `${into.name} is set for each bake: choose another name, or pass a Packer variable` };
}

export interface SecretProblem {
  readonly at: readonly string[];
  readonly text: string;
}

/** Two secrets with one of these would be one too many. */
export const secretPlace = ({ into }: LineSecret): string => `${into.kind} ${into.name}`;
