/** Launch templates that name an image in any of their versions, by its id or by a parameter that holds it. */
import {
  DescribeLaunchTemplatesCommand,
  paginateDescribeLaunchTemplates,
  paginateDescribeLaunchTemplateVersions,
} from '@aws-sdk/client-ec2';
import { Failure } from '../../domain/failure.ts';
import type { Place } from './cloud.ts';
import { unlessMissing } from './errors.ts';
import { isOfOne, type MeansIt } from './written-image.ts';

export interface Templates {
  /** Template id → its id with the versions, for people. */
  readonly naming: ReadonlyMap<string, string>;
  /** Templates that cannot be read, or that name a parameter that cannot be read, with why. */
  readonly unreadable: readonly string[];
}

export async function templatesOf(place: Place, meansIt: MeansIt): Promise<Templates> {
  const ids: string[] = [];
  for await (const page of paginateDescribeLaunchTemplates({ client: place.ec2 }, {})) {
    ids.push(...(page.LaunchTemplates ?? []).flatMap(({ LaunchTemplateId }) => LaunchTemplateId ?? []));
  }
  const naming = new Map<string, string>();
  const unreadable: string[] = [];
  for (const id of ids) {
    const versions: number[] = [];
    try {
      for (const version of await versionsOf(place, id)) {
        if (await meansIt(version.imageId)) versions.push(version.number);
      }
    } catch (error) {
      if (!isOfOne(error)) throw error;
      unreadable.push(`launch template ${id} (${error.message})`);
    }
    if (versions.length > 0) naming.set(id, `${id} (version ${versions.join(', ')})`);
  }
  return { naming, unreadable };
}

interface Version {
  readonly number: number;
  readonly imageId: string | undefined;
}

/** None when the template was deleted since it was listed. */
async function versionsOf({ ec2 }: Place, id: string): Promise<readonly Version[]> {
  const all = async (): Promise<readonly Version[]> => {
    const found: Version[] = [];
    const pages = paginateDescribeLaunchTemplateVersions({ client: ec2 }, { LaunchTemplateId: id });
    for await (const page of pages) {
      for (const { VersionNumber = 0, LaunchTemplateData } of page.LaunchTemplateVersions ?? [])
        found.push({ number: VersionNumber, imageId: LaunchTemplateData?.ImageId });
    }
    return found;
  };
  return unlessMissing(all(), async () => {
    const byId = new DescribeLaunchTemplatesCommand({ LaunchTemplateIds: [id] });
    const { LaunchTemplates: still = [] } = await unlessMissing(ec2.send(byId), () => ({
      LaunchTemplates: [],
    }));
    if (still.length === 0) return [];
    throw new Failure('provider_unavailable', `aws: launch template ${id} is not known everywhere yet`);
  });
}
