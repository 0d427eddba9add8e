/** What a viewer is not shown of restricted channels, beside the channels themselves. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { project } from '../registry/support/world.ts';
import { useDatabase } from '../support/database.ts';
import type { Api } from './support/api.ts';
import { startApi, tokens } from './support/api.ts';

const database = useDatabase();
let api: Api;
let base: string;
let child: string;

beforeAll(async () => {
  api = startApi(database());
  ({ bucket: base } = await api.world.lineWithVersion());
  ({ bucket: child } = await api.world.lineWithVersion({ parents: [base] }));
  await database()
    .store.db.updateTable('channel')
    .set({ restricted: true })
    .where('name', '=', 'dev')
    .where('bucket_id', '=', (one) => one.selectFrom('bucket').select('id').where('name', '=', base))
    .execute();
});
afterAll(() => api.app.close());

it('events about them, and their names in other events', async () => {
  const trail = async (token: string) =>
    (await api.ok('listEvents', { project, bucket: base, limit: 100 }, token)).events;
  const [all, open] = [await trail(tokens.contributor), await trail(tokens.viewer)];
  const named = (events: typeof all) => new Set(events.map(({ data }) => data['channel']));

  expect(named(all)).toEqual(new Set([undefined, 'latest', 'dev', 'prod']));
  expect(named(open)).toEqual(new Set([undefined, 'prod']));
  expect(open.map(({ kind }) => kind)).toContain('version.completed');
  expect((await api.ok('listEvents', { project, bucket: base, limit: 1 }, tokens.viewer)).events).toEqual(
    open.slice(0, 1),
  );
});

it('promotions to them', async () => {
  const promotion = await api.ok('requestPromotion', {
    project,
    bucket: base,
    channel: 'dev',
    version: 'v1',
    reason: '',
  });
  const other = { project, bucket: base, channel: 'prod', version: 'v1', reason: '' };
  const { id } = await api.ok('requestPromotion', other);
  const ids = async (token: string) =>
    (await api.ok('listPromotions', { project, bucket: base }, token)).promotions.map((one) => one.id);

  expect(await ids(tokens.contributor)).toEqual([id, promotion.id]);
  expect(await ids(tokens.viewer)).toEqual([id]);
  const asked = { project, promotion: promotion.id };
  expect(await api.call('getPromotion', asked, tokens.viewer)).toMatchObject({ status: 404 });
  expect(await api.call('getPromotionGates', asked, tokens.viewer)).toMatchObject({ status: 404 });
  expect(await api.call('getPromotion', asked, tokens.contributor)).toMatchObject({ status: 200 });
});

const parentsSeen = async (token: string) => [
  (await api.ok('getVersion', { project, bucket: child, version: 'v1' }, token)).parents[0],
  (await api.ok('listVersions', { project, bucket: child }, token)).versions[0]?.parents[0],
];

it('the channel that a parent was taken from', async () => {
  expect(await parentsSeen(tokens.contributor)).toMatchObject([{ channel: 'dev' }, { channel: 'dev' }]);
  expect(await parentsSeen(tokens.viewer)).toMatchObject([
    { bucket: base, channel: null },
    { bucket: base, channel: null },
  ]);
});
