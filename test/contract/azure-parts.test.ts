/** Rules of the azure provider that need no cloud: names, numbers, times, and what its errors become. */
import { describe, expect, it } from 'vitest';
import { call, callFresh, callOrAbsent, translate } from '../../src/providers/azure/errors.ts';
import { firstScript, nextScript, parseFirst, unpack } from '../../src/providers/azure/guest-script.ts';
import { finish, finishWithin, until } from '../../src/providers/azure/lro.ts';
import { definitionName, launchGroup, versionNumber } from '../../src/providers/azure/names.ts';
import { minuteOfDay } from '../../src/providers/azure/shutdown.ts';
import { failure } from './provider-fixture.ts';

function restError(statusCode: number | undefined, code: string, message = code, headers = {}): Error {
  const error = Object.assign(new Error(message), { name: 'RestError', code, response: { headers } });
  return statusCode === undefined ? error : Object.assign(error, { statusCode });
}

const missing = () => Promise.reject(restError(404, 'ResourceNotFound'));
const parts = (version: string) => version.split('.').map(Number);

function number(ulid: string, tail = ''): string {
  return versionNumber({ bakeId: ulid, imageName: `base-${ulid.toLowerCase()}${tail}` });
}

describe('names', () => {
  it.each([
    ['debian-base-01arz3ndektsv4rrffq69g5fav', 'debian-base'],
    ['debian-base-01arz3ndektsv4rrffq69g5fav-web', 'debian-base'],
    ['collected-1', 'collected'],
    ['single', 'single'],
  ])('of the image %s belong to the definition %s', (image, definition) => {
    expect(definitionName(image)).toBe(definition);
  });

  it('give a bake one version number, a later bake a higher one, and two images two', () => {
    const first = number('01ARZ3NDEKTSV4RRFFQ69G5FAV');
    const [day = 0, ms = 0] = parts(first);

    expect(number('01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBe(first);
    expect(new Date(day * 86_400_000 + ms).toISOString()).toBe('2016-07-30T23:54:10.259Z');
    expect(parts(number('01ARZ3NDEMTSV4RRFFQ69G5FAV')).slice(0, 2)).toEqual([
      day + (ms >= 86_400_000 ? 1 : 0),
      ms + 1,
    ]);
    expect(number('01ARZ3NDEKTSV4RRFFQ69G5FAV', '-web')).not.toBe(first);
    for (const part of parts(first)) expect(part).toBeLessThan(2 ** 31);
  });

  it('of launches are groups that Azure takes, one per launch id', () => {
    expect(launchGroup('launch-1')).toBe('bakehouse-launch-launch-1');
    const odd = ['a/b', 'a b', 'a'.repeat(100), 'a'.repeat(101)].map(launchGroup);

    expect(new Set(odd).size).toBe(4);
    for (const name of odd) expect(name).toMatch(/^[\w-]{1,90}$/);
  });
});

describe('the time limit', () => {
  it.each([
    ['the next whole minute', '2026-01-02T03:04:05Z', '2026-01-02T03:30:10Z', '0331'],
    ['never the minute that runs', '2026-01-02T03:04:05Z', '2026-01-02T03:04:06Z', '0305'],
    ['after midnight', '2026-01-02T23:50:00Z', '2026-01-03T00:10:00Z', '0011'],
    ['soon when it has passed', '2026-01-02T03:04:05Z', '2026-01-01T00:00:00Z', '0305'],
    ['within a day', '2026-01-02T03:04:05Z', '2026-01-09T00:00:00Z', '0205'],
  ])('is %s', (_, now, deadline, minute) => {
    expect(minuteOfDay(new Date(deadline), Date.parse(now))).toBe(minute);
  });
});

describe('an operation that takes longer than its step', () => {
  it('is told to be still under way, for the next try to find', async () => {
    const never = {
      submitted: () => Promise.resolve(),
      serialize: () => Promise.resolve(''),
      pollUntilDone: (options?: { abortSignal?: AbortSignal }) =>
        new Promise<never>((_, reject) => {
          options?.abortSignal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    };

    await expect(finishWithin('change it', never, 20)).rejects.toEqual(
      failure('provider_unavailable', 'still under way after 20 ms'),
    );
  });
});

describe('what is reported of an operation', () => {
  it('is its newest state, also while what it made is waited for', { timeout: 15_000 }, async () => {
    const beats: unknown[] = [];
    const context = {
      signal: new AbortController().signal,
      lastBeat: { operation: 'op', poller: 'of an earlier try' },
      beat: (progress?: unknown) => void beats.push(progress),
    };
    const poller = {
      submitted: () => Promise.resolve(),
      serialize: () => Promise.resolve('of this try'),
      pollUntilDone: () => Promise.resolve(),
    };
    await finish('make it', poller, context, 'op');
    const began = performance.now();
    await until('see it', { everyMs: 100, atMostMs: 10_000, context }, () =>
      Promise.resolve(performance.now() - began > 5_500 ? true : undefined),
    );

    expect(beats.length).toBeGreaterThan(1);
    expect(beats.at(-1)).toEqual({ operation: 'op', poller: 'of this try' });
  });
});

describe('the wrapper around a command', () => {
  it('hands over both outputs in pieces', () => {
    expect(parseFirst('3 /tmp/tmp.x1 4 8\nAAAABBBBBBBB')).toEqual({
      exitCode: 3,
      folder: '/tmp/tmp.x1',
      outBytes: 4,
      errBytes: 8,
      piece: 'AAAABBBBBBBB',
    });
    expect(parseFirst('sh: mktemp: not found')).toBeUndefined();
    expect(unpack('H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==')).toBe('hello');
  });

  it('never puts the command where the shell reads it', () => {
    expect(firstScript(`echo '$(reboot)'`)).not.toContain('reboot');
    expect(nextScript('/tmp/x', 3_500, true)).toContain("rm -rf '/tmp/x'");
  });
});

describe('errors', () => {
  const forbidden =
    "The client 'c' with object id 'c' does not have authorization to perform action 'Microsoft.Compute/disks/write' over scope '/subscriptions/s/x' or the scope is invalid.";
  const linked =
    "The client has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '/a'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/s/subnet' or the linked scope(s) are invalid.";

  it.each([
    [restError(429, 'OperationNotAllowed'), 'rate_limited', ''],
    [restError(429, 'SubscriptionRequestsThrottled'), 'rate_limited', ''],
    [restError(500, 'InternalServerError'), 'provider_unavailable', ''],
    [restError(503, ''), 'provider_unavailable', ''],
    [
      restError(undefined, 'REQUEST_SEND_ERROR', 'read ECONNRESET'),
      'provider_unavailable',
      'does not answer',
    ],
    [restError(undefined, 'ECONNREFUSED', 'connect'), 'provider_unavailable', 'does not answer'],
    [restError(401, 'InvalidAuthenticationToken'), 'provider_credentials', 'client id'],
    [
      restError(403, 'AuthorizationFailed', forbidden),
      'permission_denied',
      'Microsoft.Compute/disks/write on /subscriptions/s/x',
    ],
    [
      restError(403, 'LinkedAuthorizationFailed', linked),
      'permission_denied',
      'subnets/join/action on /subscriptions/s/subnet',
    ],
    [restError(409, 'ScopeLocked', 'a lock'), 'permission_denied', 'a lock'],
    [restError(404, 'ResourceNotFound'), 'not_found', ''],
    [restError(404, 'InvalidResourceType'), 'illegal_state', ''],
    [restError(409, 'AnotherOperationInProgress'), 'provider_unavailable', ''],
    [restError(409, 'Conflict'), 'provider_unavailable', ''],
    [restError(409, 'PropertyChangeNotAllowed'), 'illegal_state', ''],
    [
      restError(
        409,
        'OperationNotAllowed',
        'Operation could not be completed as it results in exceeding approved Total Regional Cores quota.',
      ),
      'resource_exhausted',
      'Ask for more quota',
    ],
    [restError(409, 'OperationNotAllowed', 'the VM is not running'), 'illegal_state', ''],
    [restError(409, 'OperationNotAllowed', 'Another update is in progress'), 'provider_unavailable', ''],
    [restError(409, 'ReferencedResourceNotProvisioned'), 'provider_unavailable', ''],
    [restError(409, 'SkuNotAvailable'), 'resource_exhausted', 'another size'],
    [restError(400, 'InvalidParameter'), 'invalid_input', ''],
    [
      new Error('The long-running operation has failed. QuotaExceeded. no cores'),
      'resource_exhausted',
      'no cores',
    ],
    [
      new Error('The long-running operation has failed. InvalidParameter. the size'),
      'invalid_input',
      'the size',
    ],
    [new Error('Operation was canceled'), 'provider_unavailable', 'canceled'],
    [
      new Error('The long-running operation has failed. InternalError. try again'),
      'provider_unavailable',
      'try again',
    ],
    [
      Object.assign(new Error('invalid_client: AADSTS7000215: Invalid client secret provided.'), {
        name: 'AuthenticationError',
      }),
      'provider_credentials',
      'AADSTS7000215',
    ],
    [
      Object.assign(new Error('Please run az login'), { name: 'CredentialUnavailableError' }),
      'provider_credentials',
      'az login',
    ],
  ] as const)('%s become %s', (error, code, words) => {
    expect(translate('make it', error)).toEqual(failure(code, 'azure: cannot make it', words));
  });

  it.each([
    [{ 'Retry-After': '17' }, 17_000],
    [{ 'x-ms-retry-after-ms': '250' }, 250],
    [{}, undefined],
  ])('carry the delay that %j asks for', (headers, ms) => {
    expect(translate('x', restError(429, 'TooManyRequests', 'x', headers)).retryAfterMs).toBe(ms);
  });

  it('are absence, or not yet there, or the reason of the one who stopped it', async () => {
    const stop = new Error('stop');

    expect(await callOrAbsent('x', missing)).toBeUndefined();
    await expect(callFresh('x', missing)).rejects.toEqual(failure('provider_unavailable', 'a moment ago'));
    await expect(call('x', missing, AbortSignal.abort(stop))).rejects.toBe(stop);
  });
});
