/** Parts of the `aws` provider that need no cloud: how errors are sorted, what a guest is told, and a cloud that does not answer. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { translated } from '../../src/providers/aws/errors.ts';
import { commandScript, readFirst, restScripts, unpacked } from '../../src/providers/aws/guest-script.ts';
import { createAwsProvider } from '../../src/providers/aws/index.ts';
import { parseLaunchSettings, parsePlaceSettings } from '../../src/providers/aws/settings.ts';
import { userData } from '../../src/providers/aws/user-data.ts';
import { pace, place } from './aws-fixture.ts';
import { failure } from './provider-fixture.ts';

const asked = {
  service: 'ec2',
  operation: 'DisableImage',
  account: '111122223333',
  region: 'eu-central-1',
  caller: 'arn:aws:iam::111122223333:role/bakehouse',
  subject: 'ami-0123456789abcdef0',
};
const error = (name: string, message = 'said so', more: object = {}) =>
  translated(Object.assign(new Error(message), { name, ...more }), asked);

describe('errors of AWS', () => {
  it.each([
    ['RequestLimitExceeded', 'rate_limited'],
    ['Throttling', 'rate_limited'],
    ['ThrottlingException', 'rate_limited'],
    ['TooManyRequestsException', 'rate_limited'],
    ['ConcurrentSnapshotLimitExceeded', 'rate_limited'],
    ['InternalError', 'provider_unavailable'],
    ['ServiceUnavailable', 'provider_unavailable'],
    ['Unavailable', 'provider_unavailable'],
    ['TimeoutError', 'provider_unavailable'],
    ['InsufficientInstanceCapacity', 'provider_unavailable'],
    ['UnauthorizedOperation', 'permission_denied'],
    ['AccessDeniedException', 'permission_denied'],
    ['AuthFailure', 'provider_credentials'],
    ['ExpiredTokenException', 'provider_credentials'],
    ['CredentialsProviderError', 'provider_credentials'],
    ['ResourceLimitExceeded', 'resource_exhausted'],
    ['PendingSnapshotLimitExceeded', 'rate_limited'],
    ['MaxSpotInstanceCountExceeded', 'resource_exhausted'],
    ['VPCIdNotSpecified', 'invalid_input'],
    ['VPCResourceNotSpecified', 'invalid_input'],
    ['TagPolicyViolation', 'invalid_input'],
    ['SnapshotLocked', 'illegal_state'],
    ['InstanceLimitExceeded', 'resource_exhausted'],
    ['VcpuLimitExceeded', 'resource_exhausted'],
    ['InvalidAMIID.NotFound', 'not_found'],
    ['InvalidAMIID.Unavailable', 'not_found'],
    ['InvalidAMIName.Duplicate', 'already_exists'],
    ['DependencyViolation', 'conflict'],
    ['IncorrectState', 'illegal_state'],
    ['InvalidParameterValue', 'invalid_input'],
    ['SomethingNew', 'internal'],
  ] as const)('%s is %s', (name, code) => {
    expect(error(name)).toEqual(failure(code, '111122223333', 'eu-central-1', 'ec2:DisableImage'));
  });

  it('that pass once others have ended are asked again after a minute', () => {
    const words = 'You have exceeded the limit of copies in progress';

    expect(error('ResourceLimitExceeded', words)).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 60_000,
    });
    expect(error('PendingSnapshotLimitExceeded')).toMatchObject({ retryAfterMs: 60_000 });
  });

  it('say of what belongs to others that it does, not that the credentials are bad', () => {
    for (const words of ['Not authorized for image:ami-1', 'Not authorized for snapshot:snap-1'])
      expect(error('AuthFailure', words)).toEqual(failure('permission_denied', 'another account', words));
    expect(error('AuthFailure', 'Not authorized for images: [ami-1]')).toMatchObject({ code: 'not_found' });
  });

  it('name the setting that is missing', () => {
    expect(error('VPCIdNotSpecified', 'No default VPC for this user')).toEqual(
      failure('invalid_input', 'launch.subnetId'),
    );
  });

  it('keep the wait that the service asks for', () => {
    const reply = { $metadata: { httpStatusCode: 429 }, $response: { headers: { 'retry-after': '7' } } };

    expect(error('Busy', 'later', reply)).toMatchObject({ code: 'rate_limited', retryAfterMs: 7_000 });
  });

  it('are no answer when the line or the service breaks', () => {
    expect(error('Error', 'socket hang up', { code: 'ECONNRESET' })).toMatchObject({
      code: 'provider_unavailable',
    });
    expect(error('SyntaxError', 'html', { $metadata: { httpStatusCode: 502 } })).toMatchObject({
      code: 'provider_unavailable',
    });
  });

  it('name who lacks which permission, without what only administrators can read', () => {
    const words =
      'You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/bakehouse/x is not authorized to perform: ec2:DisableImage on resource: arn:aws:ec2:eu-central-1::image/ami-1. Encoded authorization failure message: Zm9vYmFy';
    const denied = error('UnauthorizedOperation', words);

    expect(denied).toEqual(
      failure('permission_denied', 'assumed-role/bakehouse/x', 'ec2:DisableImage', 'ami-0123456789abcdef0'),
    );
    expect(isFailure(denied) && denied.message).not.toContain('Zm9vYmFy');
    expect(error('ExpiredToken', words)).toEqual(failure('provider_credentials', 'role/bakehouse'));
  });

  it('are passed on when they are none of the SDK', () => {
    const abort = new DOMException('stop', 'AbortError');

    expect(translated(abort, asked)).toBe(abort);
  });
});

// By standard input: as an argument, a long script does not fit.
const sh = (script: string): string => execFileSync('/bin/sh', ['-s'], { encoding: 'utf8', input: script });

function answerOf(command: string) {
  const first = readFirst(sh(commandScript(command)));
  if (first === undefined) throw new Error('the script did not run');
  const rest = restScripts(first);
  const out = first.out + rest.out.map(sh).join('');
  const err = first.err + rest.err.map(sh).join('');
  const pieces = rest.out.length + rest.err.length;
  if (pieces > 0) sh(rest.tidy);
  return {
    ...first,
    pieces,
    stdout: unpacked(out, first.isPacked),
    stderr: unpacked(err, first.isPacked),
  };
}

describe('a command in a guest', () => {
  it('keeps quotes, exit code and both outputs', () => {
    const said = answerOf(`printf '%s' "it's \\$HOME"; echo é >&2; exit 7`);

    expect(said).toMatchObject({ exitCode: 7, stdout: "it's $HOME", stderr: 'é\n', pieces: 0 });
    expect(existsSync(said.folder)).toBe(false);
  });

  it('is read in pieces when its outputs do not compress, newest 64 KiB each', () => {
    const noise = randomBytes(60_000).toString('base64');
    const said = answerOf(`cat <<'NOISE'\n${noise}\nNOISE\ncat >&2 <<'NOISE'\n${noise}\nNOISE`);

    expect(said.pieces).toBeGreaterThan(2);
    expect(said.stdout).toBe(`${noise}\n`.slice(-64 * 1024));
    expect(said.stderr).toBe(said.stdout);
    expect(existsSync(said.folder)).toBe(false);
  });
});

const decoded = (...given: Parameters<typeof userData>) =>
  Buffer.from(userData(...given), 'base64').toString();

describe('user data', () => {
  it('ends the machine in time, rounded up', () => {
    expect(decoded(90_000, { platform: 'linux' })).toMatch(/^#!\/bin\/sh\nshutdown -h \+2 /);
    expect(decoded(90_000, { platform: 'windows' })).toContain('shutdown.exe /s /t 90');
  });

  it('carries what the line adds beside it', () => {
    const both = decoded(60_000, { platform: 'linux', userData: '#cloud-config\npackages: [jq]\n' });

    expect(both).toMatch(/^MIME-Version: 1.0\nContent-Type: multipart\/mixed/);
    expect(both).toContain('Content-Type: text/x-shellscript; charset="utf-8"\n\n#!/bin/sh\nshutdown -h +1');
    expect(both).toContain(
      'Content-Type: text/cloud-config; charset="utf-8"\n\n#cloud-config\npackages: [jq]',
    );
  });
});

it('settings are counted in bytes, and a copy must be done before nobody waits for it', () => {
  expect(() => parseLaunchSettings({ userData: 'é'.repeat(6_145) })).toThrow('12288 bytes');
  expect(parseLaunchSettings({ userData: 'é'.repeat(6_144) }).userData).toHaveLength(6_144);
  expect(() => parsePlaceSettings({ completionMinutes: 240 })).toThrow('settings.completionMinutes');
  expect(parsePlaceSettings({ completionMinutes: 210 })).toEqual({ completionMinutes: 210 });
});

it('gives up a call that is not answered', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const provider = createAwsProvider({
    endpoint: `http://127.0.0.1:${port ?? 0}`,
    pace: { ...pace, callMs: 300 },
    accounts: [
      { id: '111122223333', regions: ['eu-central-1'], credentials: { kind: 'leased', path: 'aws' } },
    ],
    leased: () => Promise.resolve({ accessKeyId: 'AKIA', secretAccessKey: 'secret' }),
  });
  const image = { target: place('eu-central-1', '111122223333'), imageId: 'ami-0123456789abcdef0' };

  await expect(provider.images.inspect(image)).rejects.toEqual(
    failure('provider_unavailable', 'ec2:DescribeImages'),
  );
  silent.close();
});
