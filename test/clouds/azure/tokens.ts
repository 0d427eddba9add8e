/**
 * The token endpoint of Entra ID for client credentials, and the check of what it gave.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { ArmError } from './wire.ts';
import type { Reply } from './wire.ts';

export interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Subscriptions where it has a role. Absent: all. */
  readonly subscriptions?: readonly string[];
}

interface Claims {
  readonly tid: string;
  readonly appid: string;
  readonly exp: number;
}

export class Tokens {
  readonly tenantId: string;
  readonly clients: readonly Client[];
  /** Seconds. */
  lifetime = 3_599;
  readonly #key = randomBytes(32);

  constructor(tenantId: string, clients: readonly Client[]) {
    this.tenantId = tenantId;
    this.clients = clients;
  }

  grant(tenant: string, form: URLSearchParams): Reply {
    if (tenant !== this.tenantId)
      return refused(
        400,
        'invalid_request',
        90_002,
        `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`,
      );
    const client = this.clients.find((one) => one.clientId === form.get('client_id'));
    if (client === undefined)
      return refused(
        400,
        'unauthorized_client',
        700_016,
        `Application with identifier '${form.get('client_id')}' was not found in the directory '${tenant}'.`,
      );
    if (form.get('client_secret') !== client.clientSecret)
      return refused(
        401,
        'invalid_client',
        7_000_215,
        `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client.clientId}'.`,
      );
    if (form.get('grant_type') !== 'client_credentials')
      return refused(
        400,
        'unsupported_grant_type',
        70_003,
        `The app requested an unsupported grant type '${form.get('grant_type')}'.`,
      );
    return {
      status: 200,
      body: {
        token_type: 'Bearer',
        expires_in: this.lifetime,
        ext_expires_in: this.lifetime,
        access_token: this.#sign(client.clientId),
      },
    };
  }

  /** https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#fetch-the-openid-configuration-document */
  configuration(tenant: string, endpoint: string): Reply {
    const base = `${endpoint}/${tenant}`;
    return {
      status: 200,
      body: {
        token_endpoint: `${base}/oauth2/v2.0/token`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        issuer: `${base}/v2.0`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_types_supported: ['code', 'token'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
    };
  }

  /** Who calls. */
  check(authorization: string | undefined): Client {
    const [scheme, token] = (authorization ?? '').split(' ');
    if (scheme !== 'Bearer' || token === undefined)
      throw unauthenticated(
        'AuthenticationFailed',
        "Authentication failed. The 'Authorization' header is missing.",
      );
    const [head = '', body = '', signature = ''] = token.split('.');
    if (signature !== this.#signature(`${head}.${body}`))
      throw unauthenticated('InvalidAuthenticationToken', 'The access token is invalid.');
    const claims: Claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    if (claims.exp * 1_000 <= Date.now())
      throw unauthenticated(
        'ExpiredAuthenticationToken',
        `The access token expiry UTC time '${new Date(claims.exp * 1_000).toISOString()}' is earlier than current UTC time '${new Date().toISOString()}'.`,
      );
    const client = this.clients.find((one) => one.clientId === claims.appid);
    if (client === undefined || claims.tid !== this.tenantId)
      throw unauthenticated(
        'InvalidAuthenticationTokenTenant',
        `The access token is from the wrong issuer 'https://sts.windows.net/${claims.tid}/'. It must match the tenant 'https://sts.windows.net/${this.tenantId}/' associated with this subscription.`,
      );
    return client;
  }

  #sign(clientId: string): string {
    const now = Math.floor(Date.now() / 1_000);
    const unsigned = `${part({ typ: 'JWT', alg: 'HS256' })}.${part({
      aud: 'https://management.azure.com',
      iss: `https://sts.windows.net/${this.tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + this.lifetime,
      appid: clientId,
      oid: clientId,
      tid: this.tenantId,
      uti: randomUUID(),
    })}`;
    return `${unsigned}.${this.#signature(unsigned)}`;
  }

  #signature(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

const part = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');

function refused(status: number, error: string, code: number, description: string): Reply {
  return {
    status,
    body: {
      error,
      error_description: `AADSTS${code}: ${description}`,
      error_codes: [code],
      timestamp: new Date().toISOString(),
      trace_id: randomUUID(),
      correlation_id: randomUUID(),
    },
  };
}

function unauthenticated(code: string, message: string): ArmError {
  return new ArmError(401, code, message, { headers: { 'www-authenticate': 'Bearer' } });
}
