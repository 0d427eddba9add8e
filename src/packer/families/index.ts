import { amazon } from './amazon.ts';
import { azure } from './azure.ts';
import type { BuilderFamily } from './family.ts';
import { file, none, qemu } from './local.ts';

const families: readonly BuilderFamily[] = [file, none, qemu, ...amazon, azure];

export function familyOf(builderType: string): BuilderFamily | undefined {
  return families.find((family) => family.builders.includes(builderType));
}

/** Plugins whose builders have another prefix than the plugin's name are few; these are the ones people use. */
const pluginOfPrefix: Readonly<Record<string, string>> = {
  amazon: 'github.com/hashicorp/amazon',
  azure: 'github.com/hashicorp/azure',
  docker: 'github.com/hashicorp/docker',
  googlecompute: 'github.com/hashicorp/googlecompute',
  virtualbox: 'github.com/hashicorp/virtualbox',
  vmware: 'github.com/vmware/vmware',
  vsphere: 'github.com/vmware/vsphere',
};

/** What `packer plugins install` takes for a builder; undefined for one that nobody here knows. */
export function pluginFor(builderType: string): string | undefined {
  return familyOf(builderType)?.plugin ?? pluginOfPrefix[builderType.split('-')[0] ?? ''];
}
