/**
 * Whether a git URL carries a credential, which would be kept and shown wherever the URL is. `git@host:path` and `ssh://git@host/path`
 * name a user only. Pure.
 */
export function holdsCredential(repository: string): boolean {
  const found = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)@/i.exec(repository);
  const [, scheme = '', user = ''] = found ?? [];
  return user.includes(':') || (user !== '' && /^(https?|ftps?)$/i.test(scheme));
}

/** Without the URL: it is what must not be shown. */
export const credentialRemedy =
  'the URL of its git repository holds a user or password, which everybody who reads the line would see. Leave it out, and give it to git on the server and the bake hosts (a credential helper or an SSH key)';
