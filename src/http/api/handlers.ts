import type { Operation } from '../descriptors/routes.ts';
import { auditHandlers } from './audit.ts';
import { channelHandlers } from './channels.ts';
import { lineHandlers } from './lines.ts';
import { principalHandlers } from './principals.ts';
import { promotionHandlers } from './promotions.ts';
import { requestHandlers } from './requests.ts';
import { revocationHandlers } from './revocations.ts';
import type { HandlersOf } from './router.ts';
import { tenancyHandlers } from './tenancy.ts';
import { versionHandlers } from './versions.ts';
import { vulnerabilityHandlers } from './vulnerabilities.ts';

/** One handler for each operation: parse is done before, shape is the descriptor's; in between one function of the registry. */
export const handlers: HandlersOf<Operation> = {
  ...lineHandlers,
  ...requestHandlers,
  ...versionHandlers,
  ...channelHandlers,
  ...promotionHandlers,
  ...revocationHandlers,
  ...auditHandlers,
  ...tenancyHandlers,
  ...principalHandlers,
  ...vulnerabilityHandlers,
};
