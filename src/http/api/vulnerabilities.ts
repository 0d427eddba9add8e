import { isValid } from 'ulid';
import { Failure } from '../../domain/failure.ts';
import { toAdvisory } from '../osv/advisory.ts';
import type { HandlersOf } from './router.ts';

export const vulnerabilityHandlers: HandlersOf<'importVulnerabilities'> = {
  importVulnerabilities: async ({ import: importId, file, batch, last, advisories }, { deps, actor }) => {
    if (!isValid(importId)) throw new Failure('invalid_input', 'the id of an import is a ULID');
    return deps.registry.vulnerabilities.take({
      importId,
      file,
      batch,
      last,
      advisories: advisories.map(toAdvisory),
      by: actor,
    });
  },
};
