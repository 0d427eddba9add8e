import { CancellationScope, continueAsNew, proxyLocalActivities } from '@temporalio/workflow';

import type { createRevocationActivities } from '../activities/revocation.ts';
import type { createSubjectActivities } from '../activities/subjects.ts';
import { claimSubjects, type WorkflowInputs } from '../domain/workflow-ids.ts';
import { Attention } from './attention.ts';
import { claimedWhileWoken, type PassedOn } from './claimed-while-woken.ts';
import { endingPlainly } from './fresh-run.ts';
import { defaultProject, formOf } from './input.ts';
import { quickHere } from './options.ts';
import { publishUntilTrue } from './publishing.ts';
import { Showing } from './showing.ts';

/** `{"versionId":"01J…"}`, `{"channelId":"01J…"}`, or as people say it, with `project` when it is not the default one. */
export type RollBackChannelsInput =
  | WorkflowInputs['rollBackChannels']
  | { readonly project?: string; readonly bucket: string; readonly version: string }
  | { readonly project?: string; readonly bucket: string; readonly channel: string };

export interface RollBackChannelsResult {
  /** Places that show what the registry wants. */
  readonly places: number;
}

const example = '{"bucket":"base","channel":"prod"} or {"bucket":"base","version":"v3"}';

const { materialiseDue } = proxyLocalActivities<ReturnType<typeof createRevocationActivities>>(quickHere);
const { versionNamed, versionById, channelNamed } =
  proxyLocalActivities<ReturnType<typeof createSubjectActivities>>(quickHere);

/** Makes the channels of a version (or one channel) show everywhere what they point to now, and keeps at it until they do. */
export async function rollBackChannels(
  input: RollBackChannelsInput,
): Promise<RollBackChannelsResult | PassedOn> {
  const attention = new Attention();
  const showing = new Showing('Roll back of channels');
  const find = whatIsMeant(input, showing);

  return endingPlainly(showing, async () => {
    const subject = await CancellationScope.nonCancellable(find);
    const subjectId = 'versionId' in subject ? subject.versionId : subject.channelId;
    return claimedWhileWoken(claimSubjects.rollBackChannels(subjectId), attention, async () => {
      showing.phase('materialising', 'writing down what is due');
      await materialiseDue();

      showing.phase('publishing', 'making every place show what the channel points to');
      const places = await publishUntilTrue(subject, {
        attention,
        showing,
        beginAnew: () => continueAsNew<typeof rollBackChannels>(subject),
      });
      showing.phase('done', `${String(places)} places show what is wanted`);
      return { places };
    });
  });
}

function whatIsMeant(
  input: unknown,
  showing: Showing,
): () => Promise<{ versionId: string } | { channelId: string }> {
  const form = formOf('rollBackChannels', input, example);
  form.only('versionId', 'channelId', 'project', 'bucket', 'version', 'channel');
  if (form.has('channelId')) {
    const channelId = form.text('channelId');
    return () => Promise.resolve({ channelId });
  }
  if (form.has('versionId')) {
    const versionId = form.text('versionId');
    return async () => {
      showing.names(await versionById(versionId));
      return { versionId };
    };
  }
  const project = form.optionalText('project') ?? defaultProject;
  const bucket = form.text('bucket');
  if (form.has('channel') === form.has('version')) form.refuse('give either `channel` or `version`');
  if (form.has('version')) {
    const version = form.text('version');
    return async () => {
      const named = await versionNamed(project, bucket, version);
      showing.names(named);
      return { versionId: named.versionId };
    };
  }
  const channel = form.text('channel');
  return async () => {
    const { id } = await channelNamed(project, bucket, channel);
    showing.names({ bucket, channel });
    return { channelId: id };
  };
}
