import { Failure } from '../../domain/failure.ts';
import type { ImageLine, ParentLink, TemplatePin } from '../../domain/image-line.ts';
import type { ParentPin } from '../../domain/version.ts';
import type { Db } from '../../store/store.ts';
import type { AcceptRequest, RequestPins } from '../contract/requests.ts';
import { findChannel } from '../channels/rows.ts';
import { whyUnassigned } from '../channels/why-unassigned.ts';
import type { BucketRow } from '../lookup.ts';
import { loadEffective, loadStandings } from '../status.ts';

/** Fixes what is baked: the line as it is, the template's content or commit, the version each parent channel points to now. */
export async function pinRequest(
  db: Db,
  bucket: BucketRow,
  input: AcceptRequest,
  now: string,
): Promise<RequestPins> {
  if (bucket.line === null) {
    throw new Failure(
      'illegal_state',
      `Bucket "${bucket.name}" has no image line: nothing says how it is baked. Describe it in bakehouse.yaml and apply it.`,
    );
  }
  const parents: ParentPin[] = [];
  for (const link of bucket.line.parents) parents.push(await pinParent(db, bucket, link, now));
  return {
    line: bucket.line,
    template: pinTemplate(bucket.name, bucket.line, input.commit),
    variables: { ...bucket.line.variables, ...input.variables },
    parents,
  };
}

function pinTemplate(bucket: string, { template }: ImageLine, commit: string | undefined): TemplatePin {
  if (template.kind === 'folder') return { kind: 'snapshot', digest: template.digest, entry: template.entry };
  if (commit === undefined || !/^[0-9a-f]{40}$/.test(commit)) {
    throw new Failure(
      'invalid_input',
      `Bucket "${bucket}" takes its template from ${template.repository} at ${template.ref}: give the commit that this is now, 40 hexadecimal digits${commit === undefined ? '' : ` (not "${commit.slice(0, 60)}")`}.`,
    );
  }
  return { kind: 'git', repository: template.repository, commit, entry: template.entry };
}

async function pinParent(db: Db, bucket: BucketRow, link: ParentLink, now: string): Promise<ParentPin> {
  const where = `channel "${link.channel}" of its parent "${link.bucket}"`;
  const channel = await findChannel(db, bucket.project, link.bucket, link.channel);
  const effective = (await loadEffective(db, [channel.id], now)).get(channel.id);
  if (effective === undefined || effective.versionId === null || effective.versionName === null) {
    throw new Failure(
      'illegal_state',
      `bucket "${bucket.name}" cannot be baked: ${where} has no version assigned: ${await whyUnassigned(db, channel, now)}`,
    );
  }
  if (effective.revoked) {
    throw new Failure(
      'illegal_state',
      `bucket "${bucket.name}" cannot be baked: ${where} points to ${effective.versionName}, which is revoked; promote another one with \`bakehouse promote ${link.bucket} <version> ${link.channel}\` first`,
    );
  }
  return {
    versionId: effective.versionId,
    bucket: link.bucket,
    versionName: effective.versionName,
    channel: link.channel,
    variable: link.variable ?? null,
  };
}

/** The next attempt bakes from the same parents; one that was revoked since is refused, because its child would be born revoked. */
export async function checkPinnedParents(db: Db, pins: RequestPins, key: string, now: string): Promise<void> {
  const standings = await loadStandings(
    db,
    pins.parents.map(({ versionId }) => versionId),
    now,
  );
  for (const parent of pins.parents) {
    if (standings.get(parent.versionId)?.status.state !== 'revoked') continue;
    throw new Failure(
      'illegal_state',
      `Request "${key}" is pinned to ${parent.versionName} of "${parent.bucket}", which was revoked since. Ask with a new key: it takes the version that channel "${parent.channel ?? ''}" points to now.`,
    );
  }
}
