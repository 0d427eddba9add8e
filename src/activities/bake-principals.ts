/** Principals made for one bake attempt each, in the ledger before they are made and revoked when it is over. */
import { ulid } from 'ulid';

import { system } from '../domain/actor.ts';
import { isFailure } from '../domain/failure.ts';
import type { NewSecret, ServicePrincipals } from '../registry/contract/principals.ts';

export interface PrincipalMaker {
  readonly principals: Pick<ServicePrincipals, 'create' | 'revoke'>;
  readonly newSecret: () => NewSecret & { readonly secret: string };
}

export interface PrincipalWanted {
  readonly attemptId: string;
  readonly project: string;
  readonly bucket: string;
  /** False: it reads its parents only. */
  readonly publishes: boolean;
  readonly parents: readonly string[];
}

const by = system('bake');
const markShape = /^principal ([^ ]+) ([^ ]+)$/;

/** By which any process ends it. */
export const isPrincipalMark = (mark: string): boolean => markShape.test(mark);

export async function makePrincipal(
  { principals, newSecret }: PrincipalMaker,
  { attemptId, project, bucket, publishes, parents }: PrincipalWanted,
  record: (mark: string) => Promise<void>,
): Promise<{ readonly clientId: string; readonly secret: string }> {
  const id = ulid();
  await record(`principal ${project} ${id}`);
  const { clientId, secret, digest } = newSecret();
  const readable = [...new Set(parents)].filter((parent) => parent !== bucket);
  await principals.create({
    id,
    project,
    // Not the attempt's: one whose steps come again has another one.
    name: `bake-${id}`,
    secret: { clientId, digest },
    attemptId,
    role: null,
    buckets: [
      ...(publishes ? [{ bucket, role: 'contributor' as const }] : []),
      ...readable.map((parent) => ({ bucket: parent, role: 'viewer' as const })),
    ],
    by,
  });
  return { clientId, secret };
}

/** One that was never made is ended. */
export async function endPrincipal({ principals }: PrincipalMaker, mark: string): Promise<void> {
  const [, project = '', principal = ''] = markShape.exec(mark) ?? [];
  try {
    await principals.revoke({ project, principal, reason: 'its bake attempt is over', by });
  } catch (error) {
    if (!isFailure(error) || error.code !== 'not_found') throw error;
  }
}
