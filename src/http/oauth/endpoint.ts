/** The token endpoint: OAuth 2.0, so neither its body nor its refusals are those of the other routes. */
import { z } from 'zod';

/** Not given: absent or empty, as the Go client sends it. */
const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .optional()
    .transform((given) => (given === '' ? undefined : given));

/** Refusals by what went wrong. RFC 6749 §5.2; it has no word for a limit or for a store that is away. */
export const tokenErrors = {
  invalid_request: 400,
  unsupported_grant_type: 400,
  invalid_client: 401,
  slow_down: 429,
  temporarily_unavailable: 503,
} as const satisfies Readonly<Record<string, number>>;

const errorWords = z.enum([
  'invalid_request',
  'unsupported_grant_type',
  'invalid_client',
  'slow_down',
  'temporarily_unavailable',
] satisfies (keyof typeof tokenErrors)[]);

export const tokenEndpoint = {
  method: 'POST',
  path: '/oauth2/token',
  summary:
    'A token for a client id and its secret. They come in the Basic header, each percent-encoded first, or in the form: the Go client tries one and then the other. The same fields are taken as JSON too.',
  contentType: 'application/x-www-form-urlencoded',
  form: z.object({
    grant_type: z.literal('client_credentials'),
    client_id: text(200),
    client_secret: text(1000),
    /** Always the same constant; there is no other audience here. */
    audience: text(1000),
  }),
  response: z.strictObject({
    access_token: z.string().regex(/^[\x21-\x7e]+$/),
    token_type: z.literal('Bearer'),
    expires_in: z.int32().min(60).meta({ description: 'seconds; clients ask again 15 s before the end' }),
  }),
  refusal: z.strictObject({ error: errorWords, error_description: z.string() }),
  /** Unknown ids and wrong secrets are answered alike. */
  challenge: 'Basic realm="bakehouse"',
  bodyLimit: 16 * 1024,
} as const;
