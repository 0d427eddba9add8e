/** Copies found by the mark they carry. */
import type { Image } from '@aws-sdk/client-ec2';
import type { Place } from './cloud.ts';
import { isComplete, isFailed, listImages } from './describe.ts';
import { copyTag } from './tags.ts';

export interface Copies {
  /** Finished, or on its way. */
  readonly good: Image | undefined;
  /** Ids of those that failed, sorted. They keep the name until they are deregistered. */
  readonly failed: readonly string[];
}

export async function copiesBy({ ec2 }: Place, copyId: string): Promise<Copies> {
  const marked = await listImages(ec2, [{ Name: `tag:${copyTag}`, Values: [copyId] }], ['self']);
  const good = marked.filter((image) => !isFailed(image));
  return {
    good: good.find(isComplete) ?? good[0],
    failed: marked
      .filter(isFailed)
      .flatMap(({ ImageId }) => ImageId ?? [])
      .toSorted(),
  };
}
