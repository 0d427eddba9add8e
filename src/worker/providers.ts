/** The providers of this installation, in one list. The only place that knows them by name. */
import type { Settings } from '../config/settings.ts';
import type { Tools } from '../config/tools.ts';
import { Failure } from '../domain/failure.ts';
import type { Target } from '../domain/target.ts';
import { supervisor } from '../packer/supervisor/supervisor.ts';
import type { ImageProvider, Providers } from '../providers/provider.ts';
import { createQemuProvider } from '../providers/qemu/index.ts';

export function createProviders(settings: Settings, tools: Tools): Providers {
  const all: readonly ImageProvider[] = [
    createQemuProvider({ storeDir: settings.imageStore, tools, supervise: supervisor }),
  ];
  return {
    all: () => all,
    get(code) {
      const provider = all.find((one) => one.code === code);
      if (provider !== undefined) return provider;
      const known = all.map((one) => one.code).join(', ');
      throw new Failure('unsupported', `there is no provider ${code}; there are: ${known}`);
    },
  };
}

/** Places that are reached from bake hosts only: their calls are served there, not by the worker. */
export const hostBoundTargets: readonly Target[] = [{ provider: 'qemu', account: 'local', region: 'local' }];
