import { afterAll, beforeAll, expect, it } from 'vitest';

import { createCredentials } from '../../src/activities/credentials.ts';
import { ended, expectOneImage } from '../kill/clean-slate.ts';
import { ask, project } from '../kill/lines.ts';
import { attemptOf, killMachine, theHost } from '../kill/machines.ts';
import { until } from '../support/installation.ts';
import { installWithVault, type VaultInstallation } from './leasing-bake.ts';

let all: VaultInstallation;

beforeAll(async () => {
  all = await installWithVault({
    BAKEHOUSE_HOST_AWAY: '3s',
    BAKEHOUSE_HEARTBEAT_TIMEOUT: '3s',
    BAKEHOUSE_PACKER_GRACE: '1s',
    BAKEHOUSE_HOST_MARGIN: '1s',
  });
  await all.apply({ timeLimitMs: 45_000 });
}, 120_000);
afterAll(() => all.stop(), 60_000);

it('the credentials of a host that never comes back are ended by the worker, before the bake’s time is over', async () => {
  const { installation, bao } = all;
  const { packer } = installation;
  packer.hold('built');
  const request = await ask(installation, 'slow');
  await until('Packer waits', () => packer.reached('built'), 60_000);
  const lost = await attemptOf(installation, request);
  expect(await bao.leases()).toHaveLength(1);

  await killMachine(installation, theHost(installation));
  packer.release('built');
  await installation.addHost();
  await until('the lease is gone', async () => (await bao.leases()).length === 0, 40_000);
  expect(Date.now()).toBeLessThan(Date.parse(lost.deadline));
  await all.expectNoCredentials();

  await expectOneImage(installation, await ended(installation, request, 120_000));
  await all.expectNoCredentials();
}, 240_000);

it('the credentials of a bake whose workflow and host are both gone are ended by the worker', async () => {
  const { registry } = all.installation;
  const issuer = createCredentials({ ledger: registry.ledger, bakes: registry.bakes, vault: undefined });
  // Nobody's any more: its attempt has ended, and its entry was left open.
  const [version] = await registry.versions.list(project, 'slow', {});
  const attempts = all.installation.database.store.db.selectFrom('bake_attempt').select('id');
  const row = await attempts.where('version_id', '=', version?.id ?? '').executeTakeFirstOrThrow();
  const { auth } = await all.bao.write('auth/token/create', { ttl: '1h' });
  const mark = `token ${auth.accessor}`;
  await registry.ledger.open({ id: 'left-open', owner: row.id, kind: 'credential', mark, target: null });
  await expect(issuer.revoke(row.id)).rejects.toThrow('this process was told of none');
  await until(
    'the token is gone',
    async () => !(await all.bao.list('auth/token/accessors')).includes(auth.accessor),
  );
  await all.expectNoCredentials();
});
