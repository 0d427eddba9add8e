import type { HcpOperation } from './handler.ts';

/** All that is answered under HCP's prefixes; the rest of them is 501/12. */
export const hcpOperations: readonly HcpOperation[] = [];
