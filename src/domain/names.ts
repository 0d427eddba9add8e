import { Failure } from './failure.ts';

/** What buckets, channels, projects and the like are called: HCP Packer's rule, and one letter or digit at least. */
const nameShape = /^(?=.*[A-Za-z0-9])[A-Za-z0-9._-]{3,36}$/;
const imageNameShape = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,78}[A-Za-z0-9])$/;

/** Longest name that every provider takes for an image (Azure's limit; AWS takes 128). */
export const longestImageName = 80;

/**
 * Checks the name of a thing by HCP Packer's rule for buckets: 3 to 36 characters, letters, digits, `-`, `_`, `.`.
 * Answers it. Throws `invalid_input`.
 */
export function checkName(kind: keyof typeof examples, value: string): string {
  if (nameShape.test(value)) return value;
  throw new Failure(
    'invalid_input',
    `"${shown(value)}" cannot be the name of ${articles[kind]} ${kind}: write 3 to 36 letters, digits, "-", "_" or ".", for example ${examples[kind]}`,
  );
}

const examples = {
  bucket: 'debian-base',
  channel: 'prod',
  project: 'platform',
  organization: 'acme',
  principal: 'ci-images',
} as const;
const articles = { bucket: 'a', channel: 'a', project: 'a', organization: 'an', principal: 'a' } as const;

/** The one channel that every bucket has from the start and that only completion moves. */
export const latestChannel = 'latest';

/**
 * An image's name: `<bucket>-<mark>`, where the mark (a ULID) makes it the only one of its kind. Always a safe one: it is a file name,
 * a tag value and a cloud's image name as it stands.
 */
export function imageName(bucket: string, mark: string): string {
  const tail = safe(mark).toLowerCase();
  if (tail === '') throw new Failure('invalid_input', 'An image name needs a mark of letters and digits.');
  // A dot pair could be read as a step up where names become paths.
  const head = safe(bucket.slice(0, longestImageName - tail.length - 1)).replaceAll(/\.{2,}/g, '.');
  return checkImageName(`${head === '' ? 'image' : head}-${tail}`);
}

/**
 * A name that is safe in every place: 3 to 80 letters, digits, `-`, `_`, `.`; begins and ends with a letter or digit; no `..`.
 * Answers it. Throws `invalid_input`.
 */
export function checkImageName(value: string): string {
  if (imageNameShape.test(value) && !value.includes('..')) return value;
  throw new Failure(
    'invalid_input',
    `"${shown(value)}" cannot be the name of an image: write 3 to ${longestImageName} letters, digits, "-", "_" or ".", with a letter or digit first and last and no ".."`,
  );
}

function safe(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '-').replaceAll(/^[._-]+|[._-]+$/g, '');
}

/** Enough of a bad name to find it, without its control characters. */
function shown(value: string): string {
  const printable = value.replaceAll(/[^\x20-\x7e]/g, '?');
  return printable.length > 60 ? `${printable.slice(0, 60)}…` : printable;
}
