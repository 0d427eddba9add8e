/** Is the provider usable here. */
import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Check, checked } from '../checked.ts';
import { freeBytes } from './errors.ts';
import { runProgram } from './program.ts';
import type { Store } from './store.ts';
import type { Program, QemuTools } from './tools.ts';

const comfortableBytes = 1024 ** 3;

const purposes: Readonly<Record<Program, string>> = {
  qemuSystem: 'boots images',
  qemuImg: 'reads and copies images',
  mformat: 'makes the disk that tells a machine its key',
  mcopy: 'fills that disk',
};

const names: Readonly<Record<Program, string>> = {
  qemuSystem: 'qemu-system-x86_64',
  qemuImg: 'qemu-img',
  mformat: 'mformat',
  mcopy: 'mcopy',
};

export async function doctor(store: Store, tools: QemuTools): Promise<readonly Check[]> {
  const programs = await Promise.all(
    (['qemuSystem', 'qemuImg', 'mformat', 'mcopy'] as const).map((tool) =>
      checked(`qemu: ${names[tool]}`, async () => {
        const [first = ''] = (await runProgram(tools, tool, ['--version'])).split('\n');
        return `${purposes[tool]}: ${tools[tool]?.path}, ${first}`;
      }),
    ),
  );
  const there = nearest(store.folder);
  const writable = await checked('qemu: image store', async () => {
    try {
      await access(there, constants.W_OK | constants.X_OK);
    } catch (error) {
      const message = `${there} is not writable for this user: give it to the user, or set BAKEHOUSE_IMAGE_STORE`;
      throw new Error(message, { cause: error });
    }
    return there === store.folder
      ? `${there} is writable`
      : `${store.folder} will be made at the first start`;
  });
  const room = await checked('qemu: room in the image store', async () => {
    const free = await freeBytes(there);
    const gib = `${(free / comfortableBytes).toFixed(1)} GiB free`;
    if (free >= comfortableBytes) return gib;
    throw new Error(`only ${gib} in ${there}: delete images that nobody needs, or give it more room`);
  });
  return [...programs, writable, room];
}

/** The folder, or the nearest one above it that exists: a look changes nothing. */
function nearest(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));
}
