/** Parts of the local provider that can be asked alone. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostKeysOn, lastLines, readConsole } from '../../src/providers/qemu/console.ts';
import { explainQemuExit } from '../../src/providers/qemu/errors.ts';
import { askGuest, type GuestAddress } from '../../src/providers/qemu/guest.ts';
import { makeSshKeyPair } from '../../src/providers/ssh-key.ts';
import { createStore, fileName } from '../../src/providers/qemu/store.ts';
import { failure } from './provider-fixture.ts';

describe('file names', () => {
  it('keep harmless names and never leave the folder', () => {
    expect(fileName('base-v1.2_3')).toBe('base-v1.2_3');
    for (const odd of [
      '..',
      '.',
      '',
      '/',
      '../../etc/passwd',
      '.hidden',
      '-rf',
      'a/b',
      'a\0b',
      'ä',
      'x'.repeat(500),
    ]) {
      expect(fileName(odd)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/);
      expect(fileName(fileName(odd))).toBe(fileName(odd));
    }
  });

  it('are different for different names', () => {
    expect(new Set(['a/b', 'a-b', 'a b', 'a\\b', 'a//b'].map(fileName)).size).toBe(5);
  });
});

function block(...keys: readonly string[]): string {
  return `-----BEGIN SSH HOST KEY KEYS-----\r\n${keys.join('\r\n')}\r\n-----END SSH HOST KEY KEYS-----\r\n`;
}

function isAddress(value: unknown): value is AddressInfo {
  return typeof value === 'object' && value !== null && 'port' in value;
}

/** Base64 part of a public key line. */
function body(key: string): string {
  return key.split(' ')[1] ?? '';
}

describe('the serial console', () => {
  it('tells the host keys of the newest boot, from the seed and from cloud-init alike', () => {
    const text = `noise\r\n${block('ssh-ed25519 OLD= root@seed')}more\r\n${block('ssh-ed25519 AAAA= root@seed', 'ecdsa-sha2-nistp256 BBBB root@seed')}login: `;

    expect(hostKeysOn(text)).toEqual(['AAAA=', 'BBBB']);
  });

  it('tells none while the block is not finished', () => {
    expect(hostKeysOn('-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAA root@seed\n')).toEqual([]);
  });

  it('is bounded to its newest 256 KiB', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-console-'));
    try {
      expect(await readConsole(folder)).toBe('');
      writeFileSync(path.join(folder, 'console.log'), `${'x'.repeat(300 * 1024)}end\n`);

      expect(await readConsole(folder)).toHaveLength(256 * 1024);
      expect(lastLines(`a\r\nb\r\nc\r\n`, 2)).toBe('b\nc');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('QEMU that ended at once', () => {
  it.each([
    [
      'qemu-system-x86_64: cannot set up guest memory: Cannot allocate memory',
      'resource_exhausted',
      'memoryMb',
    ],
    ['Could not access KVM kernel module: Permission denied', 'illegal_state', 'accelerator: tcg'],
    [
      'error: failed to set MSR 0x10a to 0x0\nqemu: kvm_buf_set_msrs: Assertion failed',
      'illegal_state',
      'tcg',
    ],
    ['-drive file=overlay.qcow2: Could not open backing file: No such file', 'illegal_state', 'disabled'],
    ['something new', 'internal', 'something new'],
  ] as const)('is explained: %s', (stderr, code, words) => {
    expect(explainQemuExit('launch-1', stderr)).toEqual(failure(code, 'launch-1', words));
  });
});

describe('what a killed process left in the trash', () => {
  it('is deleted with the next thing that is thrown away', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'bakehouse-store-'));
    try {
      const store = createStore(folder);
      await store.prepare();
      mkdirSync(store.path('trash', 'old'));
      writeFileSync(store.path('trash', 'old', 'disk.qcow2'), 'x');
      utimesSync(store.path('trash', 'old'), 0, 0);
      await store.discard(await store.beginWork('attempt', { attemptId: 'attempt' }));

      expect(await store.workOf('attempt')).toEqual([]);
      expect(await store.workOf('old')).toEqual([]);
      await expect(store.discard(path.join(folder, 'incoming', 'never'))).resolves.toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('commands over SSH', () => {
  const host = makeSshKeyPair();
  const client = makeSshKeyPair();
  let server: ssh2.Server;
  let address: GuestAddress;

  beforeAll(async () => {
    server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
      connection.on('authentication', (attempt) => {
        const knows =
          attempt.method === 'publickey' && attempt.key.data.toString('base64') === body(client.public);
        if (knows) attempt.accept();
        else attempt.reject(['publickey']);
      });
      connection.on('error', () => undefined);
      connection.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          channel.write(`did ${command}\n`);
          channel.exit(4);
          channel.end();
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const listening: unknown = server.address();
    if (!isAddress(listening)) throw new Error('the server does not listen');
    address = { port: listening.port, user: 'root', privateKey: client.private, hostKeys: [] };
  });
  afterAll(() => server.close());

  const ask = { command: 'it', timeoutMs: 5_000, connectMs: 3_000, signal: new AbortController().signal };

  it('are answered by the machine whose host key is known, or is the first one seen', async () => {
    const answer = {
      kind: 'answered',
      hostKey: body(host.public),
      result: { exitCode: 4, stdout: 'did it\n', stderr: '' },
    };

    expect(await askGuest(address, ask)).toEqual(answer);
    expect(await askGuest({ ...address, hostKeys: ['other', body(host.public)] }, ask)).toEqual(answer);
  });

  it('are not given to a machine with another host key', async () => {
    const stranger = { ...address, hostKeys: [body(client.public)] };

    await expect(askGuest(stranger, ask)).rejects.toEqual(failure('test_failed', 'another host key'));
  });

  it('say why a machine cannot be reached', async () => {
    const wrongKey = { ...address, privateKey: makeSshKeyPair().private };

    expect(await askGuest(wrongKey, ask)).toEqual({
      kind: 'unreachable',
      why: expect.stringContaining('authentication'),
    });
    expect(await askGuest({ ...address, port: 1 }, ask)).toEqual({
      kind: 'unreachable',
      why: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
