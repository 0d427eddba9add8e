import type { Cloud } from '../cloud.ts';
import { ArmError } from '../wire.ts';

/** https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found is what a wrong reference answers. */
export function requireLinked(cloud: Cloud, by: string, id: string): void {
  if (cloud.find(id) === undefined)
    throw new ArmError(
      400,
      'InvalidResourceReference',
      `Resource ${id} referenced by resource ${by} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
    );
}
