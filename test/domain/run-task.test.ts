import { describe, expect, it } from 'vitest';
import type { ImageStanding } from '../../src/domain/run-task.ts';
import { imagesOf, verdictOf } from '../../src/domain/run-task.ts';

const change = (address: string, actions: readonly string[], after: unknown) => ({
  address,
  mode: 'managed',
  type: address.split('.')[0],
  change: { actions, after },
});
const planOf = (...resource_changes: readonly unknown[]) => ({
  resource_changes,
  prior_state: {
    values: {
      root_module: {
        child_modules: [
          {
            resources: [
              { type: 'hcp_packer_artifact', mode: 'data', values: { external_identifier: 'img-read' } },
            ],
          },
        ],
      },
    },
  },
});

const image = (externalIdentifier: string, isNew = true) => ({
  resource: `aws_instance.${externalIdentifier}`,
  externalIdentifier,
  isNew,
  isImage: true,
});
const standing = (state: 'fine' | 'scheduled' | 'revoked', newer: string | null = null): ImageStanding => ({
  state,
  bucket: 'base',
  version: 'v1',
  at: state === 'fine' ? null : '2026-01-01T00:00:00.000Z',
  reason: 'a hole',
  newer,
});

describe('images of a plan', () => {
  it('are found where a type names them, and where an artifact of the registry is used', () => {
    const images = imagesOf(
      planOf(
        change('aws_instance.web', ['create'], { ami: 'ami-1', tags: { ami: 'ami-1' } }),
        change('aws_batch_compute_environment.b', ['delete', 'create'], {
          compute_resources: [{ ec2_configuration: [{ image_id_override: 'ami-2' }] }],
        }),
        change('google_compute_instance.g', ['update'], {
          boot_disk: [{ initialize_params: [{ image: 'img-3' }] }],
        }),
        change('azurerm_virtual_machine_scale_set.s', ['create'], {
          id: 'not-an-image',
          storage_profile_image_reference: [{ id: 'img-4' }],
        }),
        change('other_machine.o', ['create'], { disks: [{ from: 'img-read' }, { from: 'img-else' }] }),
        change('aws_instance.gone', ['delete'], null),
        change('aws_instance.same', ['no-op'], { ami: 'ami-5' }),
      ),
    );

    expect(images).toEqual([
      { resource: 'aws_instance.web', externalIdentifier: 'ami-1', isNew: true, isImage: true },
      {
        resource: 'aws_batch_compute_environment.b',
        externalIdentifier: 'ami-2',
        isNew: true,
        isImage: true,
      },
      { resource: 'google_compute_instance.g', externalIdentifier: 'img-3', isNew: false, isImage: true },
      {
        resource: 'azurerm_virtual_machine_scale_set.s',
        externalIdentifier: 'img-4',
        isNew: true,
        isImage: true,
      },
      { resource: 'other_machine.o', externalIdentifier: 'img-read', isNew: true, isImage: false },
    ]);
  });

  it('are none in what is no plan', () => {
    for (const odd of [null, 'x', [], {}, { resource_changes: [null, 1, { mode: 'managed' }] }]) {
      expect(imagesOf(odd)).toEqual([]);
    }
  });
});

describe('the verdict', () => {
  const standings = new Map([
    ['fine', standing('fine')],
    ['old', standing('fine', 'v2')],
    ['soon', standing('scheduled')],
    ['bad', standing('revoked', 'v2')],
  ]);

  it('fails for a new resource of a revoked version, and only warns of one that is there already', () => {
    const failed = verdictOf([image('fine'), image('bad')], standings, 'WARN');
    expect(failed).toMatchObject({
      status: 'failed',
      findings: [{ level: 'error', resource: 'aws_instance.bad' }],
    });
    expect(failed.findings[0]?.text).toContain('v1 of base, which is revoked since 2026-01-01');
    expect(failed.findings[0]?.text).toContain('The newest version is v2.');
    expect(verdictOf([image('bad', false)], standings, 'FAIL')).toMatchObject({
      status: 'passed',
      findings: [{ level: 'warning' }],
    });
  });

  it('counts what it saw, and tells of versions that end or have a newer one', () => {
    const verdict = verdictOf(
      [image('fine'), image('old'), image('soon'), image('absent')],
      standings,
      'WARN',
    );

    expect(verdict).toMatchObject({
      status: 'passed',
      message: '4 images scanned: 0 revoked, 1 to be revoked, 1 with a newer version, 1 not in the registry.',
      findings: [{ level: 'info' }, { level: 'warning' }, { level: 'warning' }],
    });
  });

  it('stops for images that the registry does not know where that is asked for', () => {
    expect(verdictOf([image('absent')], standings, 'FAIL').status).toBe('failed');
    expect(verdictOf([image('absent', false)], standings, 'FAIL').status).toBe('passed');
    expect(verdictOf([{ ...image('absent'), isImage: false }], standings, 'FAIL').findings).toEqual([]);
  });
});
