import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRunTaskActivities } from '../../../src/activities/run-tasks.ts';
import type { Version } from '../../../src/domain/version.ts';
import { keysFrom } from '../../../src/http/keys.ts';
import { fetchPlan, tellVerdict } from '../../../src/webhooks/run-tasks.ts';
import { unseal } from '../../../src/webhooks/seal.ts';
import { useDatabase } from '../../support/database.ts';
import { quiet } from '../../support/bake/world.ts';
import type { Api } from '../support/api.ts';
import { startApi } from '../support/api.ts';
import type { Hcp } from './support/hcp.ts';
import { hcpOf } from './support/hcp.ts';

const database = useDatabase();
let api: Api;
let hcp: Hcp;
let version: Version;
let path: string;
let key: string;
let terraform: Terraform;

/** HCP Terraform, with one plan, which is stored elsewhere. */
interface Terraform {
  readonly url: string;
  plan: unknown;
  readonly asked: { readonly url: string; readonly authorization: string | undefined }[];
  readonly results: unknown[];
  close(): Promise<void>;
}

async function startTerraform(): Promise<Terraform> {
  const store = createServer((request, response) => {
    terraform.asked.push({ url: 'store', authorization: request.headers.authorization });
    response.end(JSON.stringify(terraform.plan));
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      terraform.asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
      if (request.method === 'PATCH') terraform.results.push(JSON.parse(Buffer.concat(chunks).toString()));
      if (request.method === 'PATCH') response.end('{}');
      else response.writeHead(307, { location: portOf(store) }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: portOf(server),
    plan: {},
    asked: [],
    results: [],
    async close() {
      for (const one of [server, store]) {
        one.closeAllConnections();
        one.close();
        await once(one, 'close');
      }
    },
  };
}

function portOf(server: ReturnType<typeof createServer>): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeAll(async () => {
  api = startApi(database());
  ({ version } = await api.world.lineWithVersion());
  hcp = await hcpOf(api);
  const { api_url, hmac_key } = z
    .object({ api_url: z.string(), hmac_key: z.string() })
    .parse((await hcp.get('~/runtasks/validation')).body);
  path = new URL(api_url).pathname;
  key = hmac_key;
  terraform = await startTerraform();
});
afterAll(async () => {
  await api.app.close();
  await terraform.close();
});

const signatureOf = (text: string, by = key): string => createHmac('sha512', by).update(text).digest('hex');

async function send(body: unknown, signature?: string, to = path) {
  const text = JSON.stringify(body);
  const answer = await api.app.inject({
    method: 'POST',
    url: to,
    headers: {
      'content-type': 'application/json',
      'x-tfc-task-signature': signature ?? signatureOf(text),
    },
    payload: text,
  });
  return { http: answer.statusCode, code: answer.json<{ code?: number }>().code };
}

const question = (result: string) => ({
  payload_version: 1,
  stage: 'post_plan',
  access_token: 'secret-of-terraform',
  task_result_id: result,
  task_result_callback_url: `${terraform.url}callback`,
  plan_json_api_url: `${terraform.url}plan`,
});
const rows = () => database().store.db.selectFrom('run_task').selectAll().orderBy('id').execute();

/** As the worker answers it. */
async function answerAsWorker(result: string): Promise<unknown> {
  const id = (await rows()).find((row) => row.result_id === result)?.id ?? '';
  const keys = keysFrom('token of the tests');
  const activities = createRunTaskActivities({
    registry: api.world.registry,
    fetchPlan,
    tell: tellVerdict,
    unseal: (of, sealed) => unseal((salt) => keys.derive('run-task-token', salt), of, sealed),
  });
  return new MockActivityEnvironment({}, { logger: quiet }).run(
    (of: string) => activities.answerRunTask(of),
    id,
  );
}

describe('a run task', () => {
  it('is taken when it is signed with the key of its project, once, and a workflow is to answer it', async () => {
    expect(await send(question('task-1'))).toEqual({ http: 200, code: undefined });
    expect(await send(question('task-1'))).toEqual({ http: 200, code: undefined });

    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({ result_id: 'task-1', state: 'pending' });
    expect(row?.sealed_token?.includes('secret-of-terraform')).toBe(false);
    const deliveries = await database()
      .store.db.selectFrom('delivery')
      .select(['workflow', 'input'])
      .where('workflow', '=', 'checkRun')
      .execute();
    expect(deliveries).toEqual([{ workflow: 'checkRun', input: { runTaskId: row?.id } }]);
  });

  it('is refused by its signature, whoever it says to be for', async () => {
    const body = question('task-2');
    for (const signature of ['', 'zz', signatureOf('other'), signatureOf(JSON.stringify(body), 'other')]) {
      expect(await send(body, signature)).toEqual({ http: 401, code: 16 });
    }
    expect(await send(body, undefined, `${path}0`)).toEqual({ http: 401, code: 16 });
    expect(await send({ ...body, task_result_id: 'a\0b' })).toEqual({ http: 400, code: 3 });
    expect(await send({ ...body, plan_json_api_url: 'file:///etc/passwd' })).toEqual({ http: 400, code: 3 });
    expect(await send([])).toEqual({ http: 400, code: 3 });
    expect((await rows()).map(({ result_id }) => result_id)).toEqual(['task-1']);
  });

  it('is tried when it is set up, and nothing is kept of that', async () => {
    expect(await send({ access_token: 'test-token', stage: 'test' })).toEqual({ http: 200, code: undefined });
    expect(await rows()).toHaveLength(1);
  });

  it('passes a plan of images in force, and does not tell the token where plans are stored', async () => {
    const { imageId } = version.builds[0]?.artifacts[0]?.image ?? { imageId: '' };
    terraform.plan = {
      resource_changes: [
        {
          address: 'aws_instance.web',
          mode: 'managed',
          type: 'aws_instance',
          change: { actions: ['create'], after: { ami: imageId } },
        },
      ],
    };

    expect(await answerAsWorker('task-1')).toBe('passed');
    expect(terraform.asked).toEqual([
      { url: '/plan', authorization: 'Bearer secret-of-terraform' },
      { url: 'store', authorization: undefined },
      { url: '/callback', authorization: 'Bearer secret-of-terraform' },
    ]);
    expect(terraform.results).toMatchObject([
      {
        data: {
          type: 'task-results',
          attributes: { status: 'passed', message: expect.stringContaining('1 images scanned: 0 revoked') },
        },
      },
    ]);
    expect(await rows()).toMatchObject([{ state: 'passed', sealed_token: null }]);
    expect(await answerAsWorker('task-1')).toBe('passed');
    expect(terraform.results).toHaveLength(1);
  });

  it('fails a plan with a revoked image, and names the resource', async () => {
    await api.world.revoke(version);
    await send(question('task-3'));

    expect(await answerAsWorker('task-3')).toBe('failed');
    expect(terraform.results.at(-1)).toMatchObject({
      data: {
        attributes: { status: 'failed' },
        relationships: {
          outcomes: {
            data: [{ attributes: { description: expect.stringMatching(/^aws_instance\.web: .*a hole/) } }],
          },
        },
      },
    });
  });

  it('is refused while the registry is deactivated', async () => {
    await hcp.call('DELETE', '~/registry');
    expect(await send(question('task-4'))).toEqual({ http: 400, code: 9 });
    await hcp.call('PUT', '~/registry', {});
  });
});
