/** The command tree. Building it must stay cheap: `bakehouse resolve` runs in every pipeline. */
import { Command } from 'commander';
import { addApply } from './commands/apply.ts';
import { addAudit } from './commands/audit.ts';
import { addChannels } from './commands/channels.ts';
import { addEnv } from './commands/env.ts';
import { addHealth } from './commands/health.ts';
import { addPrincipals } from './commands/principals.ts';
import { addProjects } from './commands/projects.ts';
import { addPromotions } from './commands/promotions.ts';
import { addRelease } from './commands/release.ts';
import { addRequests } from './commands/requests.ts';
import { addResolve } from './commands/resolve.ts';
import { addRevocations } from './commands/revocations.ts';
import { addVersions } from './commands/versions.ts';
import { addVulnerabilities } from './commands/vulnerabilities.ts';
import { exitCodes } from './exit-codes.ts';
import { addProcesses } from './processes/add.ts';

const cliVersion = '0.1.0';

export function buildProgram(): Command {
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `  ${code.padEnd(4)} ${meaning}\n`);
  const program = new Command('bakehouse')
    .description('Golden machine images: bake, prove, promote, revoke, roll back.')
    .option('--project <project>', 'project to work in (BAKEHOUSE_PROJECT, else `default`)')
    .option('--url <url>', 'address of the server (BAKEHOUSE_URL, else what `bakehouse up` left here)')
    .option('--data-dir <folder>', 'folder of `bakehouse up` (BAKEHOUSE_DATA_DIR, else .bakehouse)')
    .option('--json', 'answer in JSON; what comes from the API in its shapes')
    .version(cliVersion, '-V', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, helpWidth: 110 })
    .addHelpText('afterAll', `\nExit codes:\n${codes.join('')}`)
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of [
    addApply,
    addRelease,
    addRequests,
    addVersions,
    addChannels,
    addResolve,
    addPromotions,
    addRevocations,
    addAudit,
    addPrincipals,
    addProjects,
    addVulnerabilities,
    addEnv,
    addHealth,
    addProcesses,
  ]) {
    add(program);
  }
  return program;
}
