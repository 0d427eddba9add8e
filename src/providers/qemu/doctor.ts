/** Is the provider usable here. */
import { access, constants } from 'node:fs/promises';
import { isFailure } from '../../domain/failure.ts';
import { freeBytes } from './errors.ts';
import { runProgram } from './program.ts';
import type { Store } from './store.ts';
import type { QemuTools } from './tools.ts';

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

const comfortableBytes = 1024 ** 3;

export async function doctor(store: Store, tools: QemuTools): Promise<readonly Check[]> {
  const programs = await Promise.all(
    (['qemuSystem', 'qemuImg', 'mformat', 'mcopy'] as const).map((tool) =>
      check(`qemu: ${tool}`, async () => {
        const [first = ''] = (await runProgram(tools, tool, ['--version'])).split('\n');
        return `${tools[tool]?.path}: ${first}`;
      }),
    ),
  );
  const writable = await check('qemu: image store', async () => {
    await store.prepare();
    await access(store.folder, constants.W_OK);
    return `${store.folder} is writable`;
  });
  const room = await check('qemu: room in the image store', async () => {
    const free = await freeBytes(store.folder);
    if (free < comfortableBytes) throw new Error(`only ${free} bytes free: delete images that nobody needs`);
    return `${(free / comfortableBytes).toFixed(1)} GiB free`;
  });
  return [...programs, writable, room];
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { check: name, ok: true, detail: await look() };
  } catch (error) {
    const detail = isFailure(error) || error instanceof Error ? error.message : String(error);
    return { check: name, ok: false, detail };
  }
}
