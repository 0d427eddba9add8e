/** SBOMs by an address that is given out for some minutes, needs no token and tells nothing: it is signed, and says when it ends. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { Failure } from '../../../domain/failure.ts';
import { epochMs } from '../../../domain/instant.ts';
import type { AppDeps } from '../../app.ts';
import type { Keys } from '../../keys.ts';

const path = '/downloads/sboms';
const lifeMs = 5 * 60_000;

/** `origin`: where the caller reaches this server. `now`: the registry's. Good for five minutes, on every server of the installation. */
export function downloadUrl(keys: Keys, origin: string, sbomId: string, now: string): string {
  const claim = `${sbomId}.${epochMs(now) + lifeMs}`;
  return `${origin}${path}/${claim}.${signature(keys, claim)}`;
}

export function registerSbomDownloads(app: FastifyInstance, { keys, registry }: AppDeps): void {
  app.get<{ Params: { ticket: string } }>(`${path}/:ticket`, async ({ params }, reply) => {
    const sbomId = opened(keys, params.ticket, epochMs(await registry.now()));
    const content = await registry.sboms.content(sbomId);
    reply
      .type('application/json; charset=utf-8')
      .header('content-disposition', `attachment; filename="${sbomId}.json"`);
    return Readable.from([content]).pipe(createZstdDecompress());
  });
}

function opened(keys: Keys, ticket: string, now: number): string {
  const [sbomId = '', until = '', given = '', ...more] = ticket.split('.');
  const expected = Buffer.from(signature(keys, `${sbomId}.${until}`));
  const actual = Buffer.from(given);
  const ours = more.length === 0 && actual.length === expected.length && timingSafeEqual(actual, expected);
  if (ours && Number(until) > now) return sbomId;
  throw new Failure(
    'permission_denied',
    ours
      ? 'this download has ended: ask GetSbom for another address'
      : 'this is no address that GetSbom gave',
  );
}

const signature = (keys: Keys, claim: string): string =>
  createHmac('sha256', keys.derive('sbom downloads', new Uint8Array())).update(claim).digest('base64url');
