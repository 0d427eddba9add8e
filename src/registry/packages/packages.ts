import type { Store } from '../../store/store.ts';
import type { Packages } from '../contract/packages.ts';
import { findBuild } from '../sboms/find-build.ts';
import { findBucketId } from '../views/find.ts';
import { pointedChannels } from './channels.ts';
import { listPackages } from './list.ts';
import { bucketScope, buildScope } from './scope.ts';
import { listVulnerabilities, listVulnerable, summarise } from './vulnerable.ts';

export function createPackages({ db }: Store): Packages {
  return {
    async ofBuild(at, filter, page) {
      await findBuild(db, at);
      return listPackages(db, buildScope(at.buildId), filter, page);
    },
    async ofBucket({ project, bucket }, filter, page) {
      return listPackages(db, bucketScope(await findBucketId(db, project, bucket)), filter, page);
    },
    async vulnerable({ project, bucket, sight }, filter, page) {
      const id = await findBucketId(db, project, bucket);
      const channels = await pointedChannels(db, project, bucket, sight);
      return listVulnerable(db, id, channels, filter, page);
    },
    async vulnerabilities({ project, bucket, sight }, filter, page) {
      const id = await findBucketId(db, project, bucket);
      const channels = await pointedChannels(db, project, bucket, sight);
      return listVulnerabilities(db, id, channels, filter, page);
    },
    async summary({ project, bucket, sight }) {
      const id = await findBucketId(db, project, bucket);
      return summarise(db, id, await pointedChannels(db, project, bucket, sight));
    },
  };
}
