import { expect, test } from 'vitest';
import { parentVariable, refuseUnread } from '../../src/activities/attempt-parents.ts';
import type { ParentPin } from '../../src/domain/version.ts';
import { elsewhere, FakeCloud, place } from '../support/bake/cloud.ts';
import { BakeWorld } from '../support/bake/world.ts';

const pin = (bucket: string, variable: string | null): ParentPin => ({
  versionId: `version-of-${bucket}`,
  bucket,
  versionName: 'v1',
  channel: 'dev',
  variable,
});

const none = { publishes: false, reads: false };
const reads = { publishes: false, reads: true };
const both = { publishes: true, reads: true };

test.each([
  ['without parents, and reads nothing', [], none, undefined],
  ['that is given its parent', [pin('base', 'image')], none, undefined],
  ['that reads its parent', [pin('base', null)], reads, undefined],
  ['that reads one and is given another', [pin('base', null), pin('tools', 'disk')], reads, undefined],
  ['that publishes and looks at its own bucket', [], both, undefined],
  ['that reads and has no parents', [], reads, 'the line has no `parents`'],
  ['that would not be given its parent', [pin('base', null)], none, 'name the `variable`'],
  ['that would not be given one of two', [pin('base', 'a'), pin('base', null)], none, 'the image of base'],
])('a template %s', async (_what, parents, use, refusal) => {
  const { line } = await new BakeWorld().registry.lines.get();
  const pins = { line, template: null, variables: {}, parents };
  const asked = () => refuseUnread(pins, use);
  if (refusal === undefined) expect(asked).not.toThrow();
  else expect(asked).toThrow(refusal);
});

/** A parent with an image in one place. */
async function aParent() {
  const cloud = new FakeCloud();
  const image = { imageId: 'image-1', target: place };
  const versions = { get: async () => Promise.resolve({ builds: [{ artifacts: [{ image }] }] }) };
  let presence = 'present';
  Object.assign(cloud.provider.images, {
    inspect: async () => Promise.resolve({ presence, reference: '/images/image-1', tags: {} }),
  });
  return {
    gone: () => (presence = 'missing'),
    variableIn: (parent: ParentPin, target = place) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one call that is made of it
      parentVariable({ versions } as never, cloud.providers, parent, [{ ...target, launch: {} }]),
  };
}

test('the reference of its image is passed in the variable, and nothing where there is none', async () => {
  const { variableIn } = await aParent();
  expect(await variableIn(pin('base', 'image'))).toEqual([['image', '/images/image-1']]);
  expect(await variableIn(pin('base', null))).toEqual([]);
});

test('an image that is not there is refused either way; one in no place of the line only where it would be passed', async () => {
  const { variableIn, gone } = await aParent();
  await expect(variableIn(pin('base', 'image'), elsewhere)).rejects.toThrow('has no image in');
  expect(await variableIn(pin('base', null), elsewhere)).toEqual([]);
  gone();
  for (const variable of ['image', null]) {
    await expect(variableIn(pin('base', variable))).rejects.toThrow('its image image-1 is missing');
  }
});
