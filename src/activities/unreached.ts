/** Images that others published may lie where this installation has no say. */
import { isFailure } from '../domain/failure.ts';
import { type Target, unknownAccount, type WhyUnreached } from '../domain/target.ts';
import type { Providers } from '../providers/provider.ts';

/** A place of a known account is asked, for as long as it needs; nobody can ever be asked for another one. */
export function unreachedBy(providers: Pick<Providers, 'get'>): WhyUnreached {
  return ({ provider, account, region }: Target) => {
    if (!isConfigured(provider, providers)) {
      return `this installation has no provider ${provider}: connect it`;
    }
    if (account !== unknownAccount) return undefined;
    return `nobody said in which account of ${provider} it is, or another bucket has it: name one target of the line in ${region}, and publish a version after that`;
  };
}

function isConfigured(provider: string, providers: Pick<Providers, 'get'>): boolean {
  try {
    return providers.get(provider).code !== '';
  } catch (error) {
    if (isFailure(error) && error.code === 'unsupported') return false;
    throw error;
  }
}
