/** Templates with an `hcp_packer_registry` block: Packer publishes what they make. Pure. */
import { Failure } from '../domain/failure.ts';
import type { TemplateFacts } from './template-facts.ts';

/** What a template does with a registry while it is baked. */
export interface RegistryUse {
  readonly publishes: boolean;
  readonly reads: boolean;
}

/** Below it the block stands in the build only, and names no channels. */
export const firstPublishing = '1.15.0';

/** The oldest whose client works with this API. */
export const firstReading = '1.11.2';

/** Whose plugins tell Packer what a registry asks of an image. https://developer.hashicorp.com/packer/integrations?flags=hcp-ready */
const ready =
  /^(file|null|amazon-.+|azure-.+|googlecompute|docker|vsphere-.+|digitalocean|vultr|scaleway|hcloud)$/;

/** Packer would find that out after the image is made. */
export function refuseUnready(
  { hcpRegistry }: Pick<TemplateFacts, 'hcpRegistry'>,
  builders: readonly string[],
): void {
  const unready = [...new Set(builders.filter((builder) => !ready.test(builder)))];
  if (!hcpRegistry || unready.length === 0) return;
  throw new Failure(
    'invalid_input',
    `the template publishes by \`hcp_packer_registry\`, and the builder ${unready.join(', ')} is not HCP-ready: Packer would make the image and then fail. Take the block out: Bakehouse records the bake all the same`,
  );
}
