/** Running a command in a machine, by Systems Manager's Run Command. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CancelCommandCommand,
  GetCommandInvocationCommand,
  paginateListCommands,
  SendCommandCommand,
  type GetCommandInvocationCommandOutput,
} from '@aws-sdk/client-ssm';
import { Failure } from '../../domain/failure.ts';
import type { CallContext, CommandResult, Machine } from '../provider.ts';
import type { Cloud, Place } from './cloud.ts';
import { awsCode, isNotFound } from './errors.ts';
import { commandScript, keptBytes, readFirst, restScripts, unpacked } from './guest-script.ts';
import { handleOf } from './machine-handle.ts';
import { instancesBy, isEnding } from './terminate.ts';
import { pause, stoppable } from './waiting.ts';

/** The shortest that SendCommand takes is 30 s. */
const deliverySeconds = 60;
const fetchMs = 30_000;

/** `runId`: a second call with the same one answers the first one's result, also in pieces: what is fetched once is not there twice. */
export async function runCommand(
  cloud: Cloud,
  machine: Machine,
  command: string,
  timeoutMs: number,
  context: CallContext,
  runId?: string,
): Promise<CommandResult> {
  const { ssm, platform } = handleOf(machine);
  if (!ssm) {
    throw new Failure(
      'illegal_state',
      `aws: machine ${machine.machineId} was launched with launch.ssm: false, so no command can be run in it`,
    );
  }
  let number = 0;
  const ask = (script: string, limitMs: number) => {
    number += 1;
    const mark = runId === undefined ? undefined : markOf(runId, number);
    return invoke(cloud, machine, { script, shown: command, timeoutMs: limitMs, platform, mark }, context);
  };
  const answer = await ask(platform === 'windows' ? command : commandScript(command), timeoutMs);
  const plain = {
    exitCode: answer.ResponseCode ?? -1,
    stdout: answer.StandardOutputContent ?? '',
    stderr: answer.StandardErrorContent ?? '',
  };
  const first = platform === 'windows' ? undefined : readFirst(plain.stdout);
  if (first === undefined) return plain;
  const rest = restScripts(first);
  const fetched = async (scripts: readonly string[]): Promise<string> => {
    const pieces: string[] = [];
    for (const script of scripts) pieces.push((await ask(script, fetchMs)).StandardOutputContent ?? '');
    return pieces.join('');
  };
  const out = first.out + (await fetched(rest.out));
  const err = first.err + (await fetched(rest.err));
  if (rest.out.length + rest.err.length > 0) await ask(rest.tidy, fetchMs);
  return {
    exitCode: first.exitCode,
    stdout: unpacked(out, first.isPacked).slice(-keptBytes),
    stderr: unpacked(err, first.isPacked).slice(-keptBytes),
  };
}

interface Script {
  readonly script: string;
  /** The command as it was given, for messages. */
  readonly shown: string;
  readonly timeoutMs: number;
  readonly platform: 'linux' | 'windows';
  /** In the comment of the command, so that it is found again. */
  readonly mark: string | undefined;
}

/** SendCommand has no client token; a comment of at most 100 characters is what it keeps of ours. */
const markOf = (runId: string, number: number): string =>
  createHash('sha256').update(`${runId}\n${number}`).digest('hex').slice(0, 32);

async function invoke(
  cloud: Cloud,
  machine: Machine,
  script: Script,
  context: CallContext,
): Promise<GetCommandInvocationCommandOutput> {
  const place = cloud.at(machine.target);
  context.signal.throwIfAborted();
  const known = await stoppable(context.signal, sentBefore(cloud, place, machine, script, context));
  const asked = {
    CommandId: known ?? (await send(place, machine, script)),
    InstanceId: machine.machineId,
  };
  const giveUpAt = performance.now() + script.timeoutMs + deliverySeconds * 1_000;
  try {
    for (;;) {
      await pause(context, Math.min(cloud.pace.shortPollMs, 5_000), { phase: 'command' });
      const answer = await stoppable(context.signal, look(place, asked));
      if (answer !== undefined && asked.CommandId === known && wasNotRun(answer)) {
        asked.CommandId = await send(place, machine, script);
      } else if (answer !== undefined && ended.has(answer.Status ?? '')) {
        checkEnd(answer, machine, script);
        return answer;
      }
      if (performance.now() > giveUpAt) throw tooLate(machine, script);
    }
  } catch (error) {
    // What nobody waits for must not go on; that it cannot be stopped changes nothing about why it is given up.
    if (context.signal.aborted || performance.now() > giveUpAt) {
      await place.ssm
        .send(new CancelCommandCommand({ CommandId: asked.CommandId, InstanceIds: [machine.machineId] }))
        .catch(() => undefined);
    }
    throw error;
  }
}

