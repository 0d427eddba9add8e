/** What a handler of an HCP operation is given and answers. */
import type { z } from 'zod';
import type { Actor } from '../../domain/actor.ts';
import type { Sight } from '../../registry/contract/channels.ts';
import type { Sights } from '../../registry/contract/views.ts';
import type { AppDeps } from '../app.ts';
import type { Principal } from '../principals.ts';
import type { HcpRoute } from './descriptors/route.ts';

/** Names in braces, without those of the location, which every handler is given resolved. */
type PathNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Exclude<Name, `location.${string}`> | PathNames<Rest>
  : never;

/** The project of the path. */
export interface HcpLocation {
  readonly organizationId: string;
  readonly projectId: string;
  /** Its name, which the registry knows it by. */
  readonly project: string;
}

export interface HcpCall<R extends HcpRoute> extends HcpLocation {
  readonly path: { readonly [Name in PathNames<R['path']>]: string };
  readonly query: z.output<R['query']>;
  readonly body: z.output<R['body']>;
  readonly principal: Principal;
  readonly actor: Actor;
  /** Whether the caller sees the restricted channels of the path's bucket, or of the project where it has none. */
  readonly sight: Sight;
  /** Where the caller reaches this server, `https://host:port`: for addresses in answers. */
  readonly origin: string;
  /** What he sees of each bucket: what is shown of one may rest on channels of its parents' buckets. */
  readonly sights: Sights;
  /** Aborted once the caller has hung up: nobody reads what is answered. */
  readonly gone: AbortSignal;
  readonly deps: AppDeps;
}

export type HcpHandler<R extends HcpRoute> = (call: HcpCall<R>) => Promise<z.input<R['reply']>>;

/** An operation with what answers it; its types are tied to one another here, and forgotten. */
export interface HcpOperation {
  readonly route: HcpRoute;
  readonly handle: HcpHandler<HcpRoute>;
}

/** Ties handlers to their descriptors by name: `implement(bucketRoutes, { GetBucket: … })`. */
export function implement<const Routes extends Readonly<Record<string, HcpRoute>>>(
  routes: Routes,
  handlers: { readonly [Name in keyof Routes]: HcpHandler<Routes[Name]> },
): readonly HcpOperation[] {
  return Object.keys(routes).flatMap((name) => {
    const route = routes[name];
    const handle = handlers[name];
    return route === undefined || handle === undefined ? [] : [{ route, handle }];
  });
}
