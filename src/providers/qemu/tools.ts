/** The programs of this provider. An absent one is refused with `tool_missing` when it is needed, not before. */
export interface QemuTools {
  readonly qemuSystem?: { readonly path: string };
  readonly qemuImg?: { readonly path: string };
  readonly mformat?: { readonly path: string };
  readonly mcopy?: { readonly path: string };
  /** Offered to templates that declare `seed_image`. */
  readonly seedImage?: { readonly path: string };
}

export type Program = Exclude<keyof QemuTools, 'seedImage'>;

/** Debian package of each. */
export const packageOf: Readonly<Record<Program, string>> = {
  qemuSystem: 'qemu-system-x86',
  qemuImg: 'qemu-utils',
  mformat: 'mtools',
  mcopy: 'mtools',
};
