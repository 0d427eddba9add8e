/** The secrets of an attempt: which there are, and whether one of them stayed on a disk. Values go nowhere but to the search. */
import type { SecretScan } from '../domain/version.ts';
import type { AttemptInput, VariableValue } from './attempt.ts';
import { formsOf } from './secret-forms.ts';
import type { TemplateFacts } from './template-facts.ts';

export interface NamedSecret {
  /** Of the variable; the same name comes several times where it holds several texts. */
  readonly name: string;
  readonly value: string;
}

/** A shorter text is on every disk by chance. */
const shortestNeedle = 8;

/** Values of variables that the template or the caller calls sensitive, and of the environment given to this attempt, unless it is open. */
export function secretsOf(
  input: Pick<AttemptInput, 'secret' | 'environment' | 'openEnvironment'>,
  facts: Pick<TemplateFacts, 'variables'>,
  variables: Readonly<Record<string, VariableValue>>,
): readonly NamedSecret[] {
  const secret = new Set(input.secret);
  const fromVariables = facts.variables
    .filter((one) => one.sensitive || secret.has(one.name))
    .flatMap(({ name, default: otherwise }) =>
      [variables[name], otherwise].flatMap((given) => textsOf(given).map((value) => ({ name, value }))),
    );
  return [...fromVariables, ...secretEnvironment(input)];
}

/** A region or an account's number is on every disk there, and in every line of a log. */
export function secretEnvironment({
  environment = {},
  openEnvironment = [],
}: Pick<AttemptInput, 'environment' | 'openEnvironment'>): readonly NamedSecret[] {
  return Object.entries(environment)
    .filter(([name]) => !openEnvironment.includes(name))
    .map(([name, value]) => ({ name, value }));
}

export const textsOf = (value: VariableValue | undefined): readonly string[] => [...texts(value)];

function* texts(value: VariableValue | undefined): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'number') yield String(value);
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* texts(inner);
  }
}

/** `search` answers those of the texts that it finds. Each secret is looked for as it is and as JSON, URLs and base64 carry it. */
export async function scanFor(
  secrets: readonly NamedSecret[],
  search: (needles: readonly string[]) => Promise<readonly string[]>,
): Promise<SecretScan> {
  const owners = new Map<string, Set<string>>();
  for (const { name, value } of secrets) {
    for (const needle of formsOf(value)) {
      // The frame of a key in PEM is on disks that hold no such key.
      if (needle.length < shortestNeedle || needle.startsWith('-----')) continue;
      owners.set(needle, (owners.get(needle) ?? new Set()).add(name));
    }
  }
  const lookedFor = namesIn(owners.values());
  const found = owners.size === 0 ? [] : await search([...owners.keys()]);
  return {
    lookedFor,
    found: namesIn(found.map((needle) => owners.get(needle) ?? [])),
    tooShort: namesIn([secrets.map(({ name }) => name)]).filter((name) => !lookedFor.includes(name)),
  };
}

const namesIn = (groups: Iterable<Iterable<string>>): readonly string[] =>
  [...new Set([...groups].flatMap((group) => [...group]))].toSorted();
