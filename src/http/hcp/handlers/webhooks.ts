import { ulid } from 'ulid';
import { Failure } from '../../../domain/failure.ts';
import { isTaken } from '../../../domain/webhook.ts';
import type { WebhookSettings } from '../../../registry/contract/webhooks.ts';
import { isRefusedAddress, refusal } from '../../../webhooks/refused-addresses.ts';
import { seal, unseal } from '../../../webhooks/seal.ts';
import type { Keys } from '../../keys.ts';
import { webhookRoutes } from '../descriptors/routes/webhooks.ts';
import { implement } from '../handler.ts';
import { invalidFields } from '../invalid-fields.ts';
import { toWireDelivery, toWireWebhook } from '../wire/webhook.ts';
import { refuseUntaken, verifyWebhook } from './verify-webhook.ts';

const longestPage = 100;

export const webhookOperations = implement(webhookRoutes, {
  CreateWebhook: async ({ deps, project, projectId, body, actor }) => {
    const name = checkName(body.name);
    const url = checkUrl(body.config.url);
    const key = keyOf(body.config);
    const id = ulid();
    const wanted = { id, name, projectId, url, key, given: body.test_payload };
    const verification = body.enabled === false ? null : await verifyWebhook(wanted);
    if (body.enabled === true && verification !== null) refuseUntaken(verification);
    const made = await deps.registry.webhooks.create({
      id,
      project,
      name,
      description: body.description ?? '',
      url,
      sealedKey: sealed(deps.keys, id, key),
      subscriptions: body.subscriptions,
      enabled: verification !== null && isTaken(verification.attempt),
      verification,
      by: actor,
    });
    return { webhook: toWireWebhook(projectId, made) };
  },
  ListWebhooks: async ({ deps, project, projectId }) => ({
    webhooks: (await deps.registry.webhooks.list(project)).map((one) => toWireWebhook(projectId, one)),
    pagination: { next_page_token: '', previous_page_token: '' },
  }),
  GetWebhook: async ({ deps, project, projectId, path }) => ({
    webhook: toWireWebhook(projectId, await deps.registry.webhooks.get(project, path.webhook_name)),
  }),
  UpdateWebhook: async ({ deps, project, projectId, path, body, actor }) => {
    const name = path.webhook_name;
    const { webhooks } = deps.registry;
    const before = await webhooks.get(project, name);
    const mask = maskOf(body.update_mask);
    const given = body.webhook;
    const url = mask.has('config.url') ? checkUrl(given?.config.url) : undefined;
    const key = mask.has('config.hmacKey') ? (keyOf(given?.config) ?? null) : undefined;
    const enabled = mask.has('enabled') ? given?.enabled === true : undefined;
    const isCalledOtherwise = url !== undefined || key !== undefined;
    const isVerified =
      (enabled ?? before.enabled) && (isCalledOtherwise || (enabled === true && !before.enabled));
    const verification = isVerified
      ? await verifyWebhook({
          id: before.id,
          name,
          projectId,
          url: url ?? before.url,
          key:
            key === undefined
              ? opened(deps.keys, before.id, await webhooks.sealedKey(project, name))
              : (key ?? undefined),
          given: body.test_payload,
        })
      : null;
    if (verification !== null) refuseUntaken(verification);
    const changes: Partial<WebhookSettings> = {
      ...(mask.has('description') ? { description: given?.description ?? '' } : {}),
      ...(mask.has('subscriptions') ? { subscriptions: given?.subscriptions ?? [] } : {}),
      ...(url === undefined ? {} : { url }),
      ...(key === undefined ? {} : { sealedKey: sealed(deps.keys, before.id, key ?? undefined) }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    const after = await webhooks.update({
      project,
      name,
      changes,
      seen: before.updatedAt,
      verification,
      by: actor,
    });
    return { webhook: toWireWebhook(projectId, after) };
  },
  UpdateWebhookName: async ({ deps, project, projectId, path, body, actor }) => {
    const newName = checkName(body.name);
    const after = await deps.registry.webhooks.rename({
      project,
      name: path.webhook_name,
      newName,
      by: actor,
    });
    return { webhook: toWireWebhook(projectId, after) };
  },
  DeleteWebhook: async ({ deps, project, path, actor }) => {
    await deps.registry.webhooks.remove({ project, name: path.webhook_name, by: actor });
    return {};
  },
  ListWebhookDeliveries: async ({ deps, project, path, query }) => {
    const before = query['pagination.next_page_token'];
    if (before !== undefined && !/^(?:[0-9A-Z]{26})?$/.test(before)) {
      throw invalidFields([{ field: 'pagination.next_page_token', description: 'is not of this list' }]);
    }
    const asked = Number(query['pagination.page_size'] ?? '0');
    const limit = Math.min(longestPage, asked === 0 ? 20 : asked);
    const found = await deps.registry.webhooks.deliveries(project, path.webhook_name, {
      limit: limit + 1,
      ...(before === undefined || before === '' ? {} : { before }),
    });
    const page = found.slice(0, limit);
    return {
      deliveries: page.map(toWireDelivery),
      pagination: {
        next_page_token: found.length > limit ? (page.at(-1)?.id ?? '') : '',
        previous_page_token: '',
      },
    };
  },
});

const derive = (keys: Keys) => (salt: Uint8Array) => keys.derive('webhook', salt);

const sealed = (keys: Keys, id: string, key: string | undefined): Buffer | null =>
  key === undefined ? null : seal(derive(keys), id, key);

const opened = (keys: Keys, id: string, key: Buffer | null): string | undefined =>
  key === null ? undefined : unseal(derive(keys), id, key);

/** An empty key is none: that is how Go's clients send it. */
const keyOf = (config: { readonly hmac_key: string | undefined } | undefined): string | undefined =>
  config?.hmac_key === '' ? undefined : config?.hmac_key;

function checkName(name: string | undefined): string {
  if (name !== undefined && /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return name;
  throw invalidFields([
    {
      field: 'name',
      description: 'is not 1 to 64 letters, digits, "-", "_" or ".", a letter or digit first',
    },
  ]);
}

function checkUrl(given: string | undefined): string {
  const field = 'config.url';
  const url = URL.canParse(given ?? '') ? new URL(given ?? '') : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidFields([{ field, description: 'is not an http or https address' }]);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidFields([
      { field, description: 'holds a user or password: sign the calls with hmac_key instead' },
    ]);
  }
  if (isRefusedAddress(url.hostname)) throw invalidFields([{ field, description: refusal(url.hostname) }]);
  return url.href;
}

const maskNames: Readonly<Record<string, readonly string[]>> = {
  description: ['description'],
  subscriptions: ['subscriptions'],
  enabled: ['enabled'],
  config: ['config.url', 'config.hmacKey'],
  'config.url': ['config.url'],
  'config.hmacKey': ['config.hmacKey'],
  'config.hmac_key': ['config.hmacKey'],
};

/** What is not in it stays: Go leaves `false` and empty texts out of a body. */
function maskOf(given: string | undefined): ReadonlySet<string> {
  const names = (given ?? '').split(',').map((name) => name.trim().replace(/^webhook\./, ''));
  const strange = names.filter((name) => !Object.hasOwn(maskNames, name));
  if (strange.length === 0) return new Set(names.flatMap((name) => maskNames[name] ?? []));
  throw new Failure(
    'invalid_input',
    'update_mask: names none or others than description, config, subscriptions, enabled',
    {
      details: { fieldViolations: [{ field: 'update_mask', description: 'names what can be changed' }] },
    },
  );
}
