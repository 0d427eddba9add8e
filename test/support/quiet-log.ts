import { loadSettings } from '../../src/config/settings.ts';
import type { Logger } from '../../src/observe/logger.ts';
import { createLogger } from '../../src/observe/logger.ts';

/** A real logger whose lines a test reads instead of a person. */
export function quietLog(): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const { log: settings } = loadSettings({});
  return {
    lines,
    log: createLogger({ settings, process: 'test', to: { write: (line) => lines.push(line) } }),
  };
}
