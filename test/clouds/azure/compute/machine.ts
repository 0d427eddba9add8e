/** The inside of a virtual machine: power, guest and console. Beside the resource, and gone with it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createGuest } from '../../../support/clouds/guest.ts';
import type { Guest, GuestOutcome } from '../../../support/clouds/guest.ts';
import type { Content } from '../content.ts';
import type { Cloud } from '../cloud.ts';

export type Power = 'starting' | 'running' | 'stopping' | 'stopped' | 'deallocating' | 'deallocated';

const machine = Symbol('machine');

export class Machine {
  generalized = false;
  console = '';
  readonly #cloud: Cloud;
  readonly #folder: string;
  readonly #content: Content;
  readonly #gone = new AbortController();
  #power: Power = 'starting';
  #readyAt = Infinity;
  #guest: Promise<Guest> | undefined;

  constructor(cloud: Cloud, content: Content) {
    this.#cloud = cloud;
    this.#folder = mkdtempSync(path.join(cloud.folder, 'vm-'));
    this.#content = content;
  }

  /** A guest that shuts itself down is `stopped`, which still costs, and not `deallocated`. */
  get power(): Power {
    if (this.#power === 'running' && existsSync(path.join(this.#root, 'run/powered-off')))
      this.#power = 'stopped';
    return this.#power;
  }

  set power(power: Power) {
    this.#power = power;
    if (power !== 'running') this.#readyAt = Infinity;
  }

  get ready(): boolean {
    return this.power === 'running' && Date.now() >= this.#readyAt;
  }

  get boots(): boolean {
    return this.#content.boots;
  }

  get #root(): string {
    return path.join(this.#folder, 'root');
  }

  /** Switches it on; its agent reports after `bootMs`, unless the image does not boot. */
  async boot(bootMs: number): Promise<void> {
    this.console += '[    0.000000] Linux version 6.1.0 (test cloud)\n';
    if (!this.#content.boots) {
      this.#power = 'running';
      this.console +=
        '[    1.204512] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n';
      return;
    }
    const before = this.#guest;
    this.#guest ??= this.#create();
    const guest = await this.#guest;
    // A new guest has booted once.
    const { bootId, hostKeys } = await (before === undefined ? guest.state() : guest.boot());
    this.console += `[    1.100000] random: boot id ${bootId}\n`;
    this.console += `-----BEGIN SSH HOST KEY FINGERPRINTS-----\n${hostKeys.join('\n')}\n-----END SSH HOST KEY FINGERPRINTS-----\n`;
    this.console += 'guest login: ';
    this.#power = 'running';
    this.#readyAt = Date.now() + bootMs;
  }

  async #create(): Promise<Guest> {
    const guest = await createGuest(this.#root);
    for (const [file, text] of Object.entries(this.#content.files)) {
      const target = path.join(this.#root, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    return guest;
  }

  /** As the agent runs it; it goes on for as long as the machine is there. */
  async run(command: string, timeoutMs: number, signal?: AbortSignal): Promise<GuestOutcome> {
    if (this.#guest === undefined) throw new Error('the machine has no guest');
    const both = signal === undefined ? this.#gone.signal : AbortSignal.any([signal, this.#gone.signal]);
    return (await this.#guest).run(command, timeoutMs, both);
  }

  [Symbol.dispose](): void {
    this.#gone.abort();
    this.#removeFolder();
    // A guest that is being made makes the folder again.
    const making = this.#guest?.catch(() => {}).then(() => this.#removeFolder());
    if (making !== undefined) this.#cloud.settle(making);
  }

  #removeFolder(): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }
}

export function keepMachine(cloud: Cloud, id: string, value: Machine): void {
  cloud.hide(id, machine, value);
}

export function machineOf(cloud: Cloud, id: string): Machine {
  const found = cloud.hidden<Machine>(id, machine);
  if (found === undefined) throw new Error(`no machine behind ${id}`);
  return found;
}
