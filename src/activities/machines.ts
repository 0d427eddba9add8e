/** Machines of test launches: near the provider, on a cloud's queue or the host that holds them. Each call finds what an earlier try did. */
import { Context } from '@temporalio/activity';

import { isFailure } from '../domain/failure.ts';
import type { CheckSpec } from '../domain/image-line.ts';
import type { Target } from '../domain/target.ts';
import type { CheckResult, SecretScan } from '../domain/version.ts';
import type {
  BootPace,
  CallContext,
  LaunchInput,
  Machine,
  MachineStatus,
  Providers,
} from '../providers/provider.ts';
import type { Logs } from '../registry/contract/logs.ts';
import { checksWith } from './built-in-checks.ts';
import { callContext } from './call-context.ts';
import { takeMachineAway } from './taking-away.ts';

export interface MachineDeps {
  readonly providers: Providers;
  readonly registry: { readonly logs: Pick<Logs, 'append'> };
}

export interface BootResult {
  readonly booted: boolean;
  readonly bootMs: number | null;
  readonly detail: string;
}

export interface MachineChecks {
  readonly machine: Machine;
  readonly image: LaunchInput['image'];
  readonly checks: readonly CheckSpec[];
  readonly mustBeGone: readonly string[];
  readonly secretScan: SecretScan | null;
}

/** Of a machine beside this process: looking costs nothing, and the look itself waits. */
const besideUs: BootPace = { firstMs: 500, mostMs: 500 };
const paceGrowth = 1.5;
/** The last look is no earlier than the limit, whatever a timer's millisecond. */
const shortestMs = 10;
/** Of what a check saw. */
const detailChars = 2_000;

export function createMachineActivities({ providers, registry: { logs } }: MachineDeps) {
  const machinesOf = (target: Target) => providers.get(target.provider).machines;

  return {
    async launchMachine(input: LaunchInput): Promise<Machine> {
      return machinesOf(input.image.target).launch(input, callContext());
    },

    /** Waits until commands are accepted, the machine has stopped, or the instant has passed. */
    async awaitBoot(machine: Machine, until: string): Promise<BootResult> {
      const context = Context.current();
      const { firstMs, mostMs } = machinesOf(machine.target).bootPace ?? besideUs;
      for (let pauseMs = firstMs; ; pauseMs = Math.min(Math.round(pauseMs * paceGrowth), mostMs)) {
        const status = await statusOf(machine);
        if ('refusal' in status) return { booted: false, bootMs: null, detail: bounded(status.refusal) };
        const { state, bootMs, why: said } = status;
        if (state === 'booted') return { booted: true, bootMs: bootMs ?? null, detail: bootedWords(machine) };
        const late = Date.now() >= Date.parse(until);
        if (late || state !== 'starting') {
          const lines = (await machinesOf(machine.target).console(machine)).trimEnd().split('\n').slice(-15);
          const reason = said === undefined ? '' : ` (${said})`;
          const why = late ? 'did not boot in time' : `is ${state} instead of booting${reason}`;
          return {
            booted: false,
            bootMs: null,
            detail: bounded(`${why}; last console lines:\n${lines.join('\n')}`),
          };
        }
        context.heartbeat({ state });
        const leftMs = Date.parse(until) - Date.now();
        await context.sleep(Math.max(shortestMs, Math.min(pauseMs, leftMs)));
      }
    },

    /** All checks, the built-in ones first; one that fails does not stop the others. */
    async checkMachine({
      machine,
      image,
      checks,
      mustBeGone,
      secretScan,
    }: MachineChecks): Promise<readonly CheckResult[]> {
      const provider = providers.get(machine.target.provider);
      const context = callContext();
      const results: CheckResult[] = [];
      const { looked, leftOut } = checksWith(machine.shell ?? 'posix');
      for (const check of looked) {
        const seen = await check.look({ provider, machine, image, mustBeGone, secretScan, context });
        if (seen !== undefined) results.push({ name: check.name, ...seen, detail: bounded(seen.detail) });
        context.beat({ done: check.name });
      }
      results.push(...leftOut);
      for (const [index, check] of checks.entries()) {
        results.push(await ownCheck(check, machine, context, `${machine.launchId}/check-${String(index)}`));
        context.beat({ done: check.name });
      }
      return results;
    },

    async storeConsole(machine: Machine): Promise<void> {
      const text = await machinesOf(machine.target).console(machine);
      if (text !== '') await logs.append(machine.launchId, 0, text);
    },

    /** Also finds what a `launchMachine` left that never answered. */
    async terminateMachine(launchId: string, target: Target): Promise<void> {
      await takeMachineAway(providers.get(target.provider), launchId, target);
    },
  };

  /** A provider that gives up a boot says so by failing; it is a test's result like any other. */
  async function statusOf(machine: Machine): Promise<MachineStatus | { readonly refusal: string }> {
    try {
      return await machinesOf(machine.target).status(machine);
    } catch (error) {
      if (isFailure(error) && error.code === 'test_failed') return { refusal: error.message };
      throw error;
    }
  }

  async function ownCheck(
    check: CheckSpec,
    machine: Machine,
    context: CallContext,
    runId: string,
  ): Promise<CheckResult> {
    const machines = machinesOf(machine.target);
    if (check.kind === 'console') {
      const passed = new RegExp(check.pattern, 'm').test(await machines.console(machine));
      return {
        name: check.name,
        passed,
        detail: `/${check.pattern}/ ${passed ? 'is' : 'is not'} on the console`,
      };
    }
    const { exitCode, stdout, stderr } = await machines.run(
      machine,
      check.command,
      check.timeoutMs,
      context,
      runId,
    );
    const output = [stdout, stderr].filter((text) => text !== '').join('\n');
    return {
      name: check.name,
      passed: exitCode === 0,
      detail: bounded(`exit ${String(exitCode)}${output === '' ? '' : `\n${output}`}`),
    };
  }
}

const bootedWords = ({ shell }: Machine): string =>
  shell === 'none' ? 'it is up, and takes no commands' : 'commands are accepted';

const bounded = (text: string) => (text.length <= detailChars ? text : `…${text.slice(1 - detailChars)}`);
