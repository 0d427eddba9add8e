/** Where a server speaks TLS and whom to trust for it, as it says itself; remarks go to whoever asked. */
import type { CommandContext } from './context.ts';
import { isLoopback, isNamed, tlsUrl } from './tls-address.ts';

export interface Reach {
  /** https. */
  readonly address: string;
  /** Whether the machines of clients must be told of an authority. */
  readonly hasOwnAuthority: boolean;
  /** PEM. Undefined: there is none to tell, or it may not be believed. */
  readonly authority: string | undefined;
  readonly organizationId: string;
  readonly projectId: string;
}

/** Undefined where the server speaks no TLS. `given`: the authority that the caller brought. */
export async function reachOverTls(
  context: CommandContext,
  given: string | undefined,
): Promise<Reach | undefined> {
  const { url } = context.connection();
  const client = await context.client();
  const { tls, organization, project } = await client.getConnection({ project: context.project });
  const address = tlsUrl(url, tls);
  if (address === undefined) return undefined;
  const { hostname } = new URL(address);
  if (tls !== null && address !== url && !isNamed(hostname, tls.names)) {
    context.say(
      `the server's certificate is not for ${hostname}, but for ${tls.names.join(', ')}: set BAKEHOUSE_TLS_URL there to the address that clients call`,
    );
  }
  const hasOwnAuthority = given !== undefined || (tls !== null && tls.ca !== null);
  return {
    address,
    hasOwnAuthority,
    authority: hasOwnAuthority ? (given ?? trusted(context, url, tls?.ca ?? null)) : undefined,
    organizationId: organization.id,
    projectId: project.id,
  };
}

/** Who stands in between on plain http can answer with an authority of its own. */
function trusted(context: CommandContext, url: string, ca: string | null): string | undefined {
  if (ca !== null && (url.startsWith('https:') || isLoopback(new URL(url).hostname))) return ca;
  context.say(
    `the authority of the server's certificate is not taken over plain http: copy tls/ca.pem of its data folder, and name it with --ca-file`,
  );
  return undefined;
}
