/** Builders that write files on the bake host: all they make must be below the attempt's own folder. */
import type { TemplateSourceFact } from '../template-facts.ts';
import type { BuilderFamily } from './family.ts';
import { uses } from './family.ts';

/** Written below `output_directory`: the qemu builder makes that folder itself and refuses one that exists. */
function below(setting: string, name: (source: TemplateSourceFact) => string): BuilderFamily['missing'] {
  return (source, form) => {
    if (uses(source.body[setting], 'output_directory')) return [];
    const suffix = name(source);
    const path =
      form === 'hcl2' ? `\${var.output_directory}/${suffix}` : `{{user \`output_directory\`}}/${suffix}`;
    return [form === 'hcl2' ? `${setting} = "${path}"` : `"${setting}": "${path}"`];
  };
}

export const qemu: BuilderFamily = {
  builders: ['qemu'],
  plugin: 'github.com/hashicorp/qemu',
  missing: below('output_directory', (source) => source.manifestName),
};

export const file: BuilderFamily = {
  builders: ['file'],
  missing: below('target', (source) => `${source.manifestName}.img`),
};

/** Makes nothing at all. */
export const none: BuilderFamily = { builders: ['null'], missing: () => [] };
