/** Packages that a CycloneDX or SPDX document names. */
import { Failure } from '../../../domain/failure.ts';
import type { NamedPackage, SbomFormat } from '../../../registry/contract/sboms.ts';

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const mappings = (value: unknown): readonly Mapping[] =>
  Array.isArray(value) ? value.filter(isMapping) : [];

/** A system has some thousands. */
const most = 100_000;

/** Objects and lists: each takes some 50 bytes of memory for 3 of the document. */
const mostValues = 1_000_000;

/** Distinct. Throws `invalid_input` where the document is of another format, names none, or holds more than is taken. */
export function packagesOf(json: Buffer, format: SbomFormat): readonly NamedPackage[] {
  const document = parse(json);
  const distinct = new Map<string, NamedPackage>();
  for (const one of format === 'CYCLONEDX' ? ofCycloneDx(document) : ofSpdx(document)) {
    if (!storable(one)) continue;
    distinct.set(JSON.stringify([one.name, one.version, one.purl]), one);
    if (distinct.size > most) throw refused(`the SBOM names more than ${most} packages`);
  }
  if (distinct.size === 0) throw refused('the SBOM names no packages');
  return [...distinct.values()];
}

function parse(json: Buffer): Mapping {
  let values = 0;
  for (const byte of json) if (byte === 0x7b || byte === 0x5b) values += 1;
  if (values > mostValues) throw refused(`the SBOM holds more than ${mostValues} objects and lists`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json.toString('utf8'));
  } catch {
    throw refused('the SBOM is not JSON');
  }
  if (!isMapping(parsed)) throw refused('the SBOM is not a JSON object');
  return parsed;
}

const notPackages = new Set(['file', 'operating-system', 'data', 'device', 'cryptographic-asset']);

/** Components hold components. */
function* ofCycloneDx(document: Mapping): Generator<NamedPackage> {
  if (document['bomFormat'] !== 'CycloneDX')
    throw refused('the SBOM is not CycloneDX: no `bomFormat` says so');
  const open = [...mappings(document['components'])];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    // One by one: a call takes some 100,000 arguments, and a list holds more.
    for (const inner of mappings(one['components'])) open.push(inner);
    const purl = text(one['purl']);
    if (purl === '' && notPackages.has(text(one['type']))) continue;
    const group = text(one['group']);
    const name = text(one['name']);
    yield {
      name: group.startsWith('@') ? `${group}/${name}` : name,
      version: text(one['version']),
      purl,
    };
  }
}

function ofSpdx(document: Mapping): readonly NamedPackage[] {
  if (Array.isArray(document['@graph'])) return ofSpdx3(document);
  if (!text(document['spdxVersion']).startsWith('SPDX-')) {
    throw refused('the SBOM is not SPDX: no `spdxVersion` says so');
  }
  return (
    mappings(document['packages'])
      // What the whole document is about.
      .filter((one) => !text(one['SPDXID']).startsWith('SPDXRef-DocumentRoot'))
      .map((one) => ({
        name: text(one['name']),
        version: text(one['versionInfo']),
        purl: text(
          mappings(one['externalRefs']).find((ref) => ref['referenceType'] === 'purl')?.['referenceLocator'],
        ),
      }))
  );
}

function ofSpdx3(document: Mapping): readonly NamedPackage[] {
  return mappings(document['@graph'])
    .filter((one) => one['type'] === 'software_Package')
    .map((one) => ({
      name: text(one['name']),
      version: text(one['software_packageVersion']),
      purl: text(one['software_packageUrl']),
    }));
}

const text = (value: unknown): string =>
  typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : '';

/** One with a name that nobody gives a package stays in the document only: a build is not failed for it. */
const storable = ({ name, version, purl }: NamedPackage): boolean =>
  name !== '' &&
  Buffer.byteLength(name) <= 512 &&
  Buffer.byteLength(version) <= 256 &&
  Buffer.byteLength(purl) <= 1024;

function refused(description: string): Failure {
  return new Failure('invalid_input', description, {
    details: { fieldViolations: [{ field: 'compressed_sbom', description }] },
  });
}
