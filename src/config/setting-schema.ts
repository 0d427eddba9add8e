/** Every environment variable that Bakehouse reads, with its meaning and default. `docs/reference/config.md` is generated from it. */
import { z } from 'zod';

import {
  address,
  duration,
  listen,
  networks,
  oneOf,
  port,
  postgresUrl,
  text,
  token,
  whole,
} from './setting-kinds.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export const settingSchema = z.object({
  DATABASE_URL: postgresUrl()
    .optional()
    .describe(
      'PostgreSQL to use, `postgres://user:password@host:5432/database`. `bakehouse up` starts its own when it is absent; the other processes need it.',
    ),
  TEMPORAL_ADDRESS: address('127.0.0.1:7233')
    .default('127.0.0.1:7233')
    .describe('Address of the Temporal server, `host:port`.'),
  TEMPORAL_NAMESPACE: text().default('default').describe('Temporal namespace of the workflows.'),
  BAKEHOUSE_MOVE_TO_TEMPORAL: text()
    .optional()
    .describe(
      'Id of the Temporal namespace that the installation moves to when the one it worked with is lost for good; the log of a worker says when this is needed.',
    ),
  BAKEHOUSE_PAYLOAD_KEYS_FILE: text()
    .optional()
    .describe(
      'File with the keys that encrypt what Temporal keeps, mode 0600; `bakehouse keys new` makes one. The same for server, workers and bake hosts. Absent: nothing is encrypted.',
    ),
  BAKEHOUSE_CLOUDS: text()
    .optional()
    .describe(
      'File with the accounts of clouds that images live in, YAML; [clouds](../clouds.md) shows one. The same for server, workers and bake hosts. Absent: only the local provider.',
    ),
  BAKEHOUSE_TEMPORAL_UI: z
    .url('is not an address: write for example http://127.0.0.1:8233')
    .optional()
    .describe(
      'Address of the Temporal UI: to print links to it, and the only origin from which a browser may call the codec server.',
    ),
  BAKEHOUSE_LISTEN: listen()
    .prefault('127.0.0.1:8400')
    .describe(
      'Where the server listens, `host:port`. `bakehouse up` takes a free port when it is absent and the default is in use.',
    ),
  BAKEHOUSE_TOKEN: token()
    .optional()
    .describe(
      'Bearer token of the API: the server demands it, the CLI sends it. Keys of run tasks and webhooks are made with it: another token makes other keys.',
    ),
  BAKEHOUSE_TOKEN_FILE: text()
    .optional()
    .describe('File that holds the bearer token, instead of `BAKEHOUSE_TOKEN`.'),
  BAKEHOUSE_ACCESS_TOKEN_LIFE: duration()
    .refine((ms) => ms >= 60_000 && ms <= 86_400_000, { message: 'is not from 1m to 1d' })
    .prefault('1h')
    .describe(
      'How long a token of a service principal works; clients get a new one by themselves. A revocation does not wait for its end.',
    ),
  BAKEHOUSE_ACCESS_TOKEN_RATE: whole(1, 100_000)
    .prefault('300')
    .describe(
      'How often per minute a client id may ask each server for a token from one address; ten times as often from one address with any. Right and wrong secrets are counted apart. More is answered 429.',
    ),
  BAKEHOUSE_TRUSTED_PROXIES: networks()
    .prefault('')
    .describe(
      'Addresses and networks (`10.0.0.0/8`) of the proxies in front, with commas in between: their `X-Forwarded-For` says who calls, for the limit above. Absent: nobody is believed, and all who come through one proxy are one address.',
    ),
  BAKEHOUSE_TLS_LISTEN: listen('127.0.0.1:8443')
    .optional()
    .describe(
      'Where the server speaks TLS, `host:port`, beside `BAKEHOUSE_LISTEN` and with the same routes. Absent: nowhere, but `bakehouse up` takes the host of `BAKEHOUSE_LISTEN` at 8443, or a free port. Empty: `up` speaks no TLS either.',
    ),
  BAKEHOUSE_TLS_LISTEN_DEFAULT: listen('127.0.0.1:8443')
    .optional()
    .describe(
      'The same for who packs the server, as `bakehouse up` and `docker-compose.yml` do: counts where `BAKEHOUSE_TLS_LISTEN` is not set. Where TLS cannot be had there, the server logs that and goes on without, unless there is a `BAKEHOUSE_TLS_CERT`.',
    ),
  BAKEHOUSE_TLS_CERT: text()
    .optional()
    .describe(
      'File with the certificate to show and those between it and its authority, PEM. Absent: Bakehouse makes an authority of its own in the data folder, and a certificate of it.',
    ),
  BAKEHOUSE_TLS_KEY: text()
    .optional()
    .describe('File with the key of `BAKEHOUSE_TLS_CERT`, PEM. Both are read again every hour.'),
  BAKEHOUSE_TLS_CA: text()
    .optional()
    .describe(
      'File with the authority of `BAKEHOUSE_TLS_CERT`, PEM, where the machines of clients do not know it: `bakehouse env --tls` gives it to them. Read again every hour.',
    ),
  BAKEHOUSE_TLS_URL: z
    .url({
      protocol: /^https$/,
      error: 'is not an https address: write for example https://bakehouse.example.org',
    })
    .refine((url) => /^https:\/\/[^/?#]+\/?$/.test(url), {
      message:
        'has a path: the server answers at the root of a host only, write for example https://bakehouse.example.org',
    })
    .optional()
    .describe(
      'Address under which clients reach TLS, without a path; the certificate that Bakehouse makes is for its name too. Absent: the host that they call, at the port of `BAKEHOUSE_TLS_LISTEN`.',
    ),
  BAKEHOUSE_URL: text().optional().describe('Address of the server, for the CLI.'),
  BAKEHOUSE_PROJECT: text().default('default').describe('Project that the CLI works in.'),
  BAKEHOUSE_DATA_DIR: text()
    .default('.bakehouse')
    .describe(
      'Folder of this process: databases of `bakehouse up`, attempts of the bake host and its identity, caches, logs. One bake host per folder.',
    ),
  BAKEHOUSE_IMAGE_STORE: text()
    .optional()
    .describe(
      'Folder of the `qemu` image store, reached by all its bake hosts. By default `images` in the data folder.',
    ),
  BAKEHOUSE_HOST_NAME: text()
    .optional()
    .describe(
      "Name of the bake host for people. By default the machine's host name; its identity is not this name.",
    ),
  BAKEHOUSE_HOST_SLOTS: whole(1, 64)
    .prefault('2')
    .describe('Bakes that the bake host runs at the same time.'),
  BAKEHOUSE_HOST_AWAY: duration()
    .prefault('2m')
    .describe('How long a bake host may be away before its bakes are given to another one.'),
  BAKEHOUSE_HOST_BEAT: duration().prefault('5s').describe('How often a bake host tells that it is there.'),
  BAKEHOUSE_PACKER_GRACE: duration()
    .prefault('2m')
    .describe('What Packer gets to clean up after itself when it is cancelled or its time is over.'),
  BAKEHOUSE_HOST_MARGIN: duration()
    .prefault('20s')
    .describe(
      "Beyond a lost bake's time limit and Packer's grace, until another host begins: what the clocks of hosts may differ by.",
    ),
  BAKEHOUSE_HEARTBEAT_TIMEOUT: duration()
    .prefault('60s')
    .describe('Silence of a long step after which Temporal gives it to another try.'),
  BAKEHOUSE_HEARTBEAT_EVERY: duration()
    .prefault('5s')
    .describe('Longest time between heartbeats to Temporal, and so until a cancellation is heard.'),
  BAKEHOUSE_STICKY_TIMEOUT: duration()
    .prefault('10s')
    .describe(
      'How long a workflow waits for the worker that has it in memory before another one goes on with it: what the loss of a worker costs.',
    ),
  BAKEHOUSE_REAP_EVERY: duration()
    .prefault('10s')
    .describe('How often work is looked for whose workflow was closed from outside.'),
  BAKEHOUSE_RELAY_EVERY: duration()
    .prefault('2s')
    .describe('How often the outbox is looked at when PostgreSQL gives no notice.'),
  BAKEHOUSE_TEMPORAL_DEADLINE: duration().prefault('5s').describe('Longest wait for one answer of Temporal.'),
  BAKEHOUSE_STOP_AFTER: duration()
    .prefault('20s')
    .describe('How long a stopping process waits for its running steps before it ends anyway.'),
  BAKEHOUSE_READY_FILE: text()
    .optional()
    .describe('File that a process makes when it is ready and removes when it stops, for health checks.'),
  VAULT_ADDR: z
    .url({
      protocol: /^https?$/,
      error: 'is not an address: write for example https://vault.example.com:8200',
    })
    .optional()
    .describe(
      'Address of Vault or OpenBao: for the secrets that lines name, credentials of cloud accounts, wrapped payload keys. Used only with `BAKEHOUSE_VAULT_AUTH`.',
    ),
  VAULT_NAMESPACE: text().optional().describe('Namespace of Vault, where it has several.'),
  VAULT_CACERT: text()
    .optional()
    .describe("File with the certificates of the authority of Vault's certificate, PEM."),
  BAKEHOUSE_VAULT_AUTH: oneOf(['approle', 'jwt', 'token'])
    .optional()
    .describe('How this process logs in to Vault. Absent: Vault is not used, and what needs it is refused.'),
  BAKEHOUSE_VAULT_AUTH_MOUNT: text()
    .optional()
    .describe('Where the auth method is mounted. By default at its name.'),
  BAKEHOUSE_VAULT_ROLE_ID: text().optional().describe('Role id of AppRole.'),
  BAKEHOUSE_VAULT_SECRET_ID: token().optional().describe('Secret id of AppRole.'),
  BAKEHOUSE_VAULT_SECRET_ID_FILE: text()
    .optional()
    .describe('File with the secret id, or with a wrapping token that holds it; read again at each login.'),
  BAKEHOUSE_VAULT_ROLE: text().optional().describe('Role of the JWT login.'),
  BAKEHOUSE_VAULT_JWT_FILE: text()
    .optional()
    .describe('File with the JWT (of a Kubernetes service account, of CI); read again at each login.'),
  BAKEHOUSE_VAULT_TOKEN: token().optional().describe('Token for `BAKEHOUSE_VAULT_AUTH=token`.'),
  BAKEHOUSE_VAULT_TOKEN_FILE: text().optional().describe('File with the token, read again when it is over.'),
  BAKEHOUSE_VAULT_TOKEN_ROLE: text()
    .optional()
    .describe(
      "Token role that makes the tokens of bakes; it must have `orphan=true`, so that they outlive our login. Absent: they are children of it, and it must last as long as a bake's time limit.",
    ),
  BAKEHOUSE_REGISTRY_URL: z
    .url({
      protocol: /^https$/,
      error: 'is not an https address: write for example https://bakehouse.example.org',
    })
    .optional()
    .describe(
      "Where Packer on a bake host reaches the server, for templates with `hcp_packer_registry`. Absent: the server's own place under `bakehouse up`, else such templates are refused.",
    ),
  BAKEHOUSE_REGISTRY_CA: text()
    .optional()
    .describe(
      "File with the authority of that server's certificate, PEM, where the bake host does not know it.",
    ),
  BAKEHOUSE_VAULT_TRANSIT: text()
    .refine((value) => /^[^/]+(\/[^/]+)+$/.test(value), {
      message: 'is not mount/key: write for example transit/bakehouse',
    })
    .prefault('transit/bakehouse')
    .describe('Mount and key of the transit engine that payload keys are wrapped with.'),
  BAKEHOUSE_LOG_LEVEL: oneOf(logLevels)
    .default('info')
    .describe(`Least level logged: ${logLevels.join(', ')}.`),
  BAKEHOUSE_LOG_FORMAT: oneOf(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('`json`, `pretty`, or `auto`: pretty on a terminal, else JSON lines. Logs go to stderr.'),
  BAKEHOUSE_POSTGRES_PORT: port()
    .optional()
    .describe(
      'Port of the PostgreSQL that `bakehouse up` starts. By default the one of last time, or a free one.',
    ),
  BAKEHOUSE_TEMPORAL_PORT: port()
    .optional()
    .describe(
      'Port of the Temporal server that `bakehouse up` starts. By default the one of last time, 7233, or a free one.',
    ),
  BAKEHOUSE_TEMPORAL_UI_PORT: port()
    .optional()
    .describe(
      'Port of the Temporal UI that `bakehouse up` starts. By default the one of last time, 8233, or a free one.',
    ),
  BAKEHOUSE_TOOLS: text()
    .optional()
    .describe('File that says where the programs are. By default `.tools/tools.json` of the installation.'),
  BAKEHOUSE_SEED_IMAGE: text().optional().describe('The small qcow2 image that the examples start from.'),
  BAKEHOUSE_CACHE: text().optional().describe('Folder for slow builds that are kept between clones.'),
});
