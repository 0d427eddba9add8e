/** A place where images live: a provider, an account in it and a region. `qemu` has account `local` and one region. */
export interface Target {
  readonly provider: string;
  readonly account: string;
  readonly region: string;
}

/** An image in a place. `imageId` is the provider's own name for it (an AMI id, a store name). */
export interface ImageRef {
  readonly target: Target;
  readonly imageId: string;
}

/** `provider/account/region`: a stable key for maps, locks and tables. */
export function targetKey(target: Target): string {
  return `${target.provider}/${target.account}/${target.region}`;
}

/** The account of an image that others published, where no target of the line says whose it is. */
export const unknownAccount = 'unknown';

/** Why this installation can never call a place, and what to do; undefined for one that it calls. */
export type WhyUnreached = (target: Target) => string | undefined;
