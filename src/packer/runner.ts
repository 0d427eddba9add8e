/**
 * The Packer runner: runs the bake attempts of one bake host, each under its own supervisor in its own folder. Nothing is
 * kept in memory: after `kill -9` of this process another one calls the same methods with the attempt's id and goes on.
 *
 * The order is `validate` → `begin` → `watch`; `cancel` ends it, `sweepLocal` takes the folder away. All are idempotent.
 * Failures are of the catalogue; what Packer did wrong is in the outcome, not thrown.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';

import { Failure, isFailure } from '../domain/failure.ts';
import type { SecretScan } from '../domain/version.ts';
import type { AttemptInput, AttemptOutcome, BegunAttempt, LocalAttempt, WatchOptions } from './attempt.ts';
import type { AttemptPlaces, AttemptRecord } from './attempt-folder.ts';
import {
  isAttemptId,
  makeFolders,
  placesOf,
  readAttempt,
  readSecrets,
  readSecretValues,
  removeSecrets,
} from './attempt-folder.ts';
import { giveAnew } from './given-anew.ts';
import type { DetectedPacker, PackerCandidate } from './detect.ts';
import { detectPackers } from './detect.ts';
import { askPacker, isUnknownYet } from './inspect.ts';
import { bringTemplate, prepare } from './prepare.ts';
import { scanFor, secretsOf } from './secrets.ts';
import type { RegistryUse } from './publishing.ts';
import type { RunState } from './supervisor/supervisor.ts';
import { end, isAskedFor, remove, start, state } from './supervisor/supervisor.ts';
import type { TemplateFacts } from './template-facts.ts';
import { removeTemporary } from './temporary-folder.ts';
import { watchAttempt } from './watch.ts';

export type * from './attempt.ts';

export interface PackerRunner {
  /** Every Packer that runs here, with the builders it has. */
  packers(): Promise<readonly DetectedPacker[]>;
  /** A folder of the attempt (0700) for what a provider makes before the bake; swept with it. Absolute. */
  providedFolder(attemptId: string): Promise<string>;
  /** Brings the template and answers all its sources, whatever `only` says; chooses no Packer yet. Throws what git may throw. */
  templateSources(attempt: AttemptInput): Promise<readonly string[]>;
  /** Brings the template and answers whether it has Packer publish to a registry, and read one. Throws what git may throw. */
  registryUse(attempt: Pick<AttemptInput, 'mark' | 'template'>): Promise<RegistryUse>;
  /**
   * Brings the template, checks what Bakehouse needs of it and what Packer says of it with the attempt's variables.
   * Throws `invalid_input` with the lines to add or Packer's own words, `tool_missing` with what to install, and what git
   * may throw (`not_found`, `provider_unavailable`, `provider_credentials`).
   */
  validate(attempt: AttemptInput): Promise<void>;
  /**
   * Starts Packer, at most once per attempt id, with the secrets given now, or with those of an attempt that is `starting`. Throws as
   * `validate`, except Packer's own check.
   */
  begin(attempt: AttemptInput): Promise<BegunAttempt>;
  /** Waits for the end. Throws `not_found` when the attempt never began here, and `signal.reason`; never ends Packer. */
  watch(attemptId: string, options: WatchOptions): Promise<AttemptOutcome>;
  /**
   * Which of the attempt's secrets `search` finds, by name. What began here is known; `bake` is asked where another host began it, and its
   * template is brought to tell which variables are sensitive. Throws what `search` and git may throw.
   */
  plantedSecrets(
    attemptId: string,
    bake: () => Promise<Pick<AttemptInput, 'template' | 'variables'>>,
    search: (needles: readonly string[]) => Promise<readonly string[]>,
  ): Promise<SecretScan>;
  /** Ends Packer (SIGTERM, grace, SIGKILL) and returns when nothing of it lives. One that is prepared only will not begin. */
  cancel(attemptId: string, graceMs: number): Promise<void>;
  /** Removes the attempt's folder, secrets first. Refuses with `illegal_state` while something of it runs. */
  sweepLocal(attemptId: string): Promise<void>;
  /** All attempts that have a folder on this host: for the reaper. */
  attempts(): Promise<readonly LocalAttempt[]>;
}

