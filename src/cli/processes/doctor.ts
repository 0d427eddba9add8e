/** Is everything here that this machine needs? Each line that is not ok says what to do. */
import { existsSync } from 'node:fs';
import { cliFilePath, findConnection } from '../../config/cli-connection.ts';
import { childEnvironment, loadSettings, type Settings } from '../../config/settings.ts';
import { loadTools, onPath, type Tool, type Tools } from '../../config/tools.ts';
import { Failure } from '../../domain/failure.ts';
import { findBinaries } from '../../store/embedded/binaries.ts';
import { openKeyring } from '../../temporal/codec/index.ts';
import { createVault, type Vault } from '../../vault/index.ts';
import { createProviders } from '../../worker/providers.ts';
import type { CommandContext } from '../context.ts';
import { colors, formatTable } from '../output.ts';
import { lineFindings } from './doctor-lines.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** Whether it is wrong when it is not ok; else it is only told. */
  readonly needed: boolean;
  readonly detail: string;
}

export async function doctor(context: CommandContext): Promise<void> {
  const { dataDir } = context.options;
  const settings = loadSettings(
    dataDir === undefined ? undefined : childEnvironment({ BAKEHOUSE_DATA_DIR: dataDir }),
  );
  const tools = loadTools();
  await using closing = new AsyncDisposableStack();
  const vault = settings.vault === undefined ? undefined : await createVault(settings.vault);
  closing.defer(() => vault?.close());
  const findings: readonly Finding[] = [
    nodeFinding(),
    await postgresFinding(settings),
    temporalFinding(settings, tools),
    packerFinding(tools),
    ...(await lineFindings(tools, context.project)),
    gitFinding(tools),
    flockFinding(),
    ...(await providerFindings(settings, tools, vault)),
    ...(await keyFindings(settings, vault)),
    seedFinding(tools),
    await serverFinding(context, settings),
  ];
  context.answer({ findings }, () =>
    formatTable(
      ['', 'check', 'detail'],
      findings.map((one) => [markOf(one), one.check, one.detail]),
    ),
  );
  const wrong = findings.filter((one) => !one.ok && one.needed);
  if (wrong.length > 0) {
    throw new Failure(
      'tool_missing',
      `${wrong.length} of ${findings.length} checks failed (${wrong.map((one) => one.check).join(', ')}): do what their lines say, then run \`bakehouse doctor\` again`,
    );
  }
  context.say('all is here that `bakehouse up` needs; a line with - is for your information');
}

async function providerFindings(
  settings: Settings,
  tools: Tools,
  vault: Vault | undefined,
): Promise<readonly Finding[]> {
  const { cloudsFile } = settings;
  try {
    const providers = (await createProviders(settings, tools, vault)).all();
    const found = await Promise.all(providers.map((one) => one.doctor()));
    return found.flat().map((one) => ({ ...one, needed: true }));
  } catch (error) {
    // Only the file of clouds can be wrong here; what is on this machine is still worth looking at.
    if (cloudsFile === undefined) throw error;
    const local = await providerFindings({ ...settings, cloudsFile: undefined }, tools, vault);
    return [...local, { check: 'clouds', ok: false, needed: true, detail: wordsOf(error) }];
  }
}

/** Unwraps them as a process does at its start, and forgets them. */
async function keyFindings(
  { payloadKeysFile: file }: Settings,
  vault: Vault | undefined,
): Promise<readonly Finding[]> {
  if (file === undefined) return [];
  const finding = { check: 'payload keys', needed: true };
  try {
    const { current, ids } = await openKeyring(file, vault?.unwrapDataKeys);
    return [{ ...finding, ok: true, detail: `${current.id} encrypts, readable: ${ids.join(', ')}` }];
  } catch (error) {
    return [{ ...finding, ok: false, detail: wordsOf(error) }];
  }
}

function markOf({ ok, needed }: Finding): string {
  if (ok) return colors.green('ok');
  return needed ? colors.red('FAIL') : '-';
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  const detail = `runs Bakehouse: ${process.version} at ${process.execPath}`;
  return {
    check: 'node',
    ok: major >= 24,
    needed: true,
    detail: major >= 24 ? detail : `${detail}; 24 or newer is needed: run \`npm run setup\``,
  };
}

