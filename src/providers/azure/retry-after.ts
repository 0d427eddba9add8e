/** When Azure says to come back: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */

/** Milliseconds, from the headers of the answer behind an error. */
export function retryAfterMs(error: Error, now = Date.now()): number | undefined {
  const ms = Number(header(error, 'retry-after-ms') ?? header(error, 'x-ms-retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const given = header(error, 'retry-after');
  if (given === undefined) return undefined;
  const seconds = Number(given);
  const wait = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(given) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function header(error: Error, name: string): string | undefined {
  if (!('response' in error) || typeof error.response !== 'object' || error.response === null)
    return undefined;
  const headers = 'headers' in error.response ? error.response.headers : undefined;
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value: unknown =
    'get' in headers && typeof headers.get === 'function'
      ? headers.get(name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function longest(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
