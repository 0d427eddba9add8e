/** Every operation of our own API, by name. */
import { auditRoutes } from './routes/audit.ts';
import { channelRoutes } from './routes/channels.ts';
import { lineRoutes } from './routes/lines.ts';
import { principalRoutes } from './routes/principals.ts';
import { promotionRoutes } from './routes/promotions.ts';
import { requestRoutes } from './routes/requests.ts';
import { revocationRoutes } from './routes/revocations.ts';
import { tenancyRoutes } from './routes/tenancy.ts';
import { versionRoutes } from './routes/versions.ts';
import { vulnerabilityRoutes } from './routes/vulnerabilities.ts';
import type { CallInput, HandlerInput, Reply, Route } from './route.ts';

export const routes = {
  ...lineRoutes,
  ...requestRoutes,
  ...versionRoutes,
  ...channelRoutes,
  ...promotionRoutes,
  ...revocationRoutes,
  ...auditRoutes,
  ...tenancyRoutes,
  ...principalRoutes,
  ...vulnerabilityRoutes,
} satisfies Readonly<Record<string, Route>>;

type Routes = typeof routes;
export type Operation = keyof Routes;
export type InputOf<Name extends Operation> = CallInput<Routes[Name]>;
export type ParsedOf<Name extends Operation> = HandlerInput<Routes[Name]>;
export type ReplyOf<Name extends Operation> = Reply<Routes[Name]>;
