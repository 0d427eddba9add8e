/**
 * Messages and stack traces of failures as payloads, so that the codec encrypts them too. Loaded by path: into the workflow bundle, and by
 * clients and workers. Reads failures in clear as well.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