async function postgresFinding({ databaseUrl }: Settings): Promise<Finding> {
  const finding = { check: 'postgresql', needed: databaseUrl === undefined };
  if (databaseUrl !== undefined) {
    return { ...finding, ok: true, detail: 'holds the registry: the one that DATABASE_URL names' };
  }
  try {
    const { postgres } = await findBinaries();
    return { ...finding, ok: true, detail: `holds the registry, \`bakehouse up\` starts it: ${postgres}` };
  } catch (error) {
    return { ...finding, ok: false, detail: wordsOf(error) };
  }
}

function temporalFinding({ temporal: asked }: Settings, { temporal }: Tools): Finding {
  const finding = { check: 'temporal', needed: !asked.addressAsked };
  if (asked.addressAsked) {
    return { ...finding, ok: true, detail: `runs the workflows: the server at ${asked.address}` };
  }
  return temporal === undefined
    ? {
        ...finding,
        ok: false,
        detail:
          'not found, `bakehouse up` starts it: run `npm run setup`, or set TEMPORAL_ADDRESS to a server of your own',
      }
    : { ...finding, ok: true, detail: `runs the workflows, \`bakehouse up\` starts it: ${temporal.path}` };
}

/** A short list of builders tells more than its length. */
const fewBuilders = 6;

function packerFinding({ packers }: Tools): Finding {
  const described = packers.map(({ path, version = '', builders }) => {
    if (builders === undefined) return path;
    const has =
      builders.length <= fewBuilders
        ? builders.join(', ')
        : `${builders.length} builders${builders.includes('qemu') ? ', qemu among them' : ', qemu is not among them'}`;
    return `${path} ${version} (${has})`;
  });
  return {
    check: 'packer',
    ok: packers.length > 0,
    needed: true,
    detail:
      packers.length > 0
        ? `bakes; each line takes the one that has its builders: ${described.join('; ')}`
        : 'not found, nothing can be baked: run `npm run setup`',
  };
}

/** Templates that `apply` uploads from a folder do without it. */
function gitFinding({ git }: Tools): Finding {
  return programFinding(
    { check: 'git', needed: false },
    git,
    { does: 'brings templates from repositories', lacking: 'only templates from a git commit need it' },
    'git',
  );
}

function flockFinding(): Finding {
  const does = 'keeps two bakes out of one folder';
  return programFinding(
    { check: 'flock', needed: true },
    onPath(['flock']),
    { does, lacking: `it ${does}` },
    'util-linux',
  );
}

function programFinding(
  finding: Pick<Finding, 'check' | 'needed'>,
  program: Tool | undefined,
  { does, lacking }: { readonly does: string; readonly lacking: string },
  debian: string,
): Finding {
  return program === undefined
    ? {
        ...finding,
        ok: false,
        detail: `not found, ${lacking}: sudo apt-get install -y --no-install-recommends ${debian}`,
      }
    : { ...finding, ok: true, detail: `${does}: ${program.path}` };
}

function seedFinding({ seedImage }: Tools): Finding {
  const there = seedImage !== undefined && existsSync(seedImage.path);
  return {
    check: 'seed image',
    ok: there,
    needed: false,
    detail: there
      ? `the examples start from it: ${seedImage.path}`
      : 'not made yet, only the examples and the demo need it: run `npm run setup`',
  };
}

/** A machine without a server is in order too; one that is named and does not answer is not. */
async function serverFinding(
  { options }: CommandContext,
  { dataDir, url: asked }: Settings,
): Promise<Finding> {
  const finding = { check: 'server', needed: true };
  const file = cliFilePath(dataDir);
  let url = options.url ?? asked;
  if (url === undefined && !existsSync(file)) {
    const detail = `none is known here: \`bakehouse up\` starts one, or BAKEHOUSE_URL names one elsewhere (there is no ${file})`;
    return { ...finding, ok: false, needed: false, detail };
  }
  try {
    url ??= findConnection({ dataDir }).url;
    const { ok } = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    const detail = ok
      ? `${url} is ready`
      : `${url} answers but is not ready, PostgreSQL does not answer it: see the server's log`;
    return { ...finding, ok, detail };
  } catch (error) {
    const detail =
      url === undefined
        ? wordsOf(error)
        : `${url} does not answer: start it with \`bakehouse up\`, or \`bakehouse server\` where the parts run apart`;
    return { ...finding, ok: false, detail };
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
