/** Commands that start a process of Bakehouse, or look at this machine. Their code is loaded when they run. */
import type { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';
import type { NewKeyOptions } from './keys.ts';

const settingsWords = 'Settings come from the environment; docs/reference/config.md lists them.';

export function addProcesses(program: Command): void {
  const up = describe(program, {
    usage: 'up',
    summary: 'Starts everything on this machine: PostgreSQL, Temporal, server, worker, bake host',
    details: `After a crash, start it again: it adopts or ends what was left. ${settingsWords}`,
    examples: ['bakehouse up', 'BAKEHOUSE_DATA_DIR=/srv/bakehouse bakehouse up'],
    shared: ['dataDir', 'json'],
  });
  act(up, async (context) => (await import('./up.ts')).up(context));

  const down = describe(program, {
    usage: 'down',
    summary: 'Ends what `bakehouse up` started in this data folder, also what a killed one left',
    details: 'Bakes go on by themselves and are found again by the next `up`, unless --end-bakes is given.',
    examples: ['bakehouse down', 'bakehouse down --end-bakes'],
    shared: ['dataDir', 'json'],
  }).option('--end-bakes', 'also end Packer where it still runs');
  act<{ endBakes?: true }>(down, async (context, options) =>
    (await import('./up.ts')).down(context, options.endBakes === true),
  );

  const server = describe(program, {
    usage: 'server',
    summary: 'The HTTP server and the relay to Temporal; any number may run',
    details: settingsWords,
    examples: ['DATABASE_URL=postgres://… BAKEHOUSE_TOKEN_FILE=/run/secrets/token bakehouse server'],
    shared: [],
  });
  act(server, async () => {
    const [{ runProcess }, { startServer }] = await Promise.all([
      import('./run.ts'),
      import('../../http/main.ts'),
    ]);
    await runProcess('server', startServer);
  });

  const worker = describe(program, {
    usage: 'worker',
    summary: 'Runs workflows and light activities; any number may run',
    details: settingsWords,
    examples: ['DATABASE_URL=postgres://… TEMPORAL_ADDRESS=temporal:7233 bakehouse worker'],
    shared: [],
  });
  act(worker, async () => {
    const [{ runProcess }, { startWorker }] = await Promise.all([
      import('./run.ts'),
      import('../../worker/main.ts'),
    ]);
    await runProcess('worker', startWorker);
  });

  const host = describe(program, {
    usage: 'bake-host',
    summary: 'Runs Packer and test launches; one for each data folder',
    details: `It may be killed at any time: its bakes go on, and it finds them again. ${settingsWords}`,
    examples: ['DATABASE_URL=postgres://… TEMPORAL_ADDRESS=temporal:7233 bakehouse bake-host'],
    shared: [],
  });
  act(host, async () => {
    const [{ runProcess }, { startBakeHost }] = await Promise.all([
      import('./run.ts'),
      import('../../worker/bake-host.ts'),
    ]);
    await runProcess('bake-host', startBakeHost);
  });

  const doctor = describe(program, {
    usage: 'doctor',
    summary: 'Is everything here that this machine needs; what to do where not',
    examples: ['bakehouse doctor'],
  });
  act(doctor, async (context) => (await import('./doctor.ts')).doctor(context));

  const keys = describe(program, {
    usage: 'keys <action>',
    summary: 'Keys that encrypt what Temporal keeps of inputs, results and messages',
    details:
      '`new` makes the key file, mode 0600, or puts a new key first in it; the earlier ones stay readable. No key is printed.\nA wrapped key stands in the file as ciphertext only: each process has it unwrapped by Vault once, when it starts.',
    examples: [
      'bakehouse keys new --file /etc/bakehouse/payload-keys',
      'bakehouse keys new --wrapped',
      'bakehouse keys new --wrapped vault:v1:8SDd3WHDOjf7mq…',
    ],
    shared: ['json'],
  })
    .option('--file <path>', 'the key file (BAKEHOUSE_PAYLOAD_KEYS_FILE)')
    .option(
      '--wrapped [ciphertext]',
      "have the new key wrapped by Vault's transit engine (BAKEHOUSE_VAULT_TRANSIT), or take one that it made and wrapped",
    );
  act<NewKeyOptions>(keys, async (context, options, [action = '']) => {
    if (action !== 'new')
      throw new Failure('invalid_input', `there is no \`keys ${action}\`: write \`keys new\``);
    return (await import('./keys.ts')).newKey(context, options);
  });
}
