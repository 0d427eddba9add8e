import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copied, dockerfile, entryPoint, ignored, readCompose, root } from './support.ts';

const { services, volumes } = readCompose();
const ours = ['server', 'worker', 'bake-host'];

describe('the image', () => {
  it('copies only what is there', () => {
    const sources = dockerfile()
      .filter(({ instruction }) => instruction === 'COPY')
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(existsSync(path.join(root, source)), source).toBe(true);
    expect(existsSync(path.join(root, entryPoint()[0] ?? '?'))).toBe(true);
  });

  it('ignores only what is made in a clone or kept for its makers', () => {
    const made = readFileSync(path.join(root, '.gitignore'), 'utf8').replaceAll('/', '').split('\n');
    for (const name of ignored()) {
      const known = name === '.git' || made.includes(name) || existsSync(path.join(root, name));
      expect(known, `${name} of .dockerignore is nothing`).toBe(true);
    }
  });

  it('has all that runs: every source file, every migration, the launcher, the examples', () => {
    const inImage = new Set(copied());
    const needed = execFileSync('git', ['ls-files', 'src', 'migrations', 'bin', 'package.json', 'examples'], {
      cwd: root,
      encoding: 'utf8',
    });
    const missing = needed
      .trim()
      .split('\n')
      .filter((name) => existsSync(path.join(root, name)) && !inImage.has(name));
    expect(missing).toEqual([]);
  });

  it('imports nothing at run time that only development has', () => {
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
      readFileSync(path.join(root, 'package.json'), 'utf8'),
    );
    const imports = copied()
      .filter((name) => name.startsWith('src/'))
      .flatMap((name) => [
        ...readFileSync(path.join(root, name), 'utf8').matchAll(
          /^(?:import|export)(?! type)[^;]*? from '([^'.][^']*)'/gm,
        ),
      ])
      .map(([, from = '']) =>
        from.startsWith('@') ? from.split('/', 2).join('/') : (from.split('/')[0] ?? ''),
      )
      .filter((from) => !from.startsWith('node:'));
    expect(imports.length).toBeGreaterThan(50);
    expect([...new Set(imports)].filter((from) => !Object.hasOwn(dependencies, from))).toEqual([]);
  });

  it('is built for a stage that the Dockerfile has', () => {
    const stages = dockerfile().flatMap(({ rest }) => / AS (\S+)$/.exec(rest)?.[1] ?? []);
    for (const name of ours) expect(stages).toContain(services[name]?.build?.target);
  });
});

describe('our services', () => {
  it.each(ours)(
    '%s: a health check, a stop that waits, a reaper of orphans, volumes that are declared',
    (name) => {
      const service = services[name];
      expect(service?.healthcheck?.retries).toBeGreaterThan(0);
      expect(service?.stop_grace_period).toBe('30s');
      expect(service?.init).toBe(true);
      const named = (service?.volumes ?? []).filter((volume) => !volume.startsWith('./'));
      for (const volume of named) expect(volumes).toHaveProperty(volume.split(':')[0] ?? '');
    },
  );

  it('mounts files that are there', () => {
    const mounted = Object.values(services)
      .flatMap((service) => service.volumes ?? [])
      .filter((volume) => volume.startsWith('./'))
      .map((volume) => volume.split(':')[0] ?? '');
    expect(mounted.length).toBeGreaterThan(0);
    for (const name of mounted) expect(existsSync(path.join(root, name)), name).toBe(true);
  });
});
