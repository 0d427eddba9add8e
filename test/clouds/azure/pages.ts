/**
 * Lists in small pages, when the switchboard asks for it: first an empty page, then so many entries on each.
 * https://learn.microsoft.com/rest/api/azure/#async-operations-throttling-and-paging: a page without `nextLink` is the last one, however few
 * entries it has.
 */
import type { Cloud } from './cloud.ts';
import type { Reply } from './wire.ts';

const token = '$skiptoken';

export const isLaterPage = (url: URL): boolean => url.searchParams.has(token);

export function paged({ pageSize, endpoint }: Cloud, url: URL, reply: Reply): Reply {
  const { body } = reply;
  if (pageSize === undefined || typeof body !== 'object' || body === null || !('value' in body)) return reply;
  const { value } = body;
  if (!Array.isArray(value)) return reply;
  const skipped = url.searchParams.get(token);
  const start = Number(skipped ?? 0);
  const end = skipped === null ? 0 : start + pageSize;
  const next = new URL(url.pathname + url.search, endpoint);
  next.searchParams.set(token, String(end));
  const isLast = skipped !== null && end >= value.length;
  return {
    ...reply,
    body: { ...body, value: value.slice(start, end), ...(isLast ? {} : { nextLink: next.href }) },
  };
}
