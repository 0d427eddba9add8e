/** Where HCP Terraform sends its run tasks. It has no token of ours: it signs what it sends with the key that its settings were given. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ulid } from 'ulid';
import { z } from 'zod';
import { system } from '../../domain/actor.ts';
import { Failure } from '../../domain/failure.ts';
import { seal } from '../../webhooks/seal.ts';
import type { AppDeps } from '../app.ts';

const address = z.url({ protocol: /^https?$/ }).max(4000);

/** Of what is sent; all else is let pass. */
const question = z.object({
  access_token: z.string().min(1).max(4000),
  task_result_id: z.string().min(1).max(255),
  task_result_callback_url: address,
  plan_json_api_url: address.nullish(),
});

/** What is sent when the task is set up, to see that somebody answers. */
const trial = z.object({ access_token: z.literal('test-token') });

export function registerRunTasks(app: FastifyInstance, deps: AppDeps): void {
  app.register(async (scope) => {
    // The signature is over the bytes.
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) =>
      done(null, body),
    );
    scope.post<{ Params: { apiId: string }; Body: unknown }>(
      '/packer/2023-01-01/terraform-cloud/validation/:apiId',
      { bodyLimit: 256 * 1024 },
      async ({ params, headers, body }, reply) => {
        const raw = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        const project = await signedFor(deps, params.apiId, headers['x-tfc-task-signature'], raw);
        await deps.registry.config.requireActivated(project);
        await accept(deps, project, parseJson(raw));
        return reply.code(200).send({});
      },
    );
    return Promise.resolve();
  });
}

/** An address that is none and a signature that is wrong are the same to who sends them. */
async function signedFor(
  { registry, keys }: AppDeps,
  apiId: string,
  given: string | readonly string[] | undefined,
  body: Buffer,
): Promise<string> {
  const known =
    apiId.length <= 200 && !apiId.includes('\0') ? await registry.runTasks.address(apiId) : undefined;
  const key = keys
    .derive(`run-task/${known?.projectId ?? ''}`, known?.salt ?? Buffer.alloc(32))
    .toString('hex');
  const right = createHmac('sha512', key).update(body).digest();
  const told = Buffer.from(String(given ?? ''), 'hex');
  const isRight = told.length === right.length && timingSafeEqual(told, right);
  if (known !== undefined && isRight) return known.project;
  throw new Failure(
    'unauthenticated',
    'the signature is not that of this run task: copy address and HMAC key from GetRegistryTFCRunTaskAPI again',
  );
}

function parseJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    throw new Failure('invalid_input', 'the body is not JSON');
  }
}

async function accept({ registry, keys }: AppDeps, project: string, body: unknown): Promise<void> {
  if (trial.safeParse(body).success) return;
  const asked = question.safeParse(body);
  if (!asked.success) throw new Failure('invalid_input', z.prettifyError(asked.error).slice(0, 1000));
  const { access_token, task_result_id, task_result_callback_url, plan_json_api_url } = asked.data;
  const texts = [task_result_id, task_result_callback_url, plan_json_api_url ?? ''];
  if (texts.some((text) => text.includes('\0') || !text.isWellFormed())) {
    throw new Failure('invalid_input', 'a text of the body cannot be kept');
  }
  const id = ulid();
  await registry.runTasks.accept({
    id,
    project,
    resultId: task_result_id,
    planUrl: plan_json_api_url ?? null,
    callbackUrl: task_result_callback_url,
    sealedToken: seal((salt) => keys.derive('run-task-token', salt), id, access_token),
    by: system('run tasks'),
  });
}