/** An earlier try's that did not reach the machine, or that the earlier try took back when it was ended. */
const wasNotRun = ({ Status, StatusDetails = '' }: GetCommandInvocationCommandOutput): boolean =>
  Status === 'Cancelled' || /Delivery|Undeliverable/.test(StatusDetails);

/** The command that an earlier try sent. After a try that said something, one that was just sent is given the time to be listed. */
async function sentBefore(
  cloud: Cloud,
  place: Place,
  machine: Machine,
  { mark }: Script,
  context: CallContext,
): Promise<string | undefined> {
  if (mark === undefined) return undefined;
  const wasTried = context.lastBeat !== undefined && context.lastBeat !== null;
  const until = performance.now() + (wasTried ? cloud.pace.neverMadeMs : 0);
  // What is beaten before it is sent tells the next try that there may be one.
  context.beat({ phase: 'command' });
  for (;;) {
    const found = await listed(place, machine, mark);
    if (found !== undefined || performance.now() >= until) return found;
    await delay(Math.min(cloud.pace.shortPollMs, 1_000), undefined, { signal: context.signal });
  }
}

async function listed(place: Place, machine: Machine, mark: string): Promise<string | undefined> {
  try {
    const input = { InstanceId: machine.machineId };
    for await (const { Commands = [] } of paginateListCommands({ client: place.ssm, pageSize: 50 }, input)) {
      const found = Commands.find(({ Comment }) => Comment === commentOf(machine, mark));
      if (found?.CommandId !== undefined) return found.CommandId;
    }
    return undefined;
  } catch (error) {
    throw await explained(place, machine, error);
  }
}

const commentOf = ({ launchId }: Machine, mark = ''): string =>
  `bakehouse ${launchId.slice(0, 50)} ${mark}`.trim();

const ended = new Set(['Success', 'Failed', 'TimedOut', 'Cancelled']);

async function send(place: Place, machine: Machine, script: Script): Promise<string> {
  const { script: text, timeoutMs, platform, mark } = script;
  const request = new SendCommandCommand({
    InstanceIds: [machine.machineId],
    DocumentName: platform === 'windows' ? 'AWS-RunPowerShellScript' : 'AWS-RunShellScript',
    TimeoutSeconds: deliverySeconds,
    Comment: commentOf(machine, mark),
    Parameters: { commands: [text], executionTimeout: [String(Math.max(1, Math.ceil(timeoutMs / 1_000)))] },
  });
  try {
    const { Command } = await place.ssm.send(request);
    if (Command?.CommandId !== undefined) return Command.CommandId;
    throw new Failure(
      'provider_unavailable',
      `aws: SendCommand answered no command for ${machine.machineId}`,
    );
  } catch (error) {
    throw await explained(place, machine, error);
  }
}

/** InvalidInstanceId is said of a machine that is gone, and of one whose agent is not online. */
async function explained(place: Place, machine: Machine, error: unknown): Promise<unknown> {
  if (awsCode(error) !== 'InvalidInstanceId') return error;
  const [instance] = await instancesBy(place, 'instance-id', [machine.machineId]);
  if (instance === undefined || isEnding(instance)) {
    return new Failure(
      'illegal_state',
      `aws: machine ${machine.machineId} of launch ${machine.launchId} is not there: it was terminated`,
      { cause: error },
    );
  }
  return new Failure(
    'provider_unavailable',
    `aws: machine ${machine.machineId} does not accept commands: its Systems Manager agent is not online`,
    { cause: error },
  );
}

/** Undefined while the command is not known there. */
async function look(
  { ssm }: Place,
  asked: { readonly CommandId: string; readonly InstanceId: string },
): Promise<GetCommandInvocationCommandOutput | undefined> {
  try {
    return await ssm.send(new GetCommandInvocationCommand(asked));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function checkEnd(answer: GetCommandInvocationCommandOutput, machine: Machine, script: Script): void {
  const { Status: status, StatusDetails: details = '' } = answer;
  if (/Delivery|Undeliverable|Terminated/.test(details)) {
    throw new Failure(
      details === 'Terminated' ? 'test_failed' : 'provider_unavailable',
      `aws: machine ${machine.machineId} did not take the command (${details}): ${script.shown}`,
    );
  }
  if (status === 'TimedOut') throw tooLate(machine, script);
  if (status === 'Cancelled') {
    throw new Failure(
      'test_failed',
      `aws: machine ${machine.machineId}: somebody cancelled the command: ${script.shown}`,
    );
  }
}

const tooLate = (machine: Machine, { shown, timeoutMs }: Script): Failure =>
  new Failure(
    'test_failed',
    `aws: machine ${machine.machineId}: the command did not end within ${timeoutMs} ms: ${shown}`,
  );
