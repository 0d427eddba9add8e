/** docker-compose.yml and Dockerfile as data, and the image's content as a folder. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Service {
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly init?: boolean;
  readonly build?: { readonly target?: string };
  readonly healthcheck?: {
    readonly test: readonly string[];
    readonly interval: string;
    readonly timeout: string;
    readonly retries: number;
  };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const textOf = (name: string): string => readFileSync(path.join(root, name), 'utf8');

export function readCompose(): Compose {
  const compose: Compose = parse(textOf('docker-compose.yml'), { merge: true });
  return compose;
}

/** Instructions of the Dockerfile, continued lines joined. */
export function dockerfile(): readonly { readonly instruction: string; readonly rest: string }[] {
  return textOf('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { instruction, rest };
    });
}

/** `ENTRYPOINT` in its JSON form. */
export function entryPoint(): readonly string[] {
  const found = dockerfile().find(({ instruction }) => instruction === 'ENTRYPOINT');
  const words: readonly string[] = JSON.parse(found?.rest ?? '[]');
  return words;
}

/** Plain names, one a line: what the file has, and so all that is understood here. */
export const ignored = (): readonly string[] => textOf('.dockerignore').trim().split('\n');

/** Files of the clone that `COPY . .` takes. */
export function copied(): readonly string[] {
  const names = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  });
  return names.split('\0').filter((name) => name !== '' && !ignored().includes(name.split('/')[0] ?? ''));
}

/** What the image has at its working folder: nothing that is ignored, and the packages. */
export function makeImageFolder(folder: string): void {
  for (const name of copied()) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    cpSync(path.join(root, name), path.join(folder, name));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
}

/** `10s`, `2m`: the durations that our file has. */
export function milliseconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d+)(s|m)$/.exec(text) ?? [];
  return Number(count) * (unit === 'm' ? 60_000 : 1_000);
}
