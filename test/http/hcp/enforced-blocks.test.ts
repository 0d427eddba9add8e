import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../registry/support/world.ts';
import { useDatabase } from '../../support/database.ts';
import type { Api } from '../support/api.ts';
import { startApi, tokens } from '../support/api.ts';
import { tokenOf } from '../support/token-of.ts';
import type { Call } from './support/hcp-calls.ts';
import { hcpCalls } from './support/hcp-calls.ts';

const database = useDatabase();
const shell = 'provisioner "shell-local" {\n  inline = ["echo ok"]\n}\n';

interface Version {
  readonly id: string;
  readonly version: string;
  readonly block_content: string;
  readonly template_type: string;
  readonly additional_description: string;
}
interface Block {
  readonly enforced_block: { readonly id: string; readonly name: string; readonly latest_version: Version };
}
interface Details {
  readonly enforced_block_detail: readonly {
    readonly id: string;
    readonly name: string;
    readonly version: Version;
  }[];
}

let api: Api;
let call: Call;
let bucket: string;
let other: string;

beforeAll(async () => {
  api = startApi(database());
  bucket = await api.world.line();
  other = await api.world.line();
  call = await hcpCalls(api);
});

async function create(name: string, content = shell, more: object = {}): Promise<Block['enforced_block']> {
  const made = await call<Block>('PUT', '/enforced_blocks', { name, block_content: content, ...more });
  expect(made).toMatchObject({ http: 200 });
  return made.body.enforced_block;
}

