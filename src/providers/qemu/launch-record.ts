/** `launch.json` of a machine: fixed before QEMU starts. */
import type { LaunchSettings } from './settings.ts';

export interface LaunchRecord {
  readonly launchId: string;
  readonly imageId: string;
  readonly settings: LaunchSettings;
  readonly timeLimitMs: number;
}

/** `booted.json`: written when the machine accepted a command for the first time. */
export interface BootRecord {
  readonly bootMs: number;
  /** Base64 of the host key that every later connection must show. */
  readonly hostKey: string;
}