export interface PackerRunnerOptions {
  /** On a local disk; one folder per attempt. */
  readonly attemptsDir: string;
  readonly packers: readonly PackerCandidate[];
  /** Path of git. */
  readonly git: string;
  /** Downloads of Packer, shared by attempts. Default: `<attemptsDir>/.cache`. */
  readonly cacheDir?: string;
  /** The environment of this process; only harmless names of it reach Packer, git sees all but our own settings. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function createPackerRunner(options: PackerRunnerOptions): PackerRunner {
  const attemptsDir = resolve(options.attemptsDir);
  const cacheDir = options.cacheDir ?? resolve(attemptsDir, '.cache');
  const at = (attemptId: string): AttemptPlaces => placesOf(attemptsDir, attemptId);
  let detected: Promise<readonly DetectedPacker[]> | undefined;
  const packers = async () => (detected ??= detectPackers(options.packers, options.environment));

  const prepared = async (input: AttemptInput): Promise<AttemptRecord> => {
    const { git, environment: caller } = options;
    const places = at(input.mark.attemptId);
    try {
      await mkdir(cacheDir, { recursive: true, mode: 0o700 });
      return await prepare(input, places, { packers: await packers(), git, cacheDir, caller });
    } catch (error) {
      // Whoever reads the message installs something and asks again: then it is looked for again.
      if (isFailure(error) && error.code === 'tool_missing') detected = undefined;
      throw diskFailure(error, places.root) ?? error;
    }
  };

  const factsOf = async (input: Pick<AttemptInput, 'mark' | 'template'>): Promise<TemplateFacts> => {
    const { git, environment: caller } = options;
    const places = at(input.mark.attemptId);
    try {
      return (await bringTemplate(input, places, { git, caller })).facts;
    } catch (error) {
      throw diskFailure(error, places.root) ?? error;
    }
  };

  return {
    packers,
    async providedFolder(attemptId) {
      const places = at(attemptId);
      await makeFolders(places);
      return places.provided;
    },
    templateSources: async (input) => (await factsOf(input)).sources.map(({ source }) => source),
    async registryUse(input) {
      const { hcpRegistry: publishes, hcpData: reads } = await factsOf(input);
      return { publishes, reads };
    },
    async validate(input) {
      const record = await prepared(input);
      const places = at(input.mark.attemptId);
      const environment = { ...record.environment, ...input.environment };
      const secrets = [...(await readSecretValues(places)), ...Object.values(input.environment ?? {})];
      const { packer, validateArgs, folder } = record;
      await askPacker(packer.path, validateArgs, folder, environment, secrets, isUnknownYet);
    },
    async begin(input) {
      const record = await prepared(input);
      const places = at(input.mark.attemptId);
      // What is written down for the supervisor counts, also after the death of who wrote it.
      const { state: before } = await localAttempt(input.mark.attemptId, places);
      if (before === 'prepared') await giveAnew(input, places);
      const run = await start(places.run, {
        file: record.packer.path,
        args: record.args,
        env: { ...record.environment, ...input.environment },
        cwd: record.folder,
        // Not the record's: time has passed since it was checked, and the caller counts from now.
        timeLimitMs: input.timeLimitMs,
        ...(input.notAfter === undefined ? {} : { notAfter: input.notAfter }),
        graceMs: input.graceMs ?? record.graceMs,
      }).catch((error: unknown) => {
        throw diskFailure(error, places.root) ?? error;
      });
      return begun(record, run);
    },
    async watch(attemptId, watchOptions) {
      const places = at(attemptId);
      const record = await readAttempt(places);
      if (record === undefined) {
        throw new Failure(
          'not_found',
          `attempt ${attemptId} was never begun on this host, or was swept; begin it`,
        );
      }
      return watchAttempt(record, places, watchOptions);
    },
    async plantedSecrets(attemptId, bake, search) {
      const places = at(attemptId);
      const known = await readSecrets(places);
      if (known !== undefined) return scanFor(known, search);
      const input = await bake();
      const { git, environment: caller } = options;
      const { facts } = await bringTemplate(input, places, { git, caller });
      return scanFor(secretsOf({}, facts, input.variables), search);
    },
    async cancel(attemptId, graceMs) {
      const places = at(attemptId);
      if (!existsSync(places.root)) return;
      await mkdir(places.run, { recursive: true, mode: 0o700 });
      await end(places.run, { graceMs });
    },
    async sweepLocal(attemptId) {
      const places = at(attemptId);
      if (!existsSync(places.root)) return;
      await remove(places.run);
      await removeSecrets(places);
      await removeTemporary(places.temporary);
      await rm(places.root, { recursive: true, force: true });
    },
    async attempts() {
      if (!existsSync(attemptsDir)) return [];
      // The folder may be a disk of its own, with what its file system puts there.
      const ids = (await readdir(attemptsDir)).filter(isAttemptId);
      return Promise.all(ids.map(async (id) => localAttempt(id, at(id))));
    },
  };
}

function begun(record: AttemptRecord, run: RunState): BegunAttempt {
  const started = run.kind === 'running' || run.kind === 'lost' ? run.started : undefined;
  const startedAt = run.kind === 'finished' ? run.status.startedAt : started?.startedAt;
  return {
    attemptId: record.mark.attemptId,
    packer: record.packer,
    sources: record.sources.map((one) => one.source),
    ...(startedAt === null || startedAt === undefined ? {} : { startedAt }),
    ...(started === undefined ? {} : { deadlineAt: started.deadlineAt }),
  };
}

async function localAttempt(attemptId: string, places: AttemptPlaces): Promise<LocalAttempt> {
  const record = await readAttempt(places);
  const run = await state(places.run);
  const started = run.kind === 'running' || run.kind === 'lost' ? run.started : undefined;
  return {
    attemptId,
    bakeId: record?.mark.bakeId ?? null,
    imageName: record?.mark.imageName ?? null,
    state: run.kind !== 'absent' ? run.kind : isAskedFor(places.run) ? 'starting' : 'prepared',
    startedAt: run.kind === 'finished' ? run.status.startedAt : (started?.startedAt ?? null),
    deadlineAt: started?.deadlineAt ?? null,
  };
}

/** A full disk is the operator's to mend; what else the disk refuses is told as it is. */
function diskFailure(error: unknown, folder: string): Failure | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') return undefined;
  const message = `there is no room for the bake in ${folder}: free some, or give the bake host another data folder`;
  return new Failure('resource_exhausted', message, { cause: error });
}
