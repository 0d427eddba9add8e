/** What a test launch is planned with: limits of the provider's own, and tests that can be made there. */
import { describe, expect, it } from 'vitest';
import { createTestActivities } from '../../src/activities/tests.ts';
import { loadTools } from '../../src/config/tools.ts';
import type { CheckSpec, ImageLine } from '../../src/domain/image-line.ts';
import { supervisor } from '../../src/packer/supervisor/supervisor.ts';
import { createAwsProvider } from '../../src/providers/aws/index.ts';
import { createAzureProvider } from '../../src/providers/azure/index.ts';
import { checkLines } from '../../src/providers/check-lines.ts';
import type { ImageProvider } from '../../src/providers/provider.ts';
import { createQemuProvider } from '../../src/providers/qemu/index.ts';
import { bakedWorld } from '../support/bake/baked.ts';
import { place } from '../support/bake/cloud.ts';
import { failure } from '../contract/provider-fixture.ts';

const region = 'eu-central-1';
const account = '111122223333';
const aws = createAwsProvider({
  accounts: [{ id: account, regions: [region], credentials: { kind: 'default' } }],
});
const azure = createAzureProvider({ subscriptions: [] });
const qemu = createQemuProvider({ storeDir: '/nowhere', tools: loadTools(), supervise: supervisor });
const shell: CheckSpec = { name: 'a shell', kind: 'command', command: 'true', timeoutMs: 1_000 };
const greets: CheckSpec = { name: 'greets', kind: 'console', pattern: 'login:' };

/** Activities over v1 of `base`, whose image this provider has, with these launch settings in its line. */
function planning(provider: ImageProvider, launch: object = {}, tests: readonly CheckSpec[] = []) {
  const world = bakedWorld();
  Object.assign(world.places[0]?.launch ?? {}, launch);
  world.tests.push(...tests);
  return createTestActivities({
    registry: world.asRegistry(),
    providers: { get: () => provider, all: () => [provider] },
    bounds: { hostAwayMs: 60_000, heartbeatMs: 10_000 },
  });
}
const subject = { artifactId: 'artifact' };

describe('the limit of a boot', () => {
  it.each([
    ['aws', aws, 900_000],
    ['azure', azure, 900_000],
    ['qemu', qemu, 180_000],
  ])("is the default of %s where the line sets none, and the line's otherwise", async (_code, one, ms) => {
    const plan = await planning(one).planTest(subject);
    expect(plan).toMatchObject({ bootLimitMs: ms, machineLimitMs: ms + 15 * 60_000 });
    const set = await planning(one, { bootTimeoutMs: 600_000 }).planTest(subject);
    expect(set.bootLimitMs).toBe(600_000);
  });
});

describe('tests of a line with launch.ssm: false', () => {
  const words = ['`launch.ssm: false`', '"a shell"', 'remove the setting', '`console`'];

  it('may look at the console', async () => {
    const { checks } = await planning(aws, { ssm: false }, [greets]).planTest(subject);
    expect(checks).toEqual([greets]);
  });

  it('may not be commands: the launch is refused before anything is made', async () => {
    const refused = planning(aws, { ssm: false }, [shell, greets]).planTest(subject);
    await expect(refused).rejects.toEqual(failure('invalid_input', 'base v1', ...words));
  });

  it('may not be commands: so are the lines', () => {
    const target = { provider: 'aws', account, region, launch: { ssm: false } };
    const line: ImageLine = {
      bucket: 'silent',
      description: '',
      template: { kind: 'folder', path: '.', entry: '.', digest: 'sha256:t' },
      sources: [],
      variables: {},
      parents: [],
      targets: [target],
      tests: [shell, greets],
      channels: [],
      timeLimitMs: 60_000,
      endOfLifeCascades: false,
    };
    const check = (changed: Partial<ImageLine>) =>
      checkLines({ all: () => [aws], get: () => aws }, [{ ...line, ...changed }]);

    expect(() => check({})).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        message: expect.stringContaining(
          `silent: target aws/${account}/${region}: with \`launch.ssm: false\``,
        ),
      }),
    );
    expect(() => check({ tests: [greets] })).not.toThrow();
    // A copy is not launched.
    expect(() => check({ targets: [{ ...target, copy: true }] })).not.toThrow();
    expect(() => check({ targets: [{ ...target, launch: {} }] })).not.toThrow();
  });
});

it("steps of a cloud's machines go where waits are, those of a host to the host", async () => {
  const image = { target: place, imageId: 'i' };
  const activities = planning(aws);
  expect(await activities.pickMachineQueue({ image, hostBound: false })).toBe('cloud/qemu/local/local/waits');
  expect(await activities.pickMachineQueue({ image, hostBound: true })).toBeNull();
});
