import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from '../../config/cli-connection.ts';
import { writeAuthority, writeExtraRoots } from '../../config/extra-roots.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';
import type { CommandContext } from '../context.ts';
import type { Environment } from '../environment-text.ts';
import { environmentText, writtenFor } from '../environment-text.ts';
import { isLoopback, isNamed, tlsUrl } from '../tls-address.ts';

interface Options {
  readonly for: string;
  readonly tls?: boolean;
  readonly caFile?: string;
}

export function addEnv(program: Command): void {
  const env = describe(program, {
    usage: 'env',
    summary: 'Prints the environment that other shells and jobs need',
    details:
      'For a shell it holds the token, if there is one: do not let a job print it. For GitLab and GitHub it names the secrets that you set there, those of\n' +
      '`bakehouse principals create`, and the https address where the server has one.\n' +
      "The authority of a server's own certificate is taken from its answer over https or on this machine only; else name its file with --ca-file.",
    examples: [
      'eval "$(bakehouse env)"',
      'eval "$(bakehouse env --tls)"',
      'bakehouse env --for gitlab',
      'bakehouse env --for github --ca-file bakehouse-ca.pem',
      'bakehouse env --json',
    ],
  })
    .option('--for <where>', `who reads it: ${writtenFor.join(', ')}`, 'shell')
    .option('--tls', 'for a shell: the https address, and the authority in NODE_EXTRA_CA_CERTS')
    .option('--ca-file <file>', "the authority of the server's certificate, PEM");
  act<Options>(env, async (context, options) => {
    const where = writtenFor.find((known) => known === options.for);
    if (where === undefined) {
      throw new Failure('invalid_input', `--for "${options.for}" is none of ${writtenFor.join(', ')}`);
    }
    const isForShell = where === 'shell';
    const environment =
      isForShell && options.tls !== true
        ? plain(context)
        : await overTls(context, options.caFile, isForShell);
    const { variables, token, authority } = environment;
    // A job has a secret of its own, whatever form this is printed in.
    const secret = token === undefined || !isForShell ? {} : { BAKEHOUSE_TOKEN: token };
    const files = authority?.file === undefined || !isForShell ? {} : { NODE_EXTRA_CA_CERTS: authority.file };
    context.answer({ ...variables, ...secret, ...files }, () => environmentText(environment, where));
  });
}

function plain(context: CommandContext): Environment {
  const { url, token } = context.connection();
  return {
    token,
    variables: { BAKEHOUSE_URL: url, BAKEHOUSE_PROJECT: context.project },
    authority: undefined,
  };
}

async function overTls(
  context: CommandContext,
  caFile: string | undefined,
  isForShell: boolean,
): Promise<Environment> {
  const known = plain(context);
  const { url } = context.connection();
  const given = caFile === undefined ? undefined : readAuthority(caFile);
  try {
    const client = await context.client();
    const { tls } = await client.getConnection({ project: context.project });
    const address = tlsUrl(url, tls);
    if (address === undefined) {
      context.say(
        'this server speaks no TLS: set BAKEHOUSE_TLS_LISTEN there, or call it through a proxy with https',
      );
      return known;
    }
    const { hostname } = new URL(address);
    if (tls !== null && address !== url && !isNamed(hostname, tls.names)) {
      context.say(
        `the server's certificate is not for ${hostname}, but for ${tls.names.join(', ')}: set BAKEHOUSE_TLS_URL there to the address that clients call`,
      );
    }
    const variables = { ...known.variables, BAKEHOUSE_URL: address };
    if (given === undefined && (tls === null || tls.ca === null)) return { ...known, variables };
    const ca = given ?? trusted(context, url, tls?.ca ?? null);
    const file = isForShell
      ? put(context, ca, writeExtraRoots)
      : (caFile ?? put(context, ca, writeAuthority));
    return { ...known, variables, authority: { file } };
  } catch (error) {
    if (!isFailure(error)) throw error;
    context.say(`what TLS needs is left out: ${error.message}`);
    return known;
  }
}

/** Who stands in between on plain http can answer with an authority of its own. */
function trusted(context: CommandContext, url: string, ca: string | null): string | undefined {
  if (ca !== null && (url.startsWith('https:') || isLoopback(new URL(url).hostname))) return ca;
  context.say(
    `the authority of the server's certificate is not taken over plain http: copy tls/ca.pem of its data folder, and name it with --ca-file`,
  );
  return undefined;
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
