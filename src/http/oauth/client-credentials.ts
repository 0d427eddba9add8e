/** Which client asks for a token, by RFC 6749 §2.3.1: in the Basic header or in the form. */

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

interface Fields {
  readonly client_id?: string | undefined;
  readonly client_secret?: string | undefined;
}

/** Undefined: none came, or the header cannot be read. A header counts before the form; the Go client sends one and then the other. */
export function clientCredentials(
  header: string | undefined,
  { client_id: id, client_secret: secret }: Fields,
): ClientCredentials | undefined {
  if (header === undefined) return id === undefined || secret === undefined ? undefined : { id, secret };
  const encoded = /^basic +([\w+/=-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const [user = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':');
  const [name, password] = [decoded(user), decoded(rest.join(':'))];
  return name === undefined || password === undefined ? undefined : { id: name, secret: password };
}

/** Both halves are encoded as in a form before they are put together. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
