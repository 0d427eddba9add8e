import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder, foreignClientId } from '../../config/cli-connection.ts';
import { writeAuthority, writeExtraRoots, writeRootsBundle } from '../../config/extra-roots.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { hcpVariables } from '../../domain/hcp-environment.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { Environment } from '../environment-text.ts';
import { environmentText, hcpText, writtenFor } from '../environment-text.ts';
import { reachOverTls } from '../reach.ts';

interface Options {
  readonly for: string;
  readonly tls?: boolean;
  readonly caFile?: string;
  readonly hcp?: boolean;
  readonly plainApi?: boolean;
}

export function addEnv(program: Command): void {
  const env = describe(program, {
    usage: 'env',
    summary: 'Prints the environment that other shells and jobs need',
    details:
      'For a shell it holds the token, if there is one: do not let a job print it. For GitLab and GitHub it names the secrets that you set there, those of\n' +
      '`bakehouse principals create`, and the https address where the server has one.\n' +
      'For Packer and Terraform it is what makes the stock programs call Bakehouse in the place of HCP Packer, for a shell; --hcp adds the same to what a job gets.\n' +
      "The authority of a server's own certificate is taken from its answer over https or on this machine only; else name its file with --ca-file.",
    examples: [
      'eval "$(bakehouse env)"',
      'eval "$(bakehouse env --tls)"',
      'eval "$(bakehouse env --for packer)"',
      'bakehouse env --for gitlab',
      'bakehouse env --for github --hcp --ca-file bakehouse-ca.pem',
      'bakehouse env --json',
    ],
  })
    .option('--for <where>', `who reads it: ${writtenFor.join(', ')}`, 'shell')
    .option('--tls', 'for a shell: the https address, and the authority in NODE_EXTRA_CA_CERTS')
    .option('--hcp', 'for GitLab and GitHub: with what stock Packer and Terraform read')
    .option('--plain-api', 'for Packer and Terraform: the API over plain http, and only tokens over https')
    .option('--ca-file <file>', "the authority of the server's certificate, PEM");
  act<Options>(env, async (context, options) => {
    const where = writtenFor.find((known) => known === options.for);
    if (where === undefined) {
      throw new Failure('invalid_input', `--for "${options.for}" is none of ${writtenFor.join(', ')}`);
    }
    if (where === 'packer' || where === 'terraform') return answerForHcp(context, options);
    const isForShell = where === 'shell';
    if (options.hcp === true && isForShell) {
      throw new Failure('invalid_input', '--hcp is for GitLab and GitHub: for a shell write --for packer');
    }
    const environment =
      isForShell && options.tls !== true ? plain(context) : await overTls(context, options, isForShell);
    const { variables, token, authority, hcp } = environment;
    // A job has a secret of its own, whatever form this is printed in.
    const secret = token === undefined || !isForShell ? {} : { BAKEHOUSE_TOKEN: token };
    const files = authority?.file === undefined || !isForShell ? {} : { NODE_EXTRA_CA_CERTS: authority.file };
    context.answer({ ...variables, ...hcp, ...secret, ...files }, () => environmentText(environment, where));
  });
}

function plain(context: CommandContext): Environment {
  const { url, token } = context.connection();
  return {
    token,
    variables: { BAKEHOUSE_URL: url, BAKEHOUSE_PROJECT: context.project },
    hcp: undefined,
    authority: undefined,
  };
}

/** A shell or a job works without TLS as well; what it needs is then left out, and that is said. */
async function overTls(context: CommandContext, options: Options, isForShell: boolean): Promise<Environment> {
  const known = plain(context);
  const given = options.caFile === undefined ? undefined : readAuthority(options.caFile);
  try {
    const reach = await reachOverTls(context, given);
    if (reach === undefined) {
      context.say(noTls);
      return known;
    }
    const variables = { ...known.variables, BAKEHOUSE_URL: reach.address };
    const hcp = options.hcp === true ? hcpOf(context, options, reach) : undefined;
    if (!reach.hasOwnAuthority) return { ...known, variables, hcp };
    const file = isForShell
      ? put(context, reach.authority, writeExtraRoots)
      : (options.caFile ?? put(context, reach.authority, writeAuthority));
    return { ...known, variables, hcp, authority: { file } };
  } catch (error) {
    if (!isFailure(error) || options.hcp === true) throw error;
    context.say(`what TLS needs is left out: ${error.message}`);
    return known;
  }
}

const noTls =
  'this server speaks no TLS: set BAKEHOUSE_TLS_LISTEN there, or call it through a proxy with https';

async function answerForHcp(context: CommandContext, options: Options): Promise<void> {
  const reach = await reachOverTls(
    context,
    options.caFile === undefined ? undefined : readAuthority(options.caFile),
  );
  if (reach === undefined) {
    throw new Failure('illegal_state', `${noTls}; Packer and Terraform ask for tokens over https only`);
  }
  const { client } = context.connection();
  const file = reach.hasOwnAuthority ? put(context, reach.authority, writeRootsBundle) : undefined;
  const variables = {
    ...hcpOf(context, options, reach),
    ...(client === undefined
      ? {}
      : { HCP_CLIENT_ID: client.clientId, HCP_CLIENT_SECRET: client.clientSecret }),
    ...(file === undefined ? {} : { SSL_CERT_FILE: file }),
  };
  context.answer(variables, () => hcpText(variables, { isForeign: foreignClientId() !== undefined }));
}

function hcpOf(
  context: CommandContext,
  options: Options,
  reach: { readonly address: string; readonly organizationId: string; readonly projectId: string },
): Readonly<Record<string, string>> {
  const { url } = context.connection();
  if (options.plainApi === true && !url.startsWith('http:')) {
    throw new Failure(
      'invalid_input',
      `--plain-api needs the plain address of the server: --url http://…, not ${url}`,
    );
  }
  return hcpVariables({
    api: options.plainApi === true ? url : reach.address,
    auth: reach.address,
    organizationId: reach.organizationId,
    projectId: reach.projectId,
  });
}

function put(
  context: CommandContext,
  ca: string | undefined,
  write: (folder: string, ca: string) => string,
): string | undefined {
  if (ca === undefined) return undefined;
  try {
    return write(path.join(dataFolder(context.options), 'ca'), ca);
  } catch (error) {
    if (!isFailure(error)) throw error;
    context.say(`the file of the authority is left out: ${error.message}`);
    return undefined;
  }
}

function readAuthority(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure('invalid_input', `--ca-file ${file} cannot be read`, { cause: error });
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Failure('invalid_input', `--ca-file ${file} holds no certificate: it must be PEM`);
}
