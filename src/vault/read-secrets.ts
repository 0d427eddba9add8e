/** Reading what a bake wants: from a KV engine of either version, or as a lease of a dynamic one. */
import { Failure } from '../domain/failure.ts';
import type { Api } from './api.ts';
import { isAbsent, isRefused } from './errors.ts';
import type { WantedSecret } from './vault.ts';

export interface Mount {
  /** With the slash at its end. */
  readonly path: string;
  readonly type: string;
  readonly kvVersion: 1 | 2;
  /** Longest life of a lease, where Vault tells. */
  readonly maxLeaseSeconds: number | undefined;
}

/** Which engine serves a path: what Vault's own CLI asks. Any token that may use the path may ask. */
export async function mountOf(api: Api, token: string, path: string): Promise<Mount> {
  const at = `sys/internal/ui/mounts/${path}`;
  const what = `find the engine of ${path}`;
  const { data } = await api({ method: 'GET', path: at, token, what }).catch((error: unknown) => {
    if (!isRefused(error)) throw error;
    const message = `no engine is at ${path} in Vault, or our policy does not let us read there: mount it, or allow "read" on ${path}`;
    throw new Failure('provider_credentials', message);
  });
  const options = data?.['options'];
  const version =
    typeof options === 'object' && options !== null && 'version' in options ? options.version : '1';
  const config = data?.['config'];
  const longest =
    typeof config === 'object' && config !== null && 'max_lease_ttl' in config
      ? Number(config.max_lease_ttl)
      : 0;
  return {
    path: String(data?.['path']),
    type: String(data?.['type']),
    kvVersion: version === '2' ? 2 : 1,
    maxLeaseSeconds: longest > 0 ? longest : undefined,
  };
}

/** Refuses what the engine of the path cannot give as it was asked for, with what to write instead. */
export function checkKind(mount: Mount, kind: 'kv' | 'lease', path: string): void {
  const isKv = mount.type === 'kv' || mount.type === 'generic';
  if (!isKv && /^static-creds?\//.test(path.slice(mount.path.length))) {
    const message = `${path} is a static role of an engine of type ${mount.type}: its credential outlives the bake, and nothing could end it; make a dynamic role, and name that one under \`lease\``;
    throw new Failure('invalid_input', message);
  }
  if ((kind === 'kv') === isKv) return;
  const remedy = isKv ? 'write `kv`' : 'write `lease`';
  throw new Failure(
    'invalid_input',
    `${path} is served by an engine of type ${mount.type}: ${remedy} in \`secrets\``,
  );
}

/** Where the API has what people name by `path`. */
export const kvPath = (mount: Mount, path: string): string =>
  mount.kvVersion === 2 ? `${mount.path}data/${path.slice(mount.path.length)}` : path;

/** Fields of the newest version. */
export async function readKv(api: Api, token: string, mount: Mount, path: string): Promise<Fields> {
  const at = kvPath(mount, path);
  const { data } = await api({ method: 'GET', path: at, token, what: `read ${path}` }).catch(
    (error: unknown) => {
      if (!isAbsent(error)) throw error;
      throw new Failure(
        'invalid_input',
        `there is no secret ${path} in Vault: write it, or correct the path where it is named`,
      );
    },
  );
  const fields = mount.kvVersion === 2 ? data?.['data'] : data;
  return typeof fields === 'object' && fields !== null ? { ...fields } : {};
}

export interface Leased {
  readonly leaseId: string;
  readonly fields: Fields;
  readonly seconds: number;
  readonly renewable: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** `seconds` is asked for; engines that give what their role says ignore it. */
export async function takeLease(
  api: Api,
  token: string,
  mount: Mount,
  path: string,
  seconds: number,
): Promise<Leased> {
  // Only the AWS engine reads a wish that comes with the request: under `sts`, and under `creds` where its role assumes another.
  const query = mount.type === 'aws' ? { ttl: `${seconds}s` } : undefined;
  const call = { method: 'GET', path, token, byEngine: true, what: `lease ${path}` } as const;
  const answer = await api({ ...call, ...(query === undefined ? {} : { query }) }).catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
    throw new Failure(
      'invalid_input',
      `there is no role ${path} in Vault: make it, or correct the path where it is named`,
    );
  });
  const { lease_id: leaseId = '', lease_duration = 0, renewable = false, data } = answer;
  if (leaseId === '') {
    const message = `${path} gives no lease, so that nothing could end it with the bake: name a dynamic role of ${mount.path}`;
    throw new Failure('invalid_input', message);
  }
  return { leaseId, fields: data ?? {}, seconds: lease_duration, renewable };
}

/** A text under one key of what a path holds; the refusal names both and the keys that there are. */
export function fieldOf(fields: Fields, { name, from }: WantedSecret): string {
  const value = fields[from.key];
  if (typeof value === 'string' && value.includes('\0')) {
    const message = `secret "${name}": ${from.path} has a NUL character under ${from.key}, which no environment can hold: keep it in base64, and let the template decode it`;
    throw new Failure('invalid_input', message);
  }
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  const there = Object.keys(fields).toSorted().join(', ');
  const why =
    value === undefined ? `has no key ${from.key}; it has ${there}` : `has no text under ${from.key}`;
  throw new Failure('invalid_input', `secret "${name}": ${from.path} ${why}`);
}
