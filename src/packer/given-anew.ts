/**
 * What is secret may have been issued anew between the check of a template and Packer's start: the later values count. They go where the
 * earlier ones are, into files of mode 0600, and into what is kept out of logs and images.
 */
import { readFile } from 'node:fs/promises';

import type { AttemptInput, VariableValue } from './attempt.ts';
import { type AttemptPlaces, readSecrets, writePrivate } from './attempt-folder.ts';
import { type NamedSecret, secretEnvironment, textsOf } from './secrets.ts';

export async function giveAnew(input: AttemptInput, places: AttemptPlaces): Promise<void> {
  const secret = new Set(input.secret);
  const offered: Readonly<Record<string, VariableValue>> = { ...input.offered, ...input.variables };
  const before: Readonly<Record<string, VariableValue>> = JSON.parse(
    await readFile(places.variables, 'utf8'),
  );
  const variables = Object.entries(offered).filter(
    ([name]) => secret.has(name) && Object.hasOwn(before, name),
  );
  const given: readonly NamedSecret[] = [
    ...variables.flatMap(([name, value]) => textsOf(value).map((text) => ({ name, value: text }))),
    ...secretEnvironment(input),
  ];
  if (given.length === 0) return;
  const known = (await readSecrets(places)) ?? [];
  const fresh = given.filter(
    (one) => !known.some(({ name, value }) => name === one.name && value === one.value),
  );
  // First what is to be kept out of logs: killed in between, nothing is used that nobody hides.
  await writePrivate(places.secrets, [...known, ...fresh]);
  await writePrivate(places.variables, { ...before, ...Object.fromEntries(variables) });
}
