/** What a process is told by its environment: read once, checked whole, never read again elsewhere. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import { nearestName } from './nearest-name.ts';
import { Secret } from './secret.ts';
import { isToken, noToken } from './setting-kinds.ts';
import type { Listen } from './setting-kinds.ts';
import { type VaultSettings, vaultSettings } from './vault-settings.ts';
import { settingSchema } from './setting-schema.ts';
import type { TlsSettings } from './tls-settings.ts';
import { tlsSettings } from './tls-settings.ts';

/** Durations in milliseconds, folders absolute. */
export interface Settings {
  readonly databaseUrl: Secret | undefined;
  readonly temporal: {
    readonly address: string;
    /** Whether `TEMPORAL_ADDRESS` was given: then `up` starts no server of its own. */
    readonly addressAsked: boolean;
    readonly namespace: string;
    /** Namespace id that an operator accepts in place of the recorded one. */
    readonly moveTo: string | undefined;
    readonly uiUrl: string | undefined;
    readonly deadlineMs: number;
  };
  readonly payloadKeysFile: string | undefined;
  /** Absent: only the local provider. */
  readonly cloudsFile: string | undefined;
  readonly listen: Listen;
  /** Whether `BAKEHOUSE_LISTEN` was given: then a port in use is an error and never replaced. */
  readonly listenAsked: boolean;
  readonly token: Secret | undefined;
  readonly tls: TlsSettings;
  /** Of service principals. */
  readonly accessTokens: { readonly lifeMs: number; readonly perMinute: number };
  /** Addresses and networks; empty: nobody. */
  readonly trustedProxies: readonly string[];
  readonly url: string | undefined;
  readonly project: string;
  readonly dataDir: string;
  readonly imageStore: string;
  readonly host: {
    readonly name: string | undefined;
    readonly slots: number;
    readonly awayMs: number;
    readonly beatMs: number;
    readonly packerGraceMs: number;
    readonly marginMs: number;
  };
  /** Where Packer publishes to. Absent: it does not. */
  readonly registry: { readonly url: string; readonly caFile: string | undefined } | undefined;
  /** Absent: Vault is not used. */
  readonly vault: VaultSettings | undefined;
  readonly heartbeat: { readonly timeoutMs: number; readonly everyMs: number };
  readonly stickyTimeoutMs: number;
  readonly reapEveryMs: number;
  readonly relayEveryMs: number;
  readonly stopAfterMs: number;
  readonly readyFile: string | undefined;
  readonly log: {
    readonly level: Parsed['BAKEHOUSE_LOG_LEVEL'];
    readonly format: Parsed['BAKEHOUSE_LOG_FORMAT'];
  };
  /** Ports asked for what `up` starts. */
  readonly ports: {
    readonly postgres: number | undefined;
    readonly temporal: number | undefined;
    readonly temporalUi: number | undefined;
  };
}

type Parsed = z.output<typeof settingSchema>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that are not settings: how `up` and the supervisor of Packer mark the processes they started. */
export const partVariable = 'BAKEHOUSE_UP_PART';
const marks: readonly string[] = [partVariable, 'BAKEHOUSE_RUN_FOLDER'];

/** Throws one `invalid_input` that names every wrong variable. */
export function loadSettings(environment: Environment = process.env): Settings {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  const parsed = settingSchema.safeParse(Object.fromEntries(given));
  const problems = [...unknownNames(given.map(([name]) => name)), ...issues(parsed.error)];
  if (problems.length > 0 || !parsed.success) throw new Failure('invalid_input', problems.join('; '));
  const asked = new Set(given.map(([name]) => name));
  return shape(parsed.data, asked, environment['BAKEHOUSE_TLS_LISTEN'] === '');
}

/**
 * Takes the mark of `up` out of this process's environment, so that what the process starts does not carry it: a Packer that was
 * started by a bake host must not be taken for the bake host.
 */
export function dropPartMark(): void {
  delete process.env[partVariable];
}

/** The environment that a child process of ours gets: everything of this one, and these over it. */
export function childEnvironment(over: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { ...Object.fromEntries(inherited), ...over };
}

export interface SettingDescription {
  readonly name: string;
  readonly meaning: string;
  /** As it would be written; absent when there is none. */
  readonly default?: string;
}

/** For the reference page, in the order of the schema. */
export function describeSettings(): readonly SettingDescription[] {
  return Object.entries(settingSchema.shape).map(([name, field]) => {
    const value = 'defaultValue' in field.def ? field.def.defaultValue : undefined;
    return {
      name,
      meaning: field.description ?? '',
      ...(typeof value === 'string' ? { default: value } : {}),
    };
  });
}

/** PostgreSQL's address; `invalid_input` when there is none. */
export function requireDatabase(settings: Settings): Secret {
  if (settings.databaseUrl !== undefined) return settings.databaseUrl;
  throw new Failure(
    'invalid_input',
    'DATABASE_URL is not set: write postgres://user:password@host:5432/database, or start everything with `bakehouse up`',
  );
}

