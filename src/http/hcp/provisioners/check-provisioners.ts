/** What an enforced block may hold: what Packer takes as provisioners, and nothing else. One that it cannot read would fail every build. */
import { Failure } from '../../../domain/failure.ts';
import type { TemplateType } from '../../../domain/version.ts';
import { parseTexts } from './parse-hcl.ts';

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const bodies = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Answers what it is written in. Throws `invalid_input`. */
export async function checkProvisioners(content: string, wanted?: TemplateType): Promise<TemplateType> {
  const json = asJson(content);
  const type = wanted ?? (json === undefined ? 'HCL2' : 'JSON');
  if (type === 'JSON') checkJson(json);
  else await checkHcl(content);
  return type;
}

function asJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

async function checkHcl(content: string): Promise<void> {
  // The parser shows an attribute that is a mapping as it shows a block; an attribute cannot be set twice.
  const [plain, doubled] = await parseTexts([content, `${content}\nprovisioner = ""\n`]);
  if (plain === undefined || 'refused' in plain) {
    throw refused(`it cannot be read: ${plain?.refused.replace(/^parse config: \[|\]$/g, '') ?? ''}`);
  }
  if (doubled !== undefined && 'refused' in doubled && doubled.refused.includes('Attribute redefined')) {
    throw refused('`provisioner` is a block, and no attribute');
  }
  if (!isMapping(plain.parsed)) throw refused('it holds no provisioner');
  checkRoot(plain.parsed);
  for (const [type, list] of provisioners(plain.parsed['provisioner'])) {
    // A block with two labels has a mapping where a list of bodies stands.
    if (!Array.isArray(list) || !list.every(isMapping)) {
      throw refused(`provisioner "${shown(type)}" has one label and a body`);
    }
  }
}

function checkJson(json: unknown): void {
  if (!isMapping(json)) throw refused('it is not a JSON object');
  const legacy = json['provisioners'];
  if (legacy !== undefined && json['provisioner'] === undefined) {
    checkRoot(json, 'provisioners');
    const list = Array.isArray(legacy) ? legacy : [];
    const well = list.every(
      (one: unknown) => isMapping(one) && typeof one['type'] === 'string' && one['type'] !== '',
    );
    if (list.length === 0 || !well) throw refused('each of `provisioners` is an object with a `type`');
    return;
  }
  checkRoot(json);
  for (const [type, list] of provisioners(json['provisioner'])) {
    if (!bodies(list).every(isMapping)) throw refused(`provisioner "${shown(type)}" has a body`);
  }
}

function checkRoot(root: Mapping, only = 'provisioner'): void {
  const others = Object.keys(root).filter((key) => key !== only);
  if (others.length > 0) throw refused(`it holds \`${shown(others[0] ?? '')}\` as well`);
  if (root[only] === undefined) throw refused('it holds no provisioner');
}

/** Type and what stands there, of each. */
function provisioners(value: unknown): readonly (readonly [string, unknown])[] {
  const found = bodies(value).flatMap((one): readonly (readonly [string, unknown])[] =>
    isMapping(one) ? Object.entries(one) : [['', one]],
  );
  if (found.length === 0 || found.some(([type]) => type === '')) {
    throw refused('a provisioner names its type: `provisioner "shell" { … }`');
  }
  return found;
}

const shown = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 60);

const refused = (why: string): Failure => {
  const said = `block_content must be provisioner blocks and nothing else: ${why}`.slice(0, 1000);
  return new Failure('invalid_input', said, {
    details: { fieldViolations: [{ field: 'block_content', description: said }] },
  });
};
