/** Launch templates that name an image in any of their versions, by its id or by a parameter that holds it. */
import {
  DescribeLaunchTemplatesCommand,
  paginateDescribeLaunchTemplates,
  paginateDescribeLaunchTemplateVersions,
} from '@aws-sdk/client-ec2';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Place } from './cloud.ts';
import { unlessMissing } from './errors.ts';
import { readParameter } from './parameters.ts';

export interface Templates {
  /** Template id → its id with the versions, for people. */
  readonly naming: ReadonlyMap<string, string>;
  /** Templates that cannot be read, or that name a parameter that cannot be read, with why. */
  readonly unreadable: readonly string[];
}

export async function templatesOf(place: Place, imageId: string): Promise<Templates> {
  const parameters = new Map<string, Promise<string | undefined>>();
  const namesIt = async (written: string | undefined): Promise<boolean> => {
    if (written === imageId) return true;
    const name = /^resolve:ssm:(.+)$/.exec(written ?? '')?.[1];
    if (name === undefined) return false;
    const known = parameters.get(name) ?? readParameter(place, name);
    parameters.set(name, known);
    return (await known) === imageId;
  };
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
        if (await namesIt(version.imageId)) versions.push(version.number);
      }
    } catch (error) {
      // One that is broken is somebody else's, and must not hide all others. Whatever may pass, or holds for all of them, is thrown.
      if (!isOfOneTemplate(error)) throw error;
      unreadable.push(`launch template ${id} (${error.message})`);
    }
    if (versions.length > 0) naming.set(id, `${id} (version ${versions.join(', ')})`);
  }
  return { naming, unreadable };
}

/** A policy may leave out single parameters, never single templates. */
const isOfOneTemplate = (error: unknown): error is Failure => {
  if (!isFailure(error)) return false;
  if (error.code === 'permission_denied') return String(error.details['action']).startsWith('ssm:');
  return error.code === 'invalid_input' || error.code === 'illegal_state' || error.code === 'not_found';
};

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
