/**
 * The conformance suite: every obligation of `src/providers/provider.ts` as a named case. Each provider runs all of it
 * against the real thing; `provider-machines.suite.ts` has the cases about machines.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  BakeMark,
  CallContext,
  CollectedImage,
  CollectInput,
  PackerArtifact,
} from '../../src/providers/provider.ts';
import { failure, type ProviderFixture, type Subject } from './provider-fixture.ts';
import { absentCases } from './provider-absent.suite.ts';
import { machineCases } from './provider-machines.suite.ts';

let number = 0;

function freshMark(name: string): BakeMark {
  number += 1;
  const id = `${name}-${number}`;
  return { bakeId: `bake-${id}`, attemptId: `attempt-${id}`, imageName: id };
}

export function providerSuite(open: () => Promise<ProviderFixture>): void {
  let fixture: ProviderFixture;

  beforeAll(async () => {
    fixture = await open();
  });
  afterAll(() => fixture.dispose());

  function subject(): Subject {
    const { provider, target } = fixture;
    const context: CallContext = { signal: AbortSignal.timeout(120_000), beat: () => undefined };
    const collectInput = (of: BakeMark, artifact: PackerArtifact): CollectInput => ({
      mark: of,
      artifact,
      targets: [target],
      stillCurrent: () => Promise.resolve(true),
    });
    const image = async (name: string): Promise<CollectedImage> => {
      const of = freshMark(name);
      const [collected] = await provider.images.collect(
        collectInput(of, await fixture.artifact(of)),
        context,
      );
      if (collected === undefined) throw new Error('nothing was collected');
      return collected;
    };
    return { fixture, provider, target, context, mark: freshMark, image, collectInput };
  }

  describe('images', () => {
    it('turns what Packer made into an image that is present, with reference, digest and marks', async () => {
      const { provider, target, context, mark, collectInput } = subject();
      const of = mark('collected');
      const images = await provider.images.collect(collectInput(of, await fixture.artifact(of)), context);

      const digest = provider.capabilities.readDisk ? { digest: expect.any(String) } : {};
      expect(images).toEqual([
        { target, imageId: expect.any(String), sizeBytes: expect.any(Number), ...digest },
      ]);
      const state = await provider.images.inspect(images[0]!);
      expect(state).toMatchObject({
        presence: 'present',
        reference: expect.any(String),
      });
      expect(state.digest).toBe(images[0]!.digest);
      expect(state.tags).toMatchObject({ bake_id: of.bakeId, attempt_id: of.attemptId });
      expect(JSON.parse(JSON.stringify({ images, state }))).toEqual({ images, state });
    });

    it('collects the same image again, one after the other and at the same time', async () => {
      const { provider, target, context, mark, collectInput } = subject();
      const of = mark('twice');
      const input = collectInput(of, await fixture.artifact(of));
      const together = await Promise.all([1, 2, 3].map(() => provider.images.collect(input, context)));
      const later = await provider.images.collect(input, context);

      expect(together).toEqual([later, later, later]);
      expect(await provider.images.findFinished(of, [target])).toEqual(
        later.map((image) => ({ ...image, source: input.artifact.source })),
      );
    });

    it('refuses an attempt that is no longer current and leaves nothing of it', async () => {
      const { provider, target, context, mark, collectInput } = subject();
      const of = mark('late');
      const input = collectInput(of, await fixture.artifact(of));
      const late = provider.images.collect({ ...input, stillCurrent: () => Promise.resolve(false) }, context);

      await expect(late).rejects.toEqual(failure('conflict', of.attemptId));
      expect(await provider.images.findFinished(of, [target])).toEqual([]);
      if (fixture.artifactLiesInPlace) {
        const left = await provider.cleanup.leftovers(of.attemptId, [target]);
        expect(left.length).toBeGreaterThan(0);
        for (const leftover of left) await provider.cleanup.sweep(leftover);
      }
      expect(await provider.cleanup.leftovers(of.attemptId, [target])).toEqual([]);
    });

    it('asks whether the attempt is current before the image can be seen', async () => {
      const { provider, target, context, mark, collectInput } = subject();
      const of = mark('fenced');
      const input = collectInput(of, await fixture.artifact(of));
      const seenWhenAsked: unknown[] = [];
      await provider.images.collect(
        {
          ...input,
          stillCurrent: async () => {
            seenWhenAsked.push(await provider.images.findFinished(of, [target]));
            return true;
          },
        },
        context,
      );

      expect(seenWhenAsked).toEqual([[]]);
    });

    it('does not give the name of an image to another bake', async () => {
      const { provider, context, mark, collectInput } = subject();
      const of = mark('taken');
      const artifact = await fixture.artifact(of);
      await provider.images.collect(collectInput(of, artifact), context);
      const thief = provider.images.collect(collectInput({ ...of, bakeId: 'bake-other' }, artifact), context);

      await expect(thief).rejects.toEqual(failure('already_exists', of.bakeId));
    });

    it('stops when asked to, and what it left is found and swept', async () => {
      const { provider, target, mark, collectInput } = subject();
      const of = mark('stopped');
      const artifact = await fixture.artifact(of);
      const stop = new Error('stop');
      const stopped = provider.images.collect(collectInput(of, artifact), {
        signal: AbortSignal.abort(stop),
        beat: () => undefined,
      });

      await expect(stopped).rejects.toBe(stop);
      for (const leftover of await provider.cleanup.leftovers(of.attemptId, [target])) {
        await provider.cleanup.sweep(leftover);
      }
      expect(await provider.cleanup.leftovers(of.attemptId, [target])).toEqual([]);
      expect(await provider.images.findFinished(of, [target])).toEqual([]);
    });

    it('finds finished images by their bake, and only those', async () => {
      const { provider, target, image } = subject();
      const one = await image('found');
      const { tags } = await provider.images.inspect(one);

      expect(await provider.images.findFinished({ bakeId: tags['bake_id']! }, [target])).toMatchObject([one]);
      expect(await provider.images.findFinished({ bakeId: 'bake-unknown' }, [target])).toEqual([]);
    });

    it('answers that an image is missing, and deletes it as often as asked', async () => {
      const { provider, target, image } = subject();
      const one = await image('deleted');
      await Promise.all([provider.images.remove(one), provider.images.remove(one)]);
      await provider.images.remove(one);

      expect(await provider.images.inspect(one)).toMatchObject({ presence: 'missing' });
      expect(await provider.images.setLaunchable(one, false)).toMatchObject({ presence: 'missing' });
      const never = { target, imageId: 'never-was' };
      await provider.images.remove(never);
      expect(await provider.images.inspect(never)).toMatchObject({ presence: 'missing' });
      expect(await provider.images.uses(never)).toMatchObject({ complete: true, uses: [] });
    });

    it('disables and enables, each as often as asked, and the digest stays the same', async () => {
      const { provider, image } = subject();
      const one = await image('switched');
      const before = await provider.images.inspect(one);
      const disabled = await Promise.all([1, 2].map(() => provider.images.setLaunchable(one, false)));
      const again = await provider.images.setLaunchable(one, false);
      // Where it is only hidden it says so, and not that nobody can launch it.
      const off =
        provider.capabilities.disable === 'blocks'
          ? { presence: 'disabled' }
          : { presence: 'present', hidden: true };

      expect([...disabled, again]).toMatchObject([off, off, off]);
      expect(await provider.images.inspect(one)).toMatchObject(off);
      expect(again.digest).toBe(before.digest);
      await provider.images.setLaunchable(one, true);
      expect(await provider.images.setLaunchable(one, true)).toEqual(before);
    });

    it('refuses artifacts that are not there', async () => {
      const { provider, context, mark, collectInput } = subject();
      const of = mark('absent');
      const artifact = await fixture.artifact(of);
      const absent = {
        ...artifact,
        artifactId: 'nowhere',
        files: artifact.files.map((file) => `${file}.gone`),
      };

      await expect(provider.images.collect(collectInput(of, absent), context)).rejects.toEqual(
        failure('bake_failed'),
      );
      expect(await provider.images.findFinished(of, [subject().target])).toEqual([]);
    });
  });

  machineCases(subject);

  describe('capabilities', () => {
    it('are present exactly when they are declared', () => {
      const { provider } = subject();
      const { capabilities } = provider;

      expect(provider.pointers !== undefined).toBe(capabilities.pointers);
      expect(provider.sharing !== undefined).toBe(capabilities.share);
      expect(provider.deprecate !== undefined).toBe(capabilities.deprecate);
      expect(provider.searchDisk !== undefined).toBe(capabilities.readDisk);
      expect(provider.distribution !== undefined).toBe(capabilities.distribute);
      expect(provider.sharing?.tag !== undefined).toBe(capabilities.tagShares);
    });

    it('pointers: are read back, replaced and removed', async () => {
      const { provider, target, image } = subject();
      if (provider.pointers === undefined) return;
      const [one, two] = [await image('pointed'), await image('pointed')];
      const pointer = { target, bucket: 'pointed', channel: 'prod' };

      expect(await provider.pointers.read(pointer)).toBeUndefined();
      expect(await provider.pointers.write(pointer, one.imageId)).toBe(one.imageId);
      expect(await provider.pointers.write(pointer, two.imageId)).toBe(two.imageId);
      expect(await provider.pointers.read(pointer)).toBe(two.imageId);
      expect(await provider.pointers.read({ ...pointer, channel: 'dev' })).toBeUndefined();
      expect(await provider.pointers.write(pointer, undefined)).toBeUndefined();
      expect(await provider.pointers.write(pointer, undefined)).toBeUndefined();
    });

    it('shares: are recorded, replaced, and survive disabling', async () => {
      const { provider, image } = subject();
      if (provider.sharing === undefined) return;
      const one = await image('shared');

      const [later, earlier] = fixture.shares ?? ['222222222222', '111111111111'];

      expect(await provider.sharing.read(one)).toEqual([]);
      expect(await provider.sharing.write(one, [later, earlier])).toEqual([earlier, later]);
      expect(await provider.sharing.write(one, [earlier])).toEqual([earlier]);
      await provider.images.remove(one);
      await expect(provider.sharing.write(one, [])).rejects.toEqual(failure('not_found', one.imageId));
    });

    it('deprecation: is set, read back and taken away', async () => {
      const { provider, image } = subject();
      if (provider.deprecate === undefined) return;
      const one = await image('deprecated');
      const at = '2030-01-02T03:04:00.000Z';

      expect(await provider.deprecate(one, at)).toMatchObject({ deprecatedAt: at });
      expect(await provider.images.inspect(one)).toMatchObject({ deprecatedAt: at });
      expect((await provider.deprecate(one, undefined)).deprecatedAt).toBeUndefined();
    });

    it('distribution: is refused in clear words where it is absent', async () => {
      const { provider, target, context, mark, collectInput } = subject();
      if (provider.capabilities.distribute) return;
      const of = mark('spread');
      const input = collectInput(of, await fixture.artifact(of));
      const spread = provider.images.collect(
        { ...input, targets: [target, { ...target, region: 'elsewhere' }] },
        context,
      );

      await expect(spread).rejects.toEqual(failure('unsupported', provider.code));
    });

    it('reading the disk: finds a planted secret and nothing else', async () => {
      const { provider, context, mark, collectInput } = subject();
      if (provider.searchDisk === undefined) return;
      const of = mark('planted');
      const secret = 'correct horse battery staple';
      const artifact = await fixture.artifactWith(of, secret);
      const [one] = await provider.images.collect(collectInput(of, artifact), context);

      expect(await provider.searchDisk(one!, ['no such words on it', secret], context)).toEqual([secret]);
      expect(await provider.searchDisk(one!, ['no such words on it'], context)).toEqual([]);
    });

    it('preparing a bake: gives the same files and marks again', async () => {
      const { provider, mark, target } = subject();
      if (provider.prepareBake === undefined) return;
      const [one, two] = [mark('prepared'), mark('prepared')];
      // Credentials are fresh each time.
      const prepare = async (of: BakeMark, folder: string) => {
        const bake = { mark: of, folder: fixture.folder(folder), targets: [target], timeLimitMs: 600_000 };
        const { environment: _fresh, ...same } = (await provider.prepareBake?.(bake)) ?? { mustBeGone: [] };
        return same;
      };
      const first = await prepare(one, 'prepared');
      const other = await prepare(two, 'prepared-otherwise');

      expect(await prepare(one, 'prepared')).toEqual(first);
      // Keys are made for the bake where they are files; a cloud's credentials are the installation's.
      if (provider.capabilities.hostBound) expect(other.mustBeGone).not.toEqual(first.mustBeGone);
    });

    it('preparing a bake: no mark holds a secret, for marks are kept and shown', async () => {
      const { provider, mark, target } = subject();
      if (provider.prepareBake === undefined) return;
      const bake = {
        mark: mark('marks'),
        folder: fixture.folder('marks'),
        targets: [target],
        timeLimitMs: 600_000,
      };
      const prepared = await provider.prepareBake(bake);
      const { variables, environment = {}, mustBeGone } = prepared;
      const { secretVariables = [], openEnvironment = [] } = prepared;
      const secrets = [
        ...secretVariables.map((name) => variables[name] ?? ''),
        ...Object.entries(environment)
          .filter(([name]) => !openEnvironment.includes(name))
          .map(([, value]) => value),
      ];

      // A cloud's Packer is given credentials, a local one has none.
      expect(secrets.length > 0).toBe(!provider.capabilities.hostBound);
      expect(secrets).not.toContain('');
      expect(secrets.filter((secret) => mustBeGone.some((one) => one.includes(secret)))).toEqual([]);
      expect(mustBeGone).not.toContain('');
    });
  });

  absentCases(subject);

  describe('settings and health', () => {
    it('accepts its own settings and names the key of a wrong one', () => {
      const { provider } = subject();
      const { settings, key } = fixture.wrongSetting;

      expect(provider.checkSettings(fixture.settings)).toEqual({ bootTimeoutMs: expect.any(Number) });
      expect(provider.checkSettings({ bootTimeoutMs: 12_345 })).toEqual({ bootTimeoutMs: 12_345 });
      expect(() => provider.checkSettings(settings)).toThrow(
        expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(key) }),
      );
    });

    it('says that it is usable here', async () => {
      const checks = await subject().provider.doctor();

      expect(checks.filter(({ ok }) => !ok)).toEqual([]);
      expect(checks.length).toBeGreaterThan(0);
    });
  });
}
