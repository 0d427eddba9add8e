import { readdirSync } from 'node:fs';

import { expect, test } from 'vitest';

/** Activity names are flat per task queue, and one worker serves several factories. */
test('no two activity factories export the same name, and every factory is found', async () => {
  const folder = new URL('../../src/activities/', import.meta.url);
  const owners = new Map<string, string[]>();
  let factories = 0;
  for (const file of readdirSync(folder)) {
    const module: object = await import(new URL(file, folder).href);
    for (const [name, factory] of Object.entries<unknown>({ ...module })) {
      if (!/^create\w+Activities$/.test(name) || typeof factory !== 'function') continue;
      factories++;
      // Factories only close over what they are given: any object will do to read their names.
      const anything: unknown = new Proxy(
        {},
        { get: (_target, key) => (key === Symbol.iterator ? undefined : anything) },
      );
      for (const activity of Object.keys(Object(factory(anything)))) {
        owners.set(activity, [...(owners.get(activity) ?? []), `${file} ${name}`]);
      }
    }
  }
  expect(factories).toBeGreaterThanOrEqual(8);
  expect([...owners].filter(([, files]) => files.length > 1)).toEqual([]);
});
