/**
 * Ends credentials whose bake is over: its host is lost, or its workflow was closed from outside. The registry says which; every worker
 * looks, because the host that issued them may never come back.
 */
import type { Credentials } from '../activities/credentials.ts';
import { createOutageLines } from '../observe/outage-lines.ts';
import type { Logger } from '../observe/logger.ts';
import { type Looking, lookEvery } from './looking.ts';

export interface CredentialReaperDeps {
  readonly credentials: Pick<Credentials, 'revokeUnwanted'>;
  readonly log: Logger;
  readonly everyMs: number;
}

export function startCredentialReaper({ credentials, log, everyMs }: CredentialReaperDeps): Looking {
  const lines = createOutageLines(60_000);
  const warn = (error: unknown, attemptId?: string) => {
    const message = error instanceof Error ? error.message : String(error);
    const repeated = lines.admit(message);
    if (repeated !== undefined)
      log.warn({ attemptId, repeated }, `credentials are not ended yet: ${message}`);
  };
  const look = async () => {
    for (const { attemptId, error } of await credentials.revokeUnwanted()) warn(error, attemptId);
  };
  return lookEvery(everyMs, look, warn);
}
