/**
 * A family of builders: what must carry the bake id or the attempt's paths, so that whatever a killed Packer leaves can be
 * found. One file per family; `index.ts` lists them.
 */
import type { TemplateSourceFact } from '../template-facts.ts';

export interface BuilderFamily {
  readonly builders: readonly string[];
  /** Plugin to install on Packer 1.7 and later; absent: part of Packer itself. */
  readonly plugin?: string;
  /** What the template declares besides what every template does, for the lines that `missing` asks for. */
  variables?(source: TemplateSourceFact): readonly string[];
  /** What the source lacks, each as the line to write into its block; empty when nothing. */
  missing(source: TemplateSourceFact, form: 'hcl2' | 'json'): readonly string[];
}

/** Whether a value uses the variable, in HCL (`var.x`) or in a legacy template (`user \`x\``). */
export function uses(value: unknown, variable: string): boolean {
  const written = JSON.stringify(value ?? '');
  return new RegExp(`\\bvar\\.${variable}\\b|user \`${variable}\``).test(written);
}
