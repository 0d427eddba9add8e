/** Azure's builders: `azure_tags` are on the temporary resource group and on all that is in it, on the image and on the gallery's version. */
import { blockList } from '../hcl-value.ts';
import type { TemplateSourceFact } from '../template-facts.ts';
import { type BuilderFamily, uses } from './family.ts';
import { missingTags, missingUse } from './tags.ts';

type Form = 'hcl2' | 'json';

export const azure: BuilderFamily = {
  builders: ['azure-arm'],
  plugin: 'github.com/hashicorp/azure',
  variables: () => ['attempt_id'],
  missing: (source, form) => [
    ...missingTags(source, form, 'azure_tags'),
    ...missingDestination(source, form),
    ...missingGroup(source, form),
  ],
};

/** A managed image by our name, or a version of a gallery: a bare disk in a storage account is neither tagged nor taken. */
function missingDestination(source: TemplateSourceFact, form: Form): readonly string[] {
  const { body } = source;
  if (body['managed_image_name'] === undefined) {
    const gallery = blockList(body['shared_image_gallery_destination']);
    if (gallery.length > 0) return [];
  }
  return [
    ...missingUse(source, form, 'managed_image_name', ['image_name']),
    ...(body['managed_image_resource_group_name'] === undefined
      ? [
          form === 'hcl2'
            ? 'managed_image_resource_group_name = "a group that exists"'
            : '"managed_image_resource_group_name": "a group that exists"',
        ]
      : []),
  ];
}

/** A name of the attempt's own, which people recognise; builds within a group that exists leave tagged things in it. */
function missingGroup(source: TemplateSourceFact, form: Form): readonly string[] {
  const { body } = source;
  if (body['build_resource_group_name'] !== undefined) return [];
  if (uses(body['temp_resource_group_name'], 'image_name')) return [];
  return missingUse(source, form, 'temp_resource_group_name', ['attempt_id'], 'packer-');
}
