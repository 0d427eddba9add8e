import { z } from 'zod';
import { hcpRoute, registryPrefix } from '../route.ts';
import { sbom, sbomFormat } from '../schemas/sbom.ts';
import { nothing } from '../values.ts';

const sboms =
  `${registryPrefix}/buckets/{bucket_name}/versions/{fingerprint}/builds/{build_id}/sboms` as const;

/** Go drops what is empty, and sends nothing for a name that is not given. */
const name = z
  .string()
  .regex(/^(?:[A-Za-z0-9-]{3,36})?$/, 'must be 3 to 36 letters, digits or "-"')
  .nullish()
  .transform((value) => (value === '' || value === null ? undefined : value));

export const sbomRoutes = {
  ListSboms: hcpRoute({
    method: 'GET',
    path: sboms,
    operation: 'ListSboms',
    summary: 'SBOMs of a build, by name.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.object({ sboms: z.array(sbom) }),
    errors: ['not_found'],
  }),
  UploadSbom: hcpRoute({
    method: 'PUT',
    path: sboms,
    operation: 'UploadSbom',
    summary:
      'Keeps an SBOM of a build that runs: base64 of zstd of CycloneDX or SPDX JSON, 32 MiB of it at most. The same name again replaces; without a name it gets one.',
    role: 'contributor',
    // What runs already may end.
    whenDeactivated: 'answers',
    fromBakes: 'own version',
    query: nothing,
    body: z.object({ compressed_sbom: z.string().min(1), format: sbomFormat, name }),
    reply: z.object({ sbom }),
    errors: ['not_found', 'illegal_state'],
    bodyLimit: 12 * 1024 * 1024,
  }),
  GetSbom: hcpRoute({
    method: 'GET',
    path: `${sboms}/{sbom_name}`,
    operation: 'GetSbom',
    summary: 'An address to download the JSON of an SBOM from, without a token, for five minutes.',
    role: 'viewer',
    query: nothing,
    body: nothing,
    reply: z.object({ download_url: z.url() }),
    errors: ['not_found'],
  }),
} as const;
