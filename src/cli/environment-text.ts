/** The environment of `bakehouse env` as shells, GitLab and GitHub read it. */
import { systemRoots } from '../config/extra-roots.ts';
import { overruling } from '../domain/hcp-environment.ts';

/** The last two are shells too, with what those programs read. */
export const writtenFor = ['shell', 'gitlab', 'github', 'packer', 'terraform'] as const;

export interface Environment {
  /** No secrets: these may stand in a file under version control. */
  readonly variables: Readonly<Record<string, string>>;
  /** What stock Packer and Terraform read, where that was asked for. */
  readonly hcp: Readonly<Record<string, string>> | undefined;
  /** Absent: a service principal asks. Never for a job, which has a principal of its own. */
  readonly token: string | undefined;
  /** Of the server, where the machines of clients do not know it. Without a file: where to get it is not known here. */
  readonly authority: { readonly file: string | undefined } | undefined;
}

export function environmentText(environment: Environment, where: 'shell' | 'gitlab' | 'github'): string {
  return { shell: shellText, gitlab: gitlabText, github: githubText }[where](environment);
}

function shellText({ variables, token, authority }: Environment): string {
  const { BAKEHOUSE_URL: url = '', ...others } = variables;
  const secret = token === undefined ? {} : { BAKEHOUSE_TOKEN: token };
  const files = authority?.file === undefined ? {} : { NODE_EXTRA_CA_CERTS: authority.file };
  return exported({ BAKEHOUSE_URL: url, ...secret, ...others, ...files });
}

/** For a shell. `isForeign`: the client id that is set there is one of HCP's own, whose secret is nothing for us. */
export function hcpText(
  variables: Readonly<Record<string, string>>,
  { isForeign }: { readonly isForeign: boolean },
): string {
  const isKnown = variables['HCP_CLIENT_SECRET'] !== undefined;
  const unset = [...overruling(variables), ...(isForeign && !isKnown ? secrets : [])];
  return [
    `unset ${unset.join(' ')}\n`,
    exported(variables),
    // A comment: a placeholder that is exported would be sent.
    ...(isKnown ? [] : ['# `bakehouse principals create <name>` prints these:\n']),
    ...(isKnown ? [] : secrets.map((name) => `# export ${name}=…\n`)),
  ].join('');
}

const exported = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`)
    .join('');

const shellQuote = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/** Of a service principal. */
const secrets = ['HCP_CLIENT_ID', 'HCP_CLIENT_SECRET'];
const told = (file: string | undefined): string => file ?? "tls/ca.pem in the server's data folder";
/** Node reads one file, so what was in there stays in it. One that is not in the job's image, or ends without a line break, does no harm. */
const joined = 'cat "${NODE_EXTRA_CA_CERTS:-/dev/null}" 2>/dev/null || true; echo';

/** The first that there is. Go reads one file as well, and other programs of the job read what it names. */
const rootsOfSystem = `for f in "\${SSL_CERT_FILE:-}" ${systemRoots.join(' ')}; do if [ -r "$f" ]; then cat "$f"; echo; break; fi; done`;

function gitlabText({ variables, authority, hcp }: Environment): string {
  const bundle = '"${TMPDIR:-/tmp}/bakehouse-roots.pem"';
  const roots = '"${TMPDIR:-/tmp}/bakehouse-ca.pem"';
  return [
    '# .gitlab-ci.yml. Settings > CI/CD > Variables:',
    `#   masked: ${secrets.join(', ')} (\`bakehouse principals create <name>\` prints them)`,
    ...(authority === undefined
      ? []
      : [`#   of type File: CA_OF_BAKEHOUSE, the content of ${told(authority.file)}`]),
    'variables:',
    ...yamlLines({ ...variables, ...hcp }),
    ...(authority === undefined
      ? []
      : [
          'before_script:',
          `  - '{ ${joined}; cat "$CA_OF_BAKEHOUSE"; } > ${roots}'`,
          `  - export NODE_EXTRA_CA_CERTS=${roots}`,
          ...(hcp === undefined
            ? []
            : [
                `  - '{ ${rootsOfSystem}; cat "$CA_OF_BAKEHOUSE"; } > ${bundle}'`,
                `  - export SSL_CERT_FILE=${bundle}`,
              ]),
        ]),
    '',
  ].join('\n');
}

function githubText({ variables, authority, hcp }: Environment): string {
  const bundle = '"$RUNNER_TEMP/bakehouse-roots.pem"';
  const roots = '"$RUNNER_TEMP/bakehouse-ca.pem"';
  return [
    '# A workflow. Settings > Secrets and variables > Actions:',
    `#   secrets: ${secrets.join(', ')} (\`bakehouse principals create <name>\` prints them)`,
    ...(authority === undefined
      ? []
      : [`#   a variable: CA_OF_BAKEHOUSE, the content of ${told(authority.file)}`]),
    'env:',
    ...yamlLines({ ...variables, ...hcp }),
    ...secrets.map((name) => `  ${name}: \${{ secrets.${name} }}`),
    ...(authority === undefined
      ? []
      : [
          '# The first step of each job:',
          'steps:',
          '  - run: |',
          `      { ${joined}; printf '%s\\n' "$CA"; } > ${roots}`,
          `      echo NODE_EXTRA_CA_CERTS=${roots} >> "$GITHUB_ENV"`,
          ...(hcp === undefined
            ? []
            : [
                `      { ${rootsOfSystem}; printf '%s\\n' "$CA"; } > ${bundle}`,
                `      echo SSL_CERT_FILE=${bundle} >> "$GITHUB_ENV"`,
              ]),
          '    env:',
          '      CA: ${{ vars.CA_OF_BAKEHOUSE }}',
        ]),
    '',
  ].join('\n');
}

/** A text in double quotes is read as JSON by every YAML reader. */
const yamlLines = (variables: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(variables).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
