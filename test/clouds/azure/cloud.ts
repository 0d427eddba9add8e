/** The state of the cloud: one map of resources, and what is known of them that no resource shows. */
import { shortDelays } from './delays.ts';
import type { Delays } from './delays.ts';
import { Faults } from './faults.ts';
import type { FaultAnswer } from './faults.ts';
import { key, notFound, parseId } from './ids.ts';
import { Operations } from './operations.ts';
import type { Operation } from './operations.ts';
import type { Tokens } from './tokens.ts';
import { ArmError } from './wire.ts';
import type { Resource } from './wire.ts';

export interface LoggedRequest {
  readonly at: string;
  readonly method: string;
  /** `PUT galleries/images/versions`: see `Fault.operation`. */
  readonly operation: string;
  readonly path: string;
  readonly status: number;
  /** What the switchboard had it answer, in place of what it should or after it. */
  readonly fault?: FaultAnswer;
  /** It asked for a list's next page. */
  readonly laterPage: boolean;
}

export class Cloud {
  readonly tokens: Tokens;
  readonly subscriptions: readonly string[];
  readonly operations = new Operations();
  readonly faults = new Faults();
  readonly requests: LoggedRequest[] = [];
  endpoint = '';
  /** Entries on a page of a list; undefined: all of them. */
  pageSize: number | undefined;
  delays: Delays = { ...shortDelays };
  readonly #resources = new Map<string, Resource<object>>();
  readonly #hidden = new Map<string, Map<symbol, unknown>>();
  readonly #running = new Map<string, Operation>();

  /** Where guests live; whoever made it removes it. */
  readonly folder: string;

  /** What is still being done in `folder` for resources that may be gone by then. */
  readonly #unsettled = new Set<Promise<unknown>>();

  constructor(tokens: Tokens, subscriptions: readonly string[], folder: string) {
    this.folder = folder;
    this.tokens = tokens;
    this.subscriptions = subscriptions;
  }

  find<P extends object>(id: string): Resource<P> | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is under an id was written by the type of resource that the id names.
    return this.#resources.get(key(id)) as Resource<P> | undefined;
  }

  get<P extends object>(id: string): Resource<P> {
    const resource = this.find<P>(id);
    if (resource === undefined) throw notFound(id);
    return resource;
  }

  put(resource: Resource<object>): void {
    this.#resources.set(key(resource.id), resource);
  }

  /** Everything of a type, `Microsoft.Compute/disks`, below an id; a list of ARM is in this order. */
  list<P extends object>(type: string, below = ''): readonly Resource<P>[] {
    return this.all(below).filter((one): one is Resource<P> => key(one.type) === key(type));
  }

  all(below = ''): readonly Resource<object>[] {
    const prefix = below === '' ? '' : `${key(below)}/`;
    return [...this.#resources.entries()].filter(([id]) => id.startsWith(prefix)).map(([, one]) => one);
  }

  /** With all that lies below it. */
  remove(id: string): void {
    for (const one of [id, ...this.all(id).map((child) => child.id)]) {
      for (const kept of this.#hidden.get(key(one))?.values() ?? []) dispose(kept);
      this.#hidden.delete(key(one));
      this.#resources.delete(key(one));
    }
  }

  /** The group a resource is to be written in. */
  requireGroup(subscription: string, group: string): Resource<object> {
    const found = this.find<object>(`/subscriptions/${subscription}/resourceGroups/${group}`);
    if (found === undefined)
      throw new ArmError(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`);
    if (found.properties.provisioningState === 'Deleting')
      throw new ArmError(
        409,
        'ResourceGroupBeingDeleted',
        `The resource group '${group}' is in deprovisioning state and cannot perform this operation.`,
      );
    return found;
  }

  requireParent(id: string): void {
    const { type, names } = parseId(id);
    if (names.length === 1) return;
    const parent = id.split('/').slice(0, -2).join('/');
    if (this.find(parent) === undefined)
      throw new ArmError(
        404,
        'ParentResourceNotFound',
        `Failed to perform 'write' on resource(s) of type '${type.replace(/^[^/]+\//, '')}', because the parent resource '${parent.replace(/^.*\/providers\//i, '')}' could not be found.`,
      );
  }

  /** A value beside a resource, which goes with it. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- each symbol has a type of its own.
  hidden<T>(id: string, name: symbol): T | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each symbol has one writer, which reads it back.
    return this.#hidden.get(key(id))?.get(name) as T | undefined;
  }

  hide(id: string, name: symbol, value: unknown): void {
    const values = this.#hidden.get(key(id)) ?? new Map<symbol, unknown>();
    values.set(name, value);
    this.#hidden.set(key(id), values);
  }

  running(id: string): Operation | undefined {
    const operation = this.#running.get(key(id));
    return operation?.status === 'InProgress' ? operation : undefined;
  }

  run(id: string, operation: Operation): void {
    this.#running.set(key(id), operation);
  }

  /** Keeps `settled` waiting for it. */
  settle(work: Promise<unknown>): void {
    const quiet = work.catch(() => {}).finally(() => this.#unsettled.delete(quiet));
    this.#unsettled.add(quiet);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#unsettled);
  }

  reset(): void {
    this.operations.clear();
    for (const one of this.all()) this.remove(one.id);
    this.#running.clear();
    this.faults.clear();
    this.requests.length = 0;
    this.pageSize = undefined;
    this.delays = { ...shortDelays };
  }
}

function dispose(value: unknown): void {
  if (typeof value === 'object' && value !== null && Symbol.dispose in value)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- that it can be disposed of has just been looked at.
    (value as Disposable)[Symbol.dispose]();
}
