/** Tags: whose something is, and whether an image is finished. */
import type { Tag } from '@aws-sdk/client-ec2';
import type { BakeMark } from '../provider.ts';

/** On images only, written last: without it an image is a leftover of its attempt. */
export const completeTag = 'bakehouse_complete';
/** On snapshots, written before their image is deregistered: whose they were. */
export const storageTag = 'storage_of';
export const copyTag = 'copy_id';
export const launchTag = 'launch_id';

/** Tags whose value is a mark that `leftovers` is asked for. */
export const markTags: readonly string[] = ['bake_id', 'attempt_id', launchTag, copyTag];

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function tagRecord(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
}

export function bakeTags(mark: BakeMark, source: string): Record<string, string> {
  return { bake_id: mark.bakeId, attempt_id: mark.attemptId, image_name: mark.imageName, source };
}

/** `*` and `?` are wildcards in filters. */
export const wildcardsEscaped = (text: string): string => text.replaceAll(/[*?\\]/g, String.raw`\$&`);
