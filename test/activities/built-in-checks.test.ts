import { expect, test } from 'vitest';
import { checksWith, type Look } from '../../src/activities/built-in-checks.ts';
import type { SecretScan } from '../../src/domain/version.ts';
import { BakeWorld } from '../support/bake/world.ts';

const nothing: SecretScan = { lookedFor: [], found: [], tooShort: [] };

async function judged(secretScan: SecretScan | null) {
  const target = { provider: 'qemu', account: 'local', region: 'local' };
  const at: Look = {
    provider: new BakeWorld().cloud.providers.get('qemu'),
    machine: { launchId: 'l', target, machineId: 'm', handle: {} },
    image: { target, imageId: 'i' },
    mustBeGone: [],
    secretScan,
    context: { signal: AbortSignal.timeout(1_000), beat: () => undefined },
  };
  return checksWith('posix')
    .looked.find(({ name }) => name === 'no planted secret')
    ?.look(at);
}

test('no planted secret: passes where none was found, and says what was looked for and what was not', async () => {
  expect(await judged(nothing)).toEqual({ passed: true, detail: 'looked for none: the bake had none' });
  expect(await judged({ ...nothing, lookedFor: ['password'], tooShort: ['pin'] })).toEqual({
    passed: true,
    detail: 'looked for password; too short to look for: pin',
  });
});

test('no planted secret: fails by name, and also where the disk could not be read', async () => {
  const found = await judged({ ...nothing, lookedFor: ['a', 'b'], found: ['a', 'b'] });
  expect(found).toMatchObject({ passed: false, detail: expect.stringContaining('the value of a, b,') });
  expect(await judged({ ...nothing, problem: 'the disk of /images is full' })).toEqual({
    passed: false,
    detail: 'the disk could not be looked at: the disk of /images is full',
  });
});

test('no planted secret: is left out where nobody could look', async () => {
  expect(await judged(null)).toBeUndefined();
});
