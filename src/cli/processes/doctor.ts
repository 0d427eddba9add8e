/** Is everything here that this machine needs? Each line that is not ok says what to do. */
import { findConnection } from '../../config/cli-connection.ts';
import { loadSettings } from '../../config/settings.ts';
import { loadTools } from '../../config/tools.ts';
import type { Tools } from '../../config/tools.ts';
import { Failure } from '../../domain/failure.ts';
import { createProviders } from '../../worker/providers.ts';
import type { CommandContext } from '../context.ts';
import { colors, formatTable } from '../output.ts';

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export async function doctor(context: CommandContext): Promise<void> {
  const settings = loadSettings();
  const tools = loadTools();
  const providers = createProviders(settings, tools).all();
  const findings: readonly Finding[] = [
    nodeFinding(),
    ...toolFindings(tools),
    ...(await Promise.all(providers.map((one) => one.doctor()))).flat(),
    await serverFinding(context),
  ];
  context.answer({ findings }, () =>
    formatTable(
      ['', 'check', 'detail'],
      findings.map((one) => [one.ok ? colors.green('ok') : colors.red('FAIL'), one.check, one.detail]),
    ),
  );
  const wrong = findings.filter((one) => !one.ok);
  if (wrong.length === 0) return;
  throw new Failure(
    'tool_missing',
    `${wrong.length} of ${findings.length} checks failed: ${wrong.map((one) => one.check).join(', ')}`,
  );
}

function nodeFinding(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return { check: 'node', ok: major >= 24, detail: `${process.version} at ${process.execPath}` };
}

function toolFindings({ temporal, packers, git }: Tools): readonly Finding[] {
  const described = packers.map(({ path, version, builders }) => {
    const qemu = builders?.includes('qemu') === true ? ', qemu among them' : '';
    return `${path} ${version ?? ''} (${builders === undefined ? 'not asked' : `${builders.length} builders${qemu}`})`;
  });
  return [
    {
      check: 'packer',
      ok: packers.length > 0,
      detail: packers.length > 0 ? described.join('; ') : 'none found: run `npm run setup`',
    },
    {
      check: 'temporal',
      ok: temporal !== undefined,
      detail:
        temporal?.path ?? 'not found, `bakehouse up` needs it: run `npm run setup`, or set TEMPORAL_ADDRESS',
    },
    {
      check: 'git',
      ok: git !== undefined,
      detail: git?.path ?? 'not found, templates from repositories need it: install git',
    },
  ];
}

/** A machine without a server is in order too; one that is named and does not answer is not. */
async function serverFinding({ options }: CommandContext): Promise<Finding> {
  let url: string;
  try {
    url =
      options.url ?? findConnection(options.dataDir === undefined ? {} : { dataDir: options.dataDir }).url;
  } catch (error) {
    return { check: 'server', ok: true, detail: error instanceof Error ? error.message : String(error) };
  }
  try {
    const { ok } = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    return {
      check: 'server',
      ok,
      detail: ok ? `${url} is ready` : `${url} answers, PostgreSQL does not: see its log`,
    };
  } catch {
    return {
      check: 'server',
      ok: false,
      detail: `${url} does not answer: start it with \`bakehouse up\` or \`server\``,
    };
  }
}
