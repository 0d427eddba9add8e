import type { AncestryState } from '../../../registry/contract/views.ts';
import type { WireVersion } from '../descriptors/schemas/version.ts';
import type { HcpLocation } from '../handler.ts';

const status = {
  undetermined: 'UNDETERMINED',
  up_to_date: 'UP_TO_DATE',
  out_of_date: 'OUT_OF_DATE',
} as const satisfies Record<AncestryState, string>;

export const toWireAncestryStatus = (state: AncestryState) => status[state];

export function toWireAncestry(
  at: HcpLocation,
  bucket: string,
  type: 'parents' | 'children',
  state: AncestryState | null,
): WireVersion['parents'] {
  if (state === null) return null;
  return {
    href: `${hrefOf(at, bucket)}/ancestry?type=ANCESTRY_TYPE_${type.toUpperCase()}`,
    status: status[state],
  };
}

export const hrefOf = ({ organizationId, projectId }: HcpLocation, bucket: string): string =>
  `/packer/2023-01-01/organizations/${organizationId}/projects/${projectId}/buckets/${encodeURIComponent(bucket)}`;
