import { describe, expect, it } from 'vitest';
import { masterBootRecord } from '../../scripts/setup/seed/mbr.ts';
import { newcArchive } from '../../scripts/setup/seed/newc.ts';

describe('the master boot record of the seed', () => {
  const code = Buffer.alloc(440, 0xeb);
  const boot = { start: 2048, length: 49_152, type: 'fat32-lba', active: true } as const;
  const root = { start: 51_200, length: 81_920, type: 'linux', active: false } as const;

  it('has boot code, partitions and signature where a BIOS looks for them', () => {
    const sector = masterBootRecord(code, [boot, root]);

    expect(sector).toHaveLength(512);
    expect(sector.subarray(0, 440)).toEqual(code);
    expect(sector.subarray(510).toString('hex')).toBe('55aa');
    expect(sector.subarray(446, 462).toString('hex')).toBe('80feffff0cfeffff0008000000c00000');
    expect(sector.subarray(462, 478).toString('hex')).toBe('00feffff83feffff00c8000000400100');
    expect(sector.subarray(478, 510)).toEqual(Buffer.alloc(32));
  });

  it('refuses what does not fit', () => {
    expect(() => masterBootRecord(Buffer.alloc(441), [])).toThrow('441 bytes');
    expect(() => masterBootRecord(code, [boot, root, root, root, root])).toThrow('4 partitions');
  });
});

describe('the initramfs archive', () => {
  const archive = newcArchive([
    { path: 'bin', mode: 0o755 },
    { path: 'bin/x', mode: 0o700, content: Buffer.from('hello') },
  ]);
  const field = (at: number, index: number): number =>
    Number.parseInt(archive.subarray(at + 6 + index * 8, at + 14 + index * 8).toString(), 16);

  it('names folder, file and trailer, each padded to four bytes', () => {
    const starts = [...archive.toString('latin1').matchAll(/070701/g)].map(({ index }) => index);

    expect(starts).toHaveLength(3);
    expect(starts.every((at) => at % 4 === 0)).toBe(true);
    expect(field(starts[0]!, 1).toString(8)).toBe('40755');
    expect(field(starts[1]!, 1).toString(8)).toBe('100700');
    expect(field(starts[1]!, 6)).toBe(5);
    expect(archive.toString('latin1')).toContain('TRAILER!!!\0');
  });

  it('belongs to root and is the same bytes each time', () => {
    expect([field(0, 2), field(0, 3), field(0, 5)]).toEqual([0, 0, 0]);
    expect(newcArchive([])).toEqual(newcArchive([]));
  });
});
