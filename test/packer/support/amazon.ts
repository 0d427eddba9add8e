/** Bakes against the AWS test cloud: the real provider prepares them, sweeps them, and everything that is left is listed. */
import { isFailure } from '../../../src/domain/failure.ts';
import { imageName } from '../../../src/domain/names.ts';
import type { AttemptInput, AttemptTemplate } from '../../../src/packer/runner.ts';
import type { ImageProvider } from '../../../src/providers/provider.ts';
import { away, home, openProvider, place, useCredentials } from '../../contract/aws-fixture.ts';
import { startAwsCloud, type AwsCloud } from '../../support/clouds/aws.ts';
import { attempt, type Host } from './attempts.ts';

export const regions = [home, away];
export const targets = regions.map((region) => place(region));

export interface AmazonCloud {
  readonly cloud: AwsCloud;
  readonly provider: ImageProvider;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openCloud(): Promise<AmazonCloud> {
  const cloud = await startAwsCloud();
  useCredentials(cloud);
  await cloud.baseImage(home);
  return { cloud, provider: openProvider(cloud).provider, [Symbol.asyncDispose]: () => cloud.stop() };
}

/** As just opened: sessions of the provider before are over. */
export async function again({ cloud, ...more }: AmazonCloud): Promise<AmazonCloud> {
  await cloud.reset();
  await cloud.baseImage(home);
  return { ...more, cloud, provider: openProvider(cloud).provider };
}

/** What the variables of the examples are, on the test cloud. */
export const variables = (cloud: AwsCloud) => ({
  region: home,
  source_name: 'base',
  source_owner: cloud.accounts.owner,
  ssh_username: 'root',
  ssh_port: '2222',
});

export async function amazonAttempt(
  { cloud, provider }: AmazonCloud,
  host: Host,
  template: AttemptTemplate,
  more: Partial<AttemptInput> = {},
): Promise<AttemptInput> {
  const given = await attempt(template, { timeLimitMs: 110_000, graceMs: 20_000 });
  const { attemptId } = given.mark;
  const bare = { ...given, mark: { ...given.mark, imageName: imageName('linux', attemptId) } };
  const prepared = await provider.prepareBake?.({
    mark: bare.mark,
    folder: await host.runner.providedFolder(bare.mark.attemptId),
    targets,
    timeLimitMs: bare.timeLimitMs,
  });
  return {
    ...bare,
    variables: { ...variables(cloud), copy_to: away },
    offered: { attempt_id: bare.mark.attemptId, ...prepared?.variables },
    environment: { ...prepared?.environment },
    openEnvironment: prepared?.openEnvironment ?? [],
    ...more,
  };
}

/** As the activity does it, tried again while something that is ending holds something else. */
export async function sweep({ provider }: AmazonCloud, attemptId: string): Promise<readonly string[]> {
  const swept = new Set<string>();
  const until = performance.now() + 60_000;
  for (;;) {
    const found = await provider.cleanup.leftovers(attemptId, targets);
    if (found.length === 0) return [...swept];
    if (performance.now() > until) throw new Error(`still there: ${JSON.stringify(found)}`);
    for (const leftover of found) {
      try {
        await provider.cleanup.sweep(leftover);
        swept.add(leftover.kind);
      } catch (error) {
        if (!isFailure(error) || error.code !== 'cleanup_incomplete') throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Everything in the cloud but the image that bakes start from; what is on its way out is not waited for here. */
export async function left(cloud: AwsCloud): Promise<readonly string[]> {
  const accounts = [cloud.accounts.owner];
  const all = await Promise.all(
    accounts.flatMap((account) =>
      regions.map(async (region) => {
        const { images, snapshots, ...others } = await cloud.everything(account, region);
        const made = images.filter(({ name }) => name !== 'base');
        const hasBase = images.some(({ name }) => name === 'base');
        return [
          ...made.map(({ name }) => `image ${name}`),
          ...snapshots.slice(hasBase ? 1 : 0).map(({ id }) => `snapshot ${id}`),
          ...Object.entries(others).flatMap(([kind, some]) => some.map(({ id }) => `${kind} ${id}`)),
        ].map((one) => `${region}: ${one}`);
      }),
    ),
  );
  return all.flat();
}
