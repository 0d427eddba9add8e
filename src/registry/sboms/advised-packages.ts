import { Failure } from '../../domain/failure.ts';
import type { NamedPackage } from '../contract/sboms.ts';
import { advisedAs } from '../vulnerabilities/advised-as.ts';

/** Some have thousands of advisories, and each package is compared with each. A whole office suite with its languages has 300. */
const mostOfOneName = 500;

interface AdvisedPackage extends NamedPackage {
  readonly ecosystem: string | null;
  readonly advised_name: string | null;
  readonly advised_version: string | null;
}

/** Throws `invalid_input` for more packages of one name than are compared. */
export function advisedPackages(packages: readonly NamedPackage[]): readonly AdvisedPackage[] {
  const counts = new Map<string, number>();
  return packages.map((one) => {
    const advised = advisedAs(one);
    if (advised !== undefined) {
      const name = `${advised.ecosystem} ${advised.name}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      if (count > mostOfOneName) {
        throw new Failure(
          'invalid_input',
          `the SBOM names more than ${mostOfOneName} packages that are one for advisories: ${name}`,
        );
      }
    }
    return {
      ...one,
      ecosystem: advised?.ecosystem ?? null,
      advised_name: advised?.name ?? null,
      advised_version: advised?.version ?? null,
    };
  });
}
