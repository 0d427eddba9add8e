/**
 * Steps of the azure provider under faults: each call that a clean run made answers, in turn, what a cloud at times answers. What was really
 * answered is written down, so that a last case can tell by the provider's source that no call was left out.
 */
import { describe, expect, it } from 'vitest';
import type { CallContext, ImageProvider } from '../../src/providers/provider.ts';
import type { LoggedRequest } from '../clouds/azure/cloud.ts';
import type { Fault, FaultAnswer } from '../clouds/azure/faults.ts';
import { azureCalls, azurePermissions, sources } from '../support/provider-calls.ts';
import type { AzureFixture } from './azure-fixture.ts';
import { asTemporalDoes } from './azure-steps.ts';
import { failure } from './provider-fixture.ts';

/** What it needs is made before the faults are. */
export interface Step {
  readonly name: string;
  /** Operations by which it asks for a list first: a list is there. */
  readonly lists?: readonly string[];
  prepare(): Promise<Ready>;
}

export interface Ready {
  act(provider: ImageProvider, context: CallContext): Promise<unknown>;
  /** Whether it ended right. */
  ends(): Promise<void>;
  /** Takes away what the step made, also after it was denied. */
  tidy?(): Promise<void>;
}

/** Operation → what it was really answered. */
export type Answered = Map<string, Set<FaultAnswer>>;

export function saw(answered: Answered, { operation, answer }: Fault): void {
  answered.set(operation, (answered.get(operation) ?? new Set()).add(answer));
}

/** Answers of a fault since so many requests. */
export async function answeredSince(fixture: AzureFixture, from: number, fault: Fault): Promise<number> {
  const log = (await fixture.cloud.requests()).slice(from);
  return log.filter((one) => one.operation === fault.operation && one.fault === fault.answer).length;
}

/** Tokens are another service's; whoever may begin an operation may ask how far it is. */
const neverDenied = new Set(['POST token', 'GET operations']);

/** That the refusal of a call changes nothing, with the reason. */
const bestEffort: ReadonlyMap<string, string> = new Map([
  ['DELETE virtualMachines/runCommands', "a command that cannot be taken back goes with the machine's group"],
]);

/**
 * What was not made by us a moment ago is not forgotten by Azure: a list, or what the platform made, is not answered `not-found`; nor is
 * what Azure answers itself when it is told to make or delete something.
 */
const mayBeForgotten =
  /^(?!PUT resourceGroups$)((GET|PUT|PATCH|POST) (?!galleries$|resources$|providers$|virtualMachineScaleSets|galleries\/share$)|DELETE resourceGroups$)/;

function faultsOf(requests: readonly LoggedRequest[], lists: readonly string[] = []): readonly Fault[] {
  const operations = [...new Set(requests.map((one) => one.operation))].filter((one) => one !== 'POST token');
  return operations.flatMap((operation): readonly Fault[] => [
    { operation, answer: 'throttled', times: 3 },
    { operation, answer: 'server-error' },
    { operation, answer: 'timeout-after-effect' },
    ...(mayBeForgotten.test(operation) && !lists.includes(operation)
      ? [{ operation, answer: 'not-found' as const }]
      : []),
  ]);
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'read',
  PUT: 'write',
  PATCH: 'write',
  DELETE: 'delete',
  POST: 'action',
};

/** As Azure's access control calls it, without the namespace. */
export function permissionOf(operation: string): string {
  const [method = '', type = ''] = operation.split(' ');
  return `${type}/${verbs[method] ?? ''}`;
}

