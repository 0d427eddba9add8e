/** How long the cloud takes. Milliseconds; the defaults are short, so that a test that is not about time is not slow. */
export interface Delays {
  /** Until an image version is in a region. By region name, or for all. */
  replication: number | Readonly<Record<string, number>>;
  /** Regions where replication ends as `Failed`. */
  replicationFails: readonly string[];
  /** Resource providers that the subscriptions are not registered for. */
  notRegistered: readonly string[];
  /** Creating and changing anything else. */
  write: number;
  vmCreate: number;
  /** From a virtual machine's start until its agent is ready. */
  boot: number;
  /** Until Azure gives up on a generalized image whose guest never reports (20 to 40 minutes in the real one). */
  osProvisioningTimeout: number;
  vmAction: number;
  delete: number;
  groupDelete: number;
  /** Until sharing has reached all regions. */
  sharing: number;
  /** Whole seconds of the Retry-After header of long-running operations. */
  retryAfterSeconds: number;
}

export const shortDelays: Delays = {
  replication: 150,
  replicationFails: [],
  notRegistered: [],
  write: 20,
  vmCreate: 100,
  boot: 100,
  osProvisioningTimeout: 1_000,
  vmAction: 50,
  delete: 50,
  groupDelete: 100,
  sharing: 50,
  retryAfterSeconds: 0,
};

export function replicationMs(delays: Delays, region: string): number {
  if (typeof delays.replication === 'number') return delays.replication;
  return delays.replication[region] ?? 150;
}
