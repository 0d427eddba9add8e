/** What Packer is given to publish what it makes to this installation's own server and to read its parents there, as the principal of its attempt. */
import { Failure } from '../domain/failure.ts';
import { hcpVariables } from '../domain/hcp-environment.ts';
import type { Registry } from '../registry/registry.ts';
import type { Credentials } from './credentials.ts';

/** The server, as the bake host reaches it. */
export interface OwnServer {
  /** Of its API and its token endpoint, `https://host:port`. */
  readonly url: string;
  /** Writes the certificates that Packer is to trust into the folder and answers the file; undefined: it trusts those of the system. */
  roots(folder: string): string | undefined;
}

export interface Publication {
  readonly attemptId: string;
  readonly project: string;
  readonly bucket: string;
  readonly fingerprint: string;
  /** False: it reads its parents only. */
  readonly publishes: boolean;
  /** Buckets of the parents that were pinned. */
  readonly parents: readonly string[];
  /** Of the attempt, for the certificates. */
  readonly folder: string;
}

const secretName = 'HCP_CLIENT_SECRET';

/** Names among these whose values are no secrets. */
export const openNames = (environment: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(environment).filter((name) => name !== secretName);

export function serverFor(server: OwnServer | undefined, bucket: string): OwnServer {
  if (server !== undefined) return server;
  throw new Failure(
    'invalid_input',
    `the template of ${bucket} uses the registry, by \`hcp_packer_registry\` or by \`hcp-packer-…\`, and this bake host was not told where its server is: set BAKEHOUSE_REGISTRY_URL for it, or take the block out of the template (Bakehouse records the bake all the same) and pass parents in a \`variable\``,
  );
}

export async function publishingEnvironment(
  registry: Pick<Registry, 'tenancy'>,
  credentials: Pick<Credentials, 'issuePrincipal'>,
  server: OwnServer,
  publication: Publication,
): Promise<Readonly<Record<string, string>>> {
  const { project, bucket, fingerprint, publishes, folder } = publication;
  const { id: projectId, organization } = await registry.tenancy.project(project);
  const roots = server.roots(folder);
  // Last: it has to be ended.
  const { clientId, secret } = await credentials.issuePrincipal(publication);
  return {
    ...hcpVariables({ api: server.url, auth: server.url, organizationId: organization.id, projectId }),
    HCP_CLIENT_ID: clientId,
    [secretName]: secret,
    // With the name of a bucket Packer would publish by itself.
    ...(publishes ? { HCP_PACKER_BUCKET_NAME: bucket, HCP_PACKER_BUILD_FINGERPRINT: fingerprint } : {}),
    ...(roots === undefined ? {} : { SSL_CERT_FILE: roots }),
  };
}