function shape(parsed: Parsed, asked: ReadonlySet<string>, isTlsOff: boolean): Settings {
  const dataDir = resolve(parsed.BAKEHOUSE_DATA_DIR);
  return {
    databaseUrl: parsed.DATABASE_URL,
    temporal: {
      address: parsed.TEMPORAL_ADDRESS,
      addressAsked: asked.has('TEMPORAL_ADDRESS'),
      namespace: parsed.TEMPORAL_NAMESPACE,
      moveTo: parsed.BAKEHOUSE_MOVE_TO_TEMPORAL,
      uiUrl: parsed.BAKEHOUSE_TEMPORAL_UI,
      deadlineMs: parsed.BAKEHOUSE_TEMPORAL_DEADLINE,
    },
    payloadKeysFile: optionalPath(parsed.BAKEHOUSE_PAYLOAD_KEYS_FILE),
    cloudsFile: optionalPath(parsed.BAKEHOUSE_CLOUDS),
    listen: parsed.BAKEHOUSE_LISTEN,
    listenAsked: asked.has('BAKEHOUSE_LISTEN'),
    token: parsed.BAKEHOUSE_TOKEN ?? tokenOf(parsed.BAKEHOUSE_TOKEN_FILE),
    tls: tlsSettings(parsed, isTlsOff),
    accessTokens: {
      lifeMs: parsed.BAKEHOUSE_ACCESS_TOKEN_LIFE,
      perMinute: parsed.BAKEHOUSE_ACCESS_TOKEN_RATE,
    },
    trustedProxies: parsed.BAKEHOUSE_TRUSTED_PROXIES,
    url: parsed.BAKEHOUSE_URL,
    project: parsed.BAKEHOUSE_PROJECT,
    dataDir,
    imageStore: resolve(parsed.BAKEHOUSE_IMAGE_STORE ?? `${dataDir}/images`),
    host: {
      name: parsed.BAKEHOUSE_HOST_NAME,
      slots: parsed.BAKEHOUSE_HOST_SLOTS,
      awayMs: parsed.BAKEHOUSE_HOST_AWAY,
      beatMs: parsed.BAKEHOUSE_HOST_BEAT,
      packerGraceMs: parsed.BAKEHOUSE_PACKER_GRACE,
      marginMs: parsed.BAKEHOUSE_HOST_MARGIN,
    },
    registry:
      parsed.BAKEHOUSE_REGISTRY_URL === undefined
        ? undefined
        : { url: parsed.BAKEHOUSE_REGISTRY_URL, caFile: optionalPath(parsed.BAKEHOUSE_REGISTRY_CA) },
    vault: vaultSettings(parsed),
    heartbeat: { timeoutMs: parsed.BAKEHOUSE_HEARTBEAT_TIMEOUT, everyMs: parsed.BAKEHOUSE_HEARTBEAT_EVERY },
    stickyTimeoutMs: parsed.BAKEHOUSE_STICKY_TIMEOUT,
    reapEveryMs: parsed.BAKEHOUSE_REAP_EVERY,
    relayEveryMs: parsed.BAKEHOUSE_RELAY_EVERY,
    stopAfterMs: parsed.BAKEHOUSE_STOP_AFTER,
    readyFile: optionalPath(parsed.BAKEHOUSE_READY_FILE),
    log: { level: parsed.BAKEHOUSE_LOG_LEVEL, format: parsed.BAKEHOUSE_LOG_FORMAT },
    ports: {
      postgres: parsed.BAKEHOUSE_POSTGRES_PORT,
      temporal: parsed.BAKEHOUSE_TEMPORAL_PORT,
      temporalUi: parsed.BAKEHOUSE_TEMPORAL_UI_PORT,
    },
  };
}

const optionalPath = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : resolve(path);

function tokenOf(file: string | undefined): Secret | undefined {
  if (file === undefined) return undefined;
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const message = `BAKEHOUSE_TOKEN_FILE names ${file}, which cannot be read: make it readable for this user, or set BAKEHOUSE_TOKEN`;
    throw new Failure('invalid_input', message, { cause });
  }
  if (content === '')
    throw new Failure('invalid_input', `BAKEHOUSE_TOKEN_FILE names ${file}, which is empty`);
  if (!isToken(content)) throw new Failure('invalid_input', `the token in ${file} ${noToken}`);
  return new Secret(content);
}

function unknownNames(names: readonly string[]): readonly string[] {
  const known = Object.keys(settingSchema.shape);
  return names
    .filter((name) => name.startsWith('BAKEHOUSE_') && !known.includes(name) && !marks.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      const remedy =
        nearest === undefined
          ? 'the settings are listed in docs/reference/config.md'
          : `did you mean ${nearest}?`;
      return `${name} is not a setting: ${remedy}`;
    });
}

/** Values are left out of the messages: they may be secrets. */
function issues(error: z.ZodError | undefined): readonly string[] {
  return (error?.issues ?? []).map((issue) => `${String(issue.path[0])} ${issue.message}`);
}
