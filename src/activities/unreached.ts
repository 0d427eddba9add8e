/** Places of images that others published may be ones of which this installation knows nothing. */
import { type Target, unknownAccount } from '../domain/target.ts';
import type { Providers } from '../providers/provider.ts';

/** Why nobody here can call the place of an image, and what to do; undefined for a place that is served, or that a provider will be asked for. */
export function whyUnreached(
  { provider, account, region }: Target,
  providers: Providers,
): string | undefined {
  if (!providers.all().some(({ code }) => code === provider)) {
    return `this installation has no provider ${provider}: connect it`;
  }
  if (account !== unknownAccount) return undefined;
  return `nobody said in which account of ${provider} it is: name one target of the line in ${region}, and publish a version after that`;
}
