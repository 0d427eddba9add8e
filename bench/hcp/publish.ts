/** What Packer 1.16 calls for one run with three sources, in its order. */
import { ulid } from 'ulid';
import type { Connections } from './connection.ts';

const sources = ['amazon-ebs.a', 'amazon-ebs.b', 'amazon-ebs.c'];

export async function publish(at: Connections, registry: string, bucket: string): Promise<void> {
  const ask = async (expected: number, method: string, path: string, body?: unknown): Promise<string> => {
    const answer = await at.call(method, `${registry}${path}`, body);
    if (answer.status === expected) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
  };
  const fingerprint = ulid();
  const run = crypto.randomUUID();
  const version = `/buckets/${bucket}/versions/${fingerprint}`;
  await ask(200, 'GET', `/buckets/${bucket}`);
  await ask(409, 'GET', version);
  await ask(200, 'POST', `/buckets/${bucket}/versions`, { fingerprint, template_type: 'HCL2' });
  await ask(200, 'GET', `${version}/builds`);
  const builds = await Promise.all(
    sources.map(async (source) => {
      const body = { component_type: source, packer_run_uuid: run, status: 'BUILD_UNSET', artifacts: null };
      const made = await ask(200, 'POST', `${version}/builds`, body);
      return /"id":"(\w{26})"/.exec(made)?.[1] ?? '';
    }),
  );
  await ask(200, 'GET', `/enforced_blocks/bucket/${bucket}`);
  for (const build of builds) {
    const path = `${version}/builds/${build}`;
    await ask(200, 'PATCH', path, { status: 'BUILD_RUNNING', packer_run_uuid: run });
    await ask(200, 'PATCH', path, {
      status: 'BUILD_DONE',
      packer_run_uuid: run,
      platform: 'aws',
      labels: { git_sha: 'c0ffee' },
      artifacts: [{ external_identifier: `ami-${build}`, region: 'eu-central-1' }],
      metadata: { packer: { version: '1.16.0' } },
    });
  }
  // Complete with the last build: Packer itself does not ask again.
  const done = await ask(200, 'GET', version);
  if (!done.includes('"status":"VERSION_ACTIVE"')) throw new Error(`${fingerprint} is not complete: ${done}`);
}
