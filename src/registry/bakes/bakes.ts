import type { Store } from '../../store/store.ts';
import { transact } from '../../store/transaction.ts';
import type { Bakes } from '../contract/bakes.ts';
import { loadVersion } from '../versions/load.ts';
import { getArtifact, recordTest } from './artifacts.ts';
import {
  bakeIdOf,
  closeAttempt,
  currentOf,
  loadAttempt,
  loadAttemptsOf,
  openAttempt,
  pinnedParents,
  rememberMarks,
  unwantedOf,
  withUnwantedImages,
} from './attempts.ts';
import { completeVersion } from './complete-version.ts';
import { endVersion } from './end-version.ts';
import { openVersion } from './open-version.ts';
import { recordCopy } from './record-copy.ts';
import { recordBuilds } from './record-builds.ts';

export function createBakes(store: Store): Bakes {
  const { db } = store;
  return {
    openVersion: async (requestId, attempt) =>
      loadVersion(db, await transact(store, (tx) => openVersion(tx, requestId, attempt))),
    async openAttempt(input) {
      await transact(store, (tx) => openAttempt(tx, input));
      return loadAttempt(db, input.attemptId);
    },
    getAttempt: (attemptId) => loadAttempt(db, attemptId),
    pinnedParents: (attemptId) => pinnedParents(db, attemptId),
    attemptsOf: (versionId) => loadAttemptsOf(db, versionId),
    bakeIdOf: (versionId) => bakeIdOf(db, versionId),
    rememberMarks: (attemptId, marks) => transact(store, (tx) => rememberMarks(tx, attemptId, marks)),
    isCurrent: async (attemptId) => (await currentOf(db, [attemptId])).has(attemptId),
    closeAttempt: (attemptId, state) => transact(store, (tx) => closeAttempt(tx, attemptId, state)),
    unwanted: (attemptIds) => unwantedOf(db, attemptIds),
    withUnwantedImages: (hostId) => withUnwantedImages(db, hostId),
    recordBuilds: async (attemptId, builds) =>
      loadVersion(db, await transact(store, (tx) => recordBuilds(tx, attemptId, builds))),
    async completeVersion(versionId, by) {
      await transact(store, (tx) => completeVersion(tx, versionId, by));
      return loadVersion(db, versionId);
    },
    async failVersion(versionId, failure) {
      await transact(store, (tx) => endVersion(tx, versionId, 'failed', failure));
      return loadVersion(db, versionId);
    },
    async cancelVersion(versionId, reason) {
      await transact(store, (tx) =>
        endVersion(tx, versionId, 'cancelled', { code: 'cancelled', message: reason }),
      );
      return loadVersion(db, versionId);
    },
    getArtifact: (artifactId) => getArtifact(db, artifactId),
    recordTest: (test) => transact(store, (tx) => recordTest(tx, test)),
    recordCopy: (copy) => transact(store, (tx) => recordCopy(tx, copy)),
  };
}