export function faultSuite(steps: readonly Step[], open: () => AzureFixture, answered: Answered): void {
  describe.each(steps)('$name', { timeout: 240_000 }, (step) => {
    const cleanRun = async () => {
      const { cloud } = open();
      const ready = await step.prepare();
      const before = (await cloud.requests()).length;
      await asTemporalDoes((with_) => ready.act(open().open(), with_));
      const requests = (await cloud.requests()).slice(before);
      await ready.ends();
      await ready.tidy?.();
      return requests;
    };

    it('ends right, once, whatever each of its calls answers', async () => {
      const fixture = open();
      const faults = faultsOf(await cleanRun(), step.lists);
      expect(faults.length).toBeGreaterThan(2);
      for (const fault of faults) {
        const about = `${fault.operation} answered ${fault.answer}`;
        const ready = await step.prepare();
        const before = (await fixture.cloud.requests()).length;
        await fixture.cloud.fault(fault);
        await asTemporalDoes((with_) => ready.act(fixture.open(), with_)).catch((error: unknown) => {
          throw new Error(`${about}: ${String(error)}`, { cause: error });
        });
        await fixture.cloud.clearFaults();
        expect(await answeredSince(fixture, before, fault), about).toBeGreaterThan(0);
        await ready.ends();
        await ready.tidy?.();
        saw(answered, fault);
      }
    });

    it('stops and names the permission that each of its calls lacks', async () => {
      const fixture = open();
      const operations = [...new Set((await cleanRun()).map(({ operation }) => operation))];
      for (const operation of operations.filter((one) => !neverDenied.has(one))) {
        const ready = await step.prepare();
        const before = (await fixture.cloud.requests()).length;
        const fault: Fault = { operation, answer: 'access-denied', times: 100 };
        await fixture.cloud.fault(fault);
        const acted = asTemporalDoes((with_) => ready.act(fixture.open(), with_));
        if (bestEffort.has(operation)) await acted;
        else {
          await expect(acted, operation).rejects.toEqual(
            failure('permission_denied', permissionOf(operation), '/subscriptions/', 'assign a role'),
          );
        }
        await fixture.cloud.clearFaults();
        expect(await answeredSince(fixture, before, fault), operation).toBeGreaterThan(0);
        await ready.tidy?.();
        saw(answered, fault);
      }
    });
  });
}

/** What machines of tests are made and ended by; all else is about images. */
const ofMachines: ReadonlySet<string> = new Set([
  'PUT resourceGroups',
  'PUT networkSecurityGroups',
  'PUT virtualNetworks',
  'PUT networkInterfaces',
  'PUT virtualMachines',
  'POST virtualMachines/retrieveBootDiagnosticsData',
  'PUT virtualMachines/runCommands',
  'GET virtualMachines/runCommands',
  'DELETE virtualMachines/runCommands',
  'GET schedules',
  'PUT schedules',
]);

/** One piece of code for every kind, or sent otherwise than its permission is called. */
const otherwise = new Set([
  'resources.getById',
  'resources.beginDeleteByIdAndWait',
  'tagsOperations.beginUpdateAtScopeAndWait',
]);
const others = ['PATCH tags', 'GET schedules'];

/** `DELETE` of the other kinds that are swept by id is the same piece of code as that of a managed image, which is a step here. */
export function leftOut(answered: Answered, about: 'images' | 'machines'): readonly string[] {
  const methods: Readonly<Record<string, string>> = {
    read: 'GET',
    write: 'PUT',
    delete: 'DELETE',
    action: 'POST',
  };
  const called = new Set(sources('azure').flatMap(azureCalls));
  const operations = [...called].flatMap((call) => {
    const shape = /^Microsoft\.\w+\/(?:subscriptions\/)?(.+)\/(read|write|delete|action)$/;
    // Several: a call by id, or a write with the look that ends it. The first is the call's own.
    const permission = azurePermissions[call] ?? '';
    const [own = ''] = typeof permission === 'string' ? [permission] : permission;
    const [, type, verb = ''] = otherwise.has(call) ? [] : (shape.exec(own) ?? []);
    return type === undefined ? [] : [`${methods[verb] ?? ''} ${type}`];
  });
  const wanted = [...new Set([...operations, ...others])].filter(
    (one) => ofMachines.has(one) === (about === 'machines'),
  );
  return wanted
    .flatMap((operation) =>
      (['throttled', 'server-error', 'timeout-after-effect', 'access-denied'] as const).map(
        (answer) => ({ operation, answer }) as const,
      ),
    )
    .filter(({ operation, answer }) => answered.get(operation)?.has(answer) !== true)
    .map(({ operation, answer }) => `${operation}: ${answer}`);
}
