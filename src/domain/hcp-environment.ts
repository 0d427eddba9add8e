/** What stock Packer and stock Terraform read to find Bakehouse in the place of HCP Packer. Never an empty value: they refuse one, and do not take it for unset. */

interface Hcp {
  /** With `http:` the API is plain; the token endpoint never is. */
  readonly api: string;
  readonly auth: string;
  readonly organizationId: string;
  readonly projectId: string;
}

export function hcpVariables({ api, auth, organizationId, projectId }: Hcp): Record<string, string> {
  const { protocol } = new URL(api);
  return {
    HCP_API_ADDRESS: hostAndPort(api),
    ...(protocol === 'http:' ? { HCP_API_TLS: 'disabled' } : {}),
    HCP_AUTH_URL: new URL(auth).origin,
    HCP_ORGANIZATION_ID: organizationId,
    HCP_PROJECT_ID: projectId,
    // Neither Packer's question for its newest version nor the provider's for HCP's health is one for us.
    CHECKPOINT_DISABLE: '1',
    HCP_SKIP_STATUS_CHECK: 'true',
  };
}

/** What counts before the variables above where somebody has set it. */
export const overruling = (variables: Readonly<Record<string, string>>): readonly string[] =>
  ['HCP_API_HOST', 'HCP_API_TLS'].filter((name) => variables[name] === undefined);

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
