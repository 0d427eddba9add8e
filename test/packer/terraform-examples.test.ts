import { readdirSync, readFileSync } from 'node:fs';
import { parse } from '@cdktn/hcl2json';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../examples/terraform/', import.meta.url);
const examples = readdirSync(folder, { withFileTypes: true }).filter((one) => one.isDirectory());
const textOf = (name: string): string => readFileSync(new URL(`${name}/main.tf`, folder), 'utf8');

/** Of the provider, those that Bakehouse answers. */
const known = new Set([
  'hcp_packer_version',
  'hcp_packer_artifact',
  'hcp_packer_bucket_names',
  'hcp_packer_bucket',
  'hcp_packer_channel',
  'hcp_packer_channel_assignment',
  'hcp_notifications_webhook',
]);

describe('the Terraform examples', () => {
  it('show the three jobs, and no others than those that their page lists', () => {
    const listed = [
      ...readFileSync(new URL('README.md', folder), 'utf8').matchAll(/\]\(([\w-]+)\/main\.tf\)/g),
    ];

    expect(new Set(examples.map(({ name }) => name))).toEqual(new Set(listed.map(([, name]) => name)));
  });

  it.each(examples.map(({ name }) => name))(
    '%s is read, and takes its addresses from the environment',
    async (name) => {
      const read = await parse('main.tf', textOf(name));
      const types = [...Object.keys(read['resource'] ?? {}), ...Object.keys(read['data'] ?? {})];

      // `geography` would put HCP's own addresses over those of the environment.
      expect(read['provider'].hcp).toEqual([{}]);
      expect(types.filter((type) => type.startsWith('hcp_') && !known.has(type))).toEqual([]);
      expect(types.some((type) => known.has(type))).toBe(true);
    },
  );

  it('gives an instance the image of its channel, and refuses a version that was revoked', async () => {
    const { data, resource } = await parse('main.tf', textOf('instance'));
    const [instance] = resource.aws_instance.web;

    expect(data.hcp_packer_version.web[0].channel_name).toBe('${var.channel}');
    expect(data.hcp_packer_artifact.web[0].version_fingerprint).toBe(
      '${data.hcp_packer_version.web.fingerprint}',
    );
    expect(instance.ami).toBe('${data.hcp_packer_artifact.web.external_identifier}');
    expect(instance.lifecycle[0].precondition[0].condition).toContain('local.revoke_at');
  });
});
