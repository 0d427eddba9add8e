/** A master boot record with two primary partitions. https://en.wikipedia.org/wiki/Master_boot_record#Sector_layout */
export interface Partition {
  /** In sectors of 512 bytes. */
  readonly start: number;
  readonly length: number;
  readonly type: 'fat32-lba' | 'linux';
  readonly active: boolean;
}

const types = { 'fat32-lba': 0x0c, linux: 0x83 } as const;

/** `bootCode` is at most 440 bytes (syslinux's mbr.bin). Addresses are LBA only; the CHS fields hold "too large". */
export function masterBootRecord(bootCode: Buffer, partitions: readonly Partition[]): Buffer {
  if (bootCode.length > 440) throw new Error(`boot code of ${bootCode.length} bytes does not fit into 440`);
  if (partitions.length > 4) throw new Error('a master boot record holds 4 partitions');
  const sector = Buffer.alloc(512);
  bootCode.copy(sector);
  for (const [index, partition] of partitions.entries()) {
    const at = 446 + index * 16;
    sector.writeUInt8(partition.active ? 0x80 : 0, at);
    sector.writeUIntBE(0xfeffff, at + 1, 3);
    sector.writeUInt8(types[partition.type], at + 4);
    sector.writeUIntBE(0xfeffff, at + 5, 3);
    sector.writeUInt32LE(partition.start, at + 8);
    sector.writeUInt32LE(partition.length, at + 12);
  }
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}
