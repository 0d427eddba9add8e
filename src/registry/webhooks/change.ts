import { ulid } from 'ulid';
import type { Actor } from '../../domain/actor.ts';
import type { EventKind } from '../../domain/events.ts';
import { Failure } from '../../domain/failure.ts';
import { isTaken } from '../../domain/webhook.ts';
import type { Tx } from '../../store/store.ts';
import { clock } from '../../store/transaction.ts';
import type { Verification, Webhook, Webhooks } from '../contract/webhooks.ts';
import { lockConfig } from '../config/load.ts';
import { record } from '../record.ts';
import { loadWebhook, loadWebhooks, mostWebhooks, noSuchWebhook } from './rows.ts';

/** Its project's registry is there from now on: calls name it by its id. */
export async function createWebhook(tx: Tx, input: Parameters<Webhooks['create']>[0]): Promise<Webhook> {
  const { project, name, by } = input;
  const { projectId } = await lockConfig(tx, project);
  const known = await loadWebhooks(tx, project);
  if (known.some((one) => one.name === name)) throw nameTaken(name);
  if (known.length >= mostWebhooks) {
    throw new Failure(
      'illegal_state',
      `Project "${project}" has ${mostWebhooks} webhooks, and takes no more: delete one first.`,
    );
  }
  const now = await clock(tx);
  await tx
    .insertInto('webhook')
    .values({
      id: input.id,
      project_id: projectId,
      name,
      description: input.description,
      url: input.url,
      sealed_key: input.sealedKey,
      subscriptions: JSON.stringify(input.subscriptions),
      enabled: input.enabled,
      actor: JSON.stringify(by),
      created_at: now,
      updated_at: now,
    })
    .execute();
  await keepVerification(tx, input.id, input.verification, now);
  await tell(tx, 'webhook.created', { project, id: input.id, by, now }, toldOf(input, name));
  return loadWebhook(tx, project, name);
}

export async function updateWebhook(tx: Tx, input: Parameters<Webhooks['update']>[0]): Promise<Webhook> {
  const { project, name, changes, by } = input;
  const before = await lockOne(tx, project, name);
  const now = await clock(tx);
  const { description, url, sealedKey, subscriptions, enabled } = changes;
  const isCalled = url !== undefined || sealedKey !== undefined || enabled !== undefined;
  if (isCalled && (enabled ?? before.enabled) && before.updatedAt !== input.seen) {
    throw new Failure('conflict', `Webhook "${name}" was changed meanwhile: look at it, and ask again.`);
  }
  await keepVerification(tx, before.id, input.verification, now);
  const isSame =
    sealedKey === undefined &&
    [
      [description, before.description],
      [url, before.url],
      [enabled, before.enabled],
      [JSON.stringify(subscriptions), JSON.stringify(before.subscriptions)],
    ].every(([given, there]) => given === undefined || given === there);
  if (isSame) return loadWebhook(tx, project, name);
  await tx
    .updateTable('webhook')
    .set({
      updated_at: now,
      ...(description === undefined ? {} : { description }),
      ...(url === undefined ? {} : { url }),
      ...(sealedKey === undefined ? {} : { sealed_key: sealedKey }),
      ...(subscriptions === undefined ? {} : { subscriptions: JSON.stringify(subscriptions) }),
      ...(enabled === undefined ? {} : { enabled }),
    })
    .where('id', '=', before.id)
    .execute();
  const after = await loadWebhook(tx, project, name);
  const data = { ...toldOf(after, name), keyChanged: sealedKey !== undefined };
  await tell(tx, 'webhook.updated', { project, id: before.id, by, now }, data);
  return after;
}

export async function renameWebhook(tx: Tx, input: Parameters<Webhooks['rename']>[0]): Promise<Webhook> {
  const { project, name, newName, by } = input;
  const { id } = await lockOne(tx, project, name);
  if (newName === name) return loadWebhook(tx, project, name);
  const [taken] = await loadWebhooks(tx, project, newName);
  if (taken !== undefined) throw nameTaken(newName);
  const now = await clock(tx);
  await tx.updateTable('webhook').set({ name: newName, updated_at: now }).where('id', '=', id).execute();
  await tell(tx, 'webhook.updated', { project, id, by, now }, { name: newName, before: name });
  return loadWebhook(tx, project, newName);
}

export async function removeWebhook(
  tx: Tx,
  { project, name, by }: Parameters<Webhooks['remove']>[0],
): Promise<void> {
  const { id } = await lockOne(tx, project, name);
  await tx.deleteFrom('webhook').where('id', '=', id).execute();
  await tell(tx, 'webhook.deleted', { project, id, by, now: await clock(tx) }, { name });
}

/** One change of a project's webhooks at a time: they are few, and their names and number are looked at. */
async function lockOne(tx: Tx, project: string, name: string): Promise<Webhook> {
  await lockConfig(tx, project);
  const [found] = await loadWebhooks(tx, project, name);
  if (found === undefined) throw noSuchWebhook(name);
  return found;
}

const nameTaken = (name: string): Failure =>
  new Failure('already_exists', `A webhook named "${name}" already exists.`);

/** Without the path of its address, which is a secret at many receivers. */
const toldOf = ({ url, enabled }: { readonly url: string; readonly enabled: boolean }, name: string) => ({
  name,
  enabled,
  host: new URL(url).host,
});

async function keepVerification(
  tx: Tx,
  webhookId: string,
  verification: Verification | null,
  now: string,
): Promise<void> {
  if (verification === null) return;
  const { payload, attempt } = verification;
  await tx
    .insertInto('webhook_delivery')
    .values({
      id: ulid(),
      webhook_id: webhookId,
      payload: JSON.stringify(payload),
      state: isTaken(attempt) ? 'delivered' : 'failed',
      attempts: 1,
      url: attempt.url,
      status_code: attempt.statusCode,
      error: attempt.error,
      created_at: now,
      sent_at: now,
      ended_at: now,
    })
    .execute();
}

async function tell(
  tx: Tx,
  kind: EventKind,
  at: { readonly project: string; readonly id: string; readonly by: Actor; readonly now: string },
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  await record(tx, { kind, project: at.project, subjectId: at.id, data, by: at.by, at: at.now });
}
