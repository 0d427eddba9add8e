/** Templates from git: a ref becomes a commit when a bake is asked for, a commit becomes a folder when it is baked. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../domain/failure.ts';
import { credentialRemedy, holdsCredential } from '../domain/repository.ts';
import { runProgram } from './program.ts';
import type { ProgramResult } from './program.ts';
import { fillFolder, refuseLinksOutside } from './template-files.ts';

export interface GitOptions {
  /** Path of git. */
  readonly git: string;
  /** The environment git runs in: `HOME`, proxies and ssh settings come from here. Our own settings are left out. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

const timeoutMs = 300_000;
const commitForm = /^[0-9a-f]{40}$/;
/** Nothing of the repository may run: no hooks, no `ext::` transports, no submodules, no prompts. */
const careful = [
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'core.fsmonitor=false',
  '-c',
  'submodule.recurse=false',
  '-c',
  'gc.auto=0',
];

/** The commit that a branch, a tag or a full ref means now. A commit of 40 digits is answered as it is. */
export async function resolveCommit(repository: string, ref: string, options: GitOptions): Promise<string> {
  checkArguments(repository, ref);
  if (commitForm.test(ref)) return ref;
  const { stdout } = await git(['ls-remote', '--', repository, ref, `${ref}^{}`], repository, options);
  const found = new Map(
    stdout
      .split('\n')
      .map((line) => line.split('\t'))
      .flatMap(([commit = '', name = '']) => (commitForm.test(commit) ? [[name, commit] as const] : [])),
  );
  const exact = [ref, `refs/heads/${ref}`, `refs/tags/${ref}`].filter((name) => found.has(name));
  const [name, second] = exact;
  if (name === undefined) {
    throw new Failure(
      'not_found',
      `${repository} has no branch or tag ${ref}; name one, or a commit of 40 digits`,
    );
  }
  if (second !== undefined) {
    throw new Failure('invalid_input', `${ref} is ambiguous in ${repository}: write ${exact.join(' or ')}`);
  }
  // An annotated tag is an object of its own; `^{}` is the commit it points to.
  return found.get(`${name}^{}`) ?? found.get(name) ?? '';
}

/** The tree of a commit, without history and `.git`. Does nothing when the folder is there already. */
export async function checkout(
  repository: string,
  commit: string,
  folder: string,
  options: GitOptions,
): Promise<void> {
  checkArguments(repository, commit);
  if (!commitForm.test(commit)) {
    throw new Failure('invalid_input', `${commit} is not a commit: write its 40 digits`);
  }
  await fillFolder(folder, async (temporary) => {
    const inside = (...args: string[]) => git(['-C', temporary, ...args], repository, options);
    await mkdir(temporary, { recursive: true });
    await inside('init', '--quiet');
    try {
      await inside('fetch', '--quiet', '--depth=1', '--no-tags', '--', repository, commit);
    } catch {
      // Some servers hand out only what a ref names: then everything is fetched, and the commit must be among it.
      await inside('fetch', '--quiet', '--', repository, '+refs/*:refs/bakehouse/*');
    }
    await inside('checkout', '--quiet', '--detach', commit, '--').catch((cause: unknown) => {
      throw new Failure('not_found', `${repository} has no commit ${commit}; it may have been forced away`, {
        cause,
      });
    });
    await rm(join(temporary, '.git'), { recursive: true, force: true });
    await refuseLinksOutside(temporary);
  });
}

/** Nothing that git could take for an option, a transport helper or two words. */
function checkArguments(repository: string, ref: string): void {
  // A line that was applied before such URLs were refused: its URL would be an argument of a process, and in messages.
  if (holdsCredential(repository)) throw new Failure('invalid_input', `the template: ${credentialRemedy}`);
  if (!/^[^-\s:][^\s]*$/.test(repository) || /^[A-Za-z0-9+.-]*::/.test(repository)) {
    throw new Failure(
      'invalid_input',
      `${JSON.stringify(repository)} is not a repository: write a URL or a path`,
    );
  }
  if (!/^[^-\s~^:?*[\\][^\s~^:?*[\\]*$/.test(ref) || ref.includes('..')) {
    throw new Failure('invalid_input', `${JSON.stringify(ref)} is not a branch, tag or commit`);
  }
}

async function git(args: readonly string[], repository: string, options: GitOptions): Promise<ProgramResult> {
  const result = await runProgram(options.git, [...careful, ...args], {
    env: {
      ...withoutOurs(options.environment),
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      GIT_CONFIG_COUNT: undefined,
    },
    timeoutMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (result.exitCode === 0) return result;
  const why = result.stderr.trim().split('\n').slice(-3).join('; ') || `git ended with ${result.exitCode}`;
  throw gitFailure(repository, why);
}

/** Git's helpers and what an `insteadOf` runs need none of our own secrets. */
const ours = /^(BAKEHOUSE_|VAULT_|PG|DATABASE_URL$)/;

const withoutOurs = (environment: GitOptions['environment']): GitOptions['environment'] =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !ours.test(name)));

function gitFailure(repository: string, why: string): Failure {
  if (/could not resolve host|timed out|connection refused|early EOF|unable to access/i.test(why)) {
    return new Failure('provider_unavailable', `git cannot reach ${repository}: ${why}`);
  }
  if (/authentication|permission denied|could not read (username|password)|access denied/i.test(why)) {
    return new Failure(
      'provider_credentials',
      `${repository} refused us: ${why}; give the bake host a credential for it`,
    );
  }
  return new Failure('invalid_input', `git cannot read ${repository}: ${why}`);
}
