import { CancellationScope, continueAsNew, proxyLocalActivities } from '@temporalio/workflow';

import type { createSubjectActivities } from '../activities/subjects.ts';
import type { EnforcementWish } from '../domain/revocation.ts';
import { targetKey } from '../domain/target.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { Attention } from './attention.ts';
import { claimedWhileWoken, type PassedOn } from './claimed-while-woken.ts';
import { endingPlainly } from './fresh-run.ts';
import { defaultProject, formOf } from './input.ts';
import { quickHere } from './options.ts';
import { everyPlaceForward } from './places.ts';
import { retiringAt, wishOf } from './retiring.ts';
import { Showing } from './showing.ts';

/** `{"versionId":"01J…"}`, or as people say it, with `project` when it is not the default one. */
export type RetireInput =
  WorkflowInputs['retire'] | { readonly project?: string; readonly bucket: string; readonly version: string };

export interface RetireResult {
  readonly versionId: string;
  /** What the registry wanted at the end, true in every place. */
  readonly wanted: EnforcementWish['wanted'];
  readonly places: number;
}

const example = '{"bucket":"base","version":"v3"}';

const { versionNamed, versionById } =
  proxyLocalActivities<ReturnType<typeof createSubjectActivities>>(quickHere);

/**
 * Makes true in every place what the registry wants of a version's images, both ways: blocked and, after a grace, deleted; or usable
 * again. It reads the wish before each act and once more before it ends.
 */
export async function retire(input: RetireInput): Promise<RetireResult | PassedOn> {
  const attention = new Attention();
  const showing = new Showing('Images of a version');
  const find = whatIsMeant(input);

  return endingPlainly(showing, async () => {
    const named = await CancellationScope.nonCancellable(find);
    const { versionId } = named;
    showing.names(named);

    return claimedWhileWoken(claimSubjects.retire(versionId), attention, async () => {
      let wanted: EnforcementWish['wanted'] = 'usable';
      let elsewhere = '';
      const places = await everyPlaceForward({
        attention,
        showing,
        beginAnew: () => continueAsNew<typeof retire>({ versionId }),
        nameOf: ({ image }) => `${image.imageId} in ${targetKey(image.target)}`,
        async places() {
          const wish = await wishOf(versionId);
          wanted = wish.wanted;
          elsewhere =
            wish.unreached === undefined
              ? ''
              : `; ${String(wish.unreached)} images lie where nobody here can do it: see the receipts`;
          showing.phase(
            wish.wanted,
            `${named.bucket} ${named.version} is to be ${wish.wanted}: ${wish.reason}`,
          );
          return wish.places;
        },
        forward: retiringAt(versionId),
      });
      showing.phase(
        'done',
        `${named.bucket} ${named.version} is ${wanted} in ${String(places)} places${elsewhere}`,
      );
      return { versionId, wanted, places };
    });
  });
}

function whatIsMeant(input: unknown) {
  const form = formOf('retire', input, example);
  form.only('versionId', 'project', 'bucket', 'version');
  if (form.has('versionId')) {
    const versionId = form.text('versionId');
    return () => versionById(versionId);
  }
  const project = form.optionalText('project') ?? defaultProject;
  const [bucket, version] = [form.text('bucket'), form.text('version')];
  return () => versionNamed(project, bucket, version);
}
