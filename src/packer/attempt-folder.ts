/** The folder of one attempt: where everything is, and the record that lets another process go on with it. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../domain/failure.ts';
import type { AttemptInput, AttemptOutcome } from './attempt.ts';
import type { ExpectedSource } from './outcome.ts';
import type { NamedSecret } from './secrets.ts';

export interface AttemptPlaces {
  readonly root: string;
  readonly template: string;
  /** Made by the provider before the bake: keys, seed disks. */
  readonly provided: string;
  /** Not made by us: some builders refuse an output folder that exists. */
  readonly output: string;
  readonly manifest: string;
  /** `-var-file`; mode 0600. */
  readonly variables: string;
  /** Values to keep out of logs and images, with their names; mode 0600. */
  readonly secrets: string;
  readonly home: string;
  readonly temporary: string;
  /** The supervisor's folder; Packer's raw output is in it. */
  readonly run: string;
}

/** `attempt.json`, written last: an attempt that has it is prepared. Holds no secret. */
export interface AttemptRecord {
  readonly mark: AttemptInput['mark'];
  readonly packer: { readonly path: string; readonly version: string };
  readonly sources: readonly ExpectedSource[];
  /** Where Packer runs, and its arguments. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly validateArgs: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
  readonly graceMs: number;
  /** First line of the log: what people may want to do about the template. */
  readonly advice?: string;
}

export const isAttemptId = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(text);

export function placesOf(attemptsDir: string, attemptId: string): AttemptPlaces {
  if (!isAttemptId(attemptId)) {
    throw new Failure('invalid_input', `${JSON.stringify(attemptId)} is not an attempt id`);
  }
  const root = join(attemptsDir, attemptId);
  return {
    root,
    template: join(root, 'template'),
    provided: join(root, 'provided'),
    output: join(root, 'output'),
    manifest: join(root, 'manifest.json'),
    variables: join(root, 'variables.pkrvars.json'),
    secrets: join(root, 'secrets.json'),
    home: join(root, 'home'),
    temporary: join(root, 'tmp'),
    run: join(root, 'run'),
  };
}

export async function makeFolders(places: AttemptPlaces): Promise<void> {
  for (const folder of [places.root, places.provided, places.home]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  }
}

export async function writePrivate(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value, null, 1)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

const recordPath = (places: AttemptPlaces): string => join(places.root, 'attempt.json');
const outcomePath = (places: AttemptPlaces): string => join(places.root, 'outcome.json');

export async function writeAttempt(places: AttemptPlaces, record: AttemptRecord): Promise<void> {
  await writePrivate(recordPath(places), record);
}

export async function readAttempt(places: AttemptPlaces): Promise<AttemptRecord | undefined> {
  if (!existsSync(recordPath(places))) return undefined;
  const record: AttemptRecord = JSON.parse(await readFile(recordPath(places), 'utf8'));
  return record;
}

export async function writeOutcome(places: AttemptPlaces, outcome: AttemptOutcome): Promise<void> {
  await writePrivate(outcomePath(places), outcome);
}

/** Decided once: afterwards the artifacts may have been moved to where images live. */
export async function readOutcome(places: AttemptPlaces): Promise<AttemptOutcome | undefined> {
  if (!existsSync(outcomePath(places))) return undefined;
  const outcome: AttemptOutcome = JSON.parse(await readFile(outcomePath(places), 'utf8'));
  return outcome;
}

/** Undefined: the attempt is not prepared here, so that nobody knows them. */
export async function readSecrets(places: AttemptPlaces): Promise<readonly NamedSecret[] | undefined> {
  if (!existsSync(places.secrets)) return undefined;
  const secrets: readonly NamedSecret[] = JSON.parse(await readFile(places.secrets, 'utf8'));
  return secrets;
}

/** Texts to keep out of logs. */
export async function readSecretValues(places: AttemptPlaces): Promise<readonly string[]> {
  return ((await readSecrets(places)) ?? []).map(({ value }) => value);
}

/** Keys, variables and what the run's folder holds of the environment: gone first, whatever happens to the rest. */
export async function removeSecrets(places: AttemptPlaces): Promise<void> {
  for (const path of [places.variables, places.secrets, places.provided, join(places.run, 'spec.json')]) {
    await rm(path, { recursive: true, force: true });
  }
}
