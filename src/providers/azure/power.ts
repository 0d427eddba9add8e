/** https://learn.microsoft.com/azure/virtual-machines/states-billing */
import type { VirtualMachine } from '@azure/arm-compute';

/** `running`, `stopped` …; undefined until it was first switched on. Of a machine that was read with its instance view. */
export function powerOf({ instanceView }: VirtualMachine): string | undefined {
  const prefix = 'PowerState/';
  return instanceView?.statuses?.find(({ code }) => code?.startsWith(prefix))?.code?.slice(prefix.length);
}
