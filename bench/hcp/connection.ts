/** So many connections to one address, each with one call at a time. */
import { Agent, request } from 'node:http';
import { inLanes } from '../lanes.ts';
import { type Spread, spreadOf } from '../statistics.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Connections {
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  close(): void;
}

export function connect(url: string, token: string, count: number): Connections {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const call: Connections['call'] = (method, path, body) => {
    const answer = Promise.withResolvers<Answer>();
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(sent === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
    };
    const asked = request(`${url}${path}`, { method, agent, headers }, (reply) => {
      const parts: Buffer[] = [];
      reply.on('data', (part: Buffer) => parts.push(part));
      reply.on('end', () =>
        answer.resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(parts).toString() }),
      );
    });
    asked.on('error', answer.reject);
    asked.end(sent);
    return answer.promise;
  };
  return { call, close: () => agent.destroy() };
}

export interface Rate extends Spread {
  readonly perSecond: number;
}

/** Does `work` so many times, `width` at once. */
export async function rateOf(
  width: number,
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<Rate> {
  const took: number[] = [];
  const began = performance.now();
  const items = Array.from({ length: count }, (_, index) => index);
  await inLanes(width, items, async (index) => {
    const asked = performance.now();
    await work(index);
    took.push(performance.now() - asked);
  });
  return { ...spreadOf(took), perSecond: count / ((performance.now() - began) / 1_000) };
}
