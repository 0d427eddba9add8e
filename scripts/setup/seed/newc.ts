/**
 * cpio archives in the "new ASCII" format, as the kernel unpacks them.
 * https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
 */
export interface ArchiveEntry {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Absent for a folder. */
  readonly content?: Buffer;
}

const regularFile = 0o100000;
const folder = 0o040000;

/** All owned by root and dated 0, so equal inputs give equal bytes. Folders must come before what is in them. */
export function newcArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts = entries.flatMap((entry, index) => record(entry, index + 1));
  return Buffer.concat([...parts, ...record({ path: 'TRAILER!!!', mode: 0, content: Buffer.alloc(0) }, 0)]);
}

function record(entry: ArchiveEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const content = entry.content ?? Buffer.alloc(0);
  const mode = (entry.content === undefined ? folder : regularFile) | entry.mode;
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(content)];
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