describe('an enforced block', () => {
  it('is delivered to the builds of a bucket once a version of it is linked', async () => {
    const block = await create('hardening', shell, { labels: { team: 'sec' }, template_type: 'HCL2' });
    expect(block.latest_version).toMatchObject({ version: '1', block_content: shell, template_type: 'HCL2' });
    const versions = `/enforced_blocks/${block.id}/versions`;
    const none = await call<Details>('GET', `/enforced_blocks/bucket/${bucket}`);
    expect(none.body.enforced_block_detail).toEqual([]);

    const linked = await call('POST', `${versions}/${block.latest_version.id}/buckets`, {
      bucket_names: [bucket, other],
    });
    expect(linked.http).toBe(200);
    const builds = await call<Details>(
      'GET',
      `/enforced_blocks/bucket/${bucket}`,
      undefined,
      await tokenOf(api, 'packer-one', null, [{ bucket, role: 'contributor' }]),
    );
    expect(builds.body.enforced_block_detail).toMatchObject([
      { id: block.id, name: 'hardening', version: { id: block.latest_version.id, block_content: shell } },
    ]);

    // Another version reaches the bucket that changes to it, and no other.
    const second = await call<{ enforced_block_version: Version }>('PUT', versions, {
      block_content: 'provisioner "breakpoint" {}',
      version: 'strict',
    });
    const { id } = second.body.enforced_block_version;
    await call('POST', `${versions}/${id}/buckets`, { bucket_names: [bucket] });
    const now = await call<Details>('GET', `/enforced_blocks/bucket/${bucket}`);
    expect(now.body.enforced_block_detail.map(({ version }) => version.version)).toEqual(['strict']);
    const still = await call<{ linked_buckets: readonly { bucket: { name: string } }[] }>(
      'GET',
      `${versions}/${block.latest_version.id}/buckets`,
    );
    expect(still.body.linked_buckets.map((one) => one.bucket.name)).toEqual([other]);
    const all = await call<Details>('GET', versions);
    expect(all.body.enforced_block_detail.map(({ version }) => version.version)).toEqual(['strict', '1']);

    // Linked is not deleted; unlinked is.
    expect(await call('DELETE', `${versions}/${id}`)).toMatchObject({ http: 400, code: 9 });
    expect(await call('DELETE', `/enforced_blocks/${block.id}`)).toMatchObject({ http: 400, code: 9 });
    await call('POST', `${versions}/${id}/buckets`, { bucket_names: null });
    expect(await call('DELETE', `${versions}/${id}`)).toMatchObject({ http: 200, body: {} });
    await call('POST', `${versions}/${block.latest_version.id}/buckets`, {});
    expect(await call('DELETE', `/enforced_blocks/${block.id}`)).toMatchObject({ http: 200, body: {} });
    expect(await call('GET', `/enforced_blocks/${block.id}`)).toMatchObject({ http: 404, code: 5 });

    const trail = await api.world.registry.events.list(project, { limit: 1000 });
    const ours = trail.filter(({ subjectId }) => subjectId === block.id);
    expect(ours.map(({ kind }) => kind.replace('enforced_block.', ''))).toEqual(
      'created linked linked updated linked linked deleted linked deleted'.split(' '),
    );
    expect(ours[1]).toMatchObject({ bucket: expect.any(String), by: { name: 'admin' } });
  });

  it('is changed by what its mask names, and by that only', async () => {
    const block = await create('masked', shell, { labels: { a: '1' } });
    const at = `/enforced_blocks/${block.id}`;
    expect(await call('PATCH', at, { name: 'else' })).toMatchObject({ http: 400, code: 3 });
    expect(await call('PATCH', at, { name: 'else', update_mask: 'content' })).toMatchObject({ code: 3 });
    const renamed = await call<Block>('PATCH', at, { name: 'renamed', update_mask: 'name' });
    expect(renamed.body.enforced_block).toMatchObject({ name: 'renamed', labels: { a: '1' } });
    const emptied = await call<Block>('PATCH', at, { update_mask: 'labels' });
    expect(emptied.body.enforced_block).toMatchObject({ name: 'renamed', labels: {} });
    const version = await call<{ enforced_block_version: Version }>(
      'PATCH',
      `${at}/versions/${block.latest_version.id}`,
      { additional_description: 'why', update_mask: 'additional_description' },
    );
    expect(version.body.enforced_block_version).toMatchObject({ additional_description: 'why' });

    expect(await call('PUT', '/enforced_blocks', { name: 'renamed', block_content: shell })).toMatchObject({
      http: 409,
      code: 6,
    });
    await create('second');
    expect(await call('PATCH', at, { name: 'second', update_mask: 'name' })).toMatchObject({ code: 6 });
    const listed = await call<{ enforced_blocks: readonly { name: string; latest_version?: unknown }[] }>(
      'GET',
      '/enforced_blocks',
    );
    expect(listed.body.enforced_blocks.map(({ name }) => name)).toEqual(['renamed', 'second']);
    expect(listed.body.enforced_blocks[0]).not.toHaveProperty('latest_version');
  });

  it('is refused where Packer could not read it as provisioners', async () => {
    const bad = [
      '',
      'not hcl at all {{{',
      'source "file" "x" {}',
      `${shell}\nvariable "x" {}`,
      'provisioner {}',
      'provisioner "a" "b" {}',
      'provisioner = { shell = [{}] }',
      'provisioner = "shell"',
      '# nothing',
      '{"provisioner": "shell"}',
      '{"provisioners": [{"inline": []}]}',
      '{"provisioner": {"shell": {}}, "builders": []}',
      `provisioner "shell" {\n  x = ${'['.repeat(20_000)}\n}`,
    ];
    const answers = await Promise.all(
      bad.map((block_content) => call('PUT', '/enforced_blocks', { name: 'bad', block_content })),
    );
    expect(answers.map(({ http, code }) => [http, code])).toEqual(bad.map(() => [400, 3]));

    const legacy = await create('legacy', '{"provisioners":[{"type":"shell","inline":["true"]}]}');
    expect(legacy.latest_version.template_type).toBe('JSON');
    const json = await create('json', '{"provisioner":[{"shell":{"inline":["true"]}}]}', {
      template_type: 'JSON',
    });
    expect(json.latest_version.version).toBe('1');
  });

  it('has as much content in its versions, and a bucket in its blocks, as one answer holds', async () => {
    const { db } = database().store;
    const [block, second] = [await create('large'), await create('small')];
    const grow = (to: number) =>
      sql`
        update enforced_block_version set content = rpad(${shell}, ${to}, '# ')
        where id = ${block.latest_version.id}`.execute(db);
    const most = 8 * 1024 * 1024;
    await grow(most - shell.length);
    const versions = `/enforced_blocks/${block.id}/versions`;
    const added = () => call('PUT', versions, { block_content: shell });
    expect(await added()).toMatchObject({ http: 200 });
    const refused = { http: 400, code: 9, message: expect.stringContaining(`${most} is the most`) };
    expect(await added()).toMatchObject(refused);

    const link = ({ id, latest_version }: Block['enforced_block'], names: readonly string[]) =>
      call('POST', `/enforced_blocks/${id}/versions/${latest_version.id}/buckets`, { bucket_names: names });
    expect(await link(block, [other])).toMatchObject({ http: 200 });
    expect(await link(second, [other])).toMatchObject({ http: 200 });
    await link(second, []);
    await grow(most);
    expect(await link(second, [bucket, other])).toMatchObject(refused);
    const now = await call<Details>('GET', `/enforced_blocks/bucket/${bucket}`);
    expect(now.body.enforced_block_detail).toEqual([]);
    await link(block, []);
    expect(await link(second, [bucket, other])).toMatchObject({ http: 200 });
    await link(second, []);
  });

  it('is written by admins, read by viewers, and unknown to other projects', async () => {
    const block = await create('roles');
    const at = `/enforced_blocks/${block.id}`;
    const body = { name: 'x', block_content: shell };
    expect(await call('PUT', '/enforced_blocks', body, tokens.contributor)).toMatchObject({ code: 7 });
    expect(await call('DELETE', at, undefined, tokens.contributor)).toMatchObject({ code: 7 });
    expect(await call('GET', at, undefined, tokens.viewer)).toMatchObject({ http: 200 });
    expect(await call('GET', '/enforced_blocks/bucket/no-such-bucket')).toMatchObject({ http: 404, code: 5 });
    const links = `${at}/versions/${block.latest_version.id}/buckets`;
    expect(await call('POST', links, { bucket_names: [bucket, 'no-such'] })).toMatchObject({ code: 5 });
    expect(await call('GET', `/enforced_blocks/bucket/${bucket}`)).toMatchObject({
      body: { enforced_block_detail: [] },
    });

    await api.ok('createProject', { organization: 'default', name: 'elsewhere' });
    const elsewhere = { project: 'elsewhere', blockId: block.id };
    await expect(api.world.registry.enforcedBlocks.get(elsewhere)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
