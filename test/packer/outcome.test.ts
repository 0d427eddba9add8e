import { describe, expect, test } from 'vitest';

import { readManifest } from '../../src/packer/manifest.ts';
import type { Evidence } from '../../src/packer/outcome.ts';
import { decideOutcome } from '../../src/packer/outcome.ts';
import type { RunStatus } from '../../src/packer/supervisor/records.ts';

const ended: RunStatus = {
  exitCode: 0,
  signal: null,
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:01:00.000Z',
  endedBy: 'itself',
};

function manifest(names: readonly string[], bakeId = 'B'): string {
  const builds = names.map((name) => ({
    name,
    builder_type: 'file',
    build_time: 1,
    files: [{ name: `/out/${name}.img`, size: 1 }],
    artifact_id: 'File',
    packer_run_uuid: 'u',
    custom_data: { bake_id: bakeId },
  }));
  return JSON.stringify({ builds, last_run_uuid: 'u' });
}

const source = (name: string, manifestName = name) => ({
  source: `file.${name}`,
  target: `file.${name}`,
  builderType: 'file',
  manifestName,
});

function evidence(change: Partial<Evidence>): Evidence {
  return {
    attemptId: 'A',
    packerVersion: '1.16.0',
    timeLimitMs: 1_800_000,
    sources: [source('a'), source('b')],
    manifest: readManifest(manifest(['a', 'b']), 'B', '/'),
    artifacts: new Map(),
    errors: new Map(),
    complaints: [],
    status: ended,
    startedAt: ended.startedAt,
    isThere: () => true,
    ...change,
  };
}

const states = (change: Partial<Evidence>) => {
  const outcome = decideOutcome(evidence(change));
  return [outcome.ended, ...outcome.sources.map((one) => one.state)];
};

describe('the outcome', () => {
  test('is success only when Packer ended with 0 and every source is proved', () => {
    expect(states({})).toEqual(['succeeded', 'done', 'done']);
    expect(decideOutcome(evidence({})).failure).toBeUndefined();
    expect(states({ status: { ...ended, exitCode: 1 } })).toEqual(['partly', 'done', 'done']);
    expect(states({ manifest: readManifest(undefined, 'B', '/') })).toEqual(['failed', 'failed', 'failed']);
  });

  test('records what was made when another source failed', () => {
    const change = {
      status: { ...ended, exitCode: 1 },
      manifest: readManifest(manifest(['a']), 'B', '/'),
      errors: new Map([['file.b', 'it broke']]),
    };
    expect(states(change)).toEqual(['partly', 'done', 'failed']);
    expect(decideOutcome(evidence(change)).failure).toEqual({
      code: 'bake_failed',
      message: 'file.b: it broke; made before: file.a',
    });
  });

  test('believes an error over a manifest, and keeps the artifacts to be swept', () => {
    const outcome = decideOutcome(evidence({ errors: new Map([['file.a', 'a later step broke']]) }));
    expect(outcome.sources[0]).toMatchObject({ state: 'failed', artifacts: [{ files: ['/out/a.img'] }] });
  });

  test('does not believe a manifest of another bake, one that is cut off, or a file that is not there', () => {
    const foreign = readManifest(manifest(['a', 'b'], 'another'), 'B', '/');
    expect(foreign).toEqual({ entries: [], problem: 'the manifest names another bake id' });
    const half = readManifest(manifest(['a']).slice(0, 80), 'B', '/');
    expect(half).toEqual({ entries: [], problem: 'the manifest was cut off' });
    expect(states({ manifest: foreign })).toEqual(['failed', 'failed', 'failed']);
    expect(decideOutcome(evidence({ isThere: (path) => path !== '/out/a.img' })).sources[0]?.error).toBe(
      'Packer says that it made /out/a.img, but there is no such file',
    );
  });

  test('lists an artifact that manifest and output both name once', () => {
    const artifact = { builderId: 'packer.file', id: 'File', files: ['/out/a.img'] };
    const outcome = decideOutcome(evidence({ artifacts: new Map([['file.a', [artifact, artifact]]]) }));
    expect(outcome.sources[0]?.artifacts).toHaveLength(1);
    const printed = decideOutcome(
      evidence({
        manifest: readManifest(undefined, 'B', '/'),
        artifacts: new Map([['file.a', [artifact, artifact]]]),
      }),
    );
    expect(printed.sources[0]?.artifacts).toHaveLength(1);
  });

  test('of a lost run says what the manifest proves', () => {
    const { status: _, ...lost } = evidence({ manifest: readManifest(manifest(['b']), 'B', '/') });
    const outcome = decideOutcome(lost);
    expect([outcome.ended, ...outcome.sources.map((one) => one.state)]).toEqual(['lost', 'failed', 'done']);
    expect(outcome.failure).toEqual({
      code: 'host_lost',
      message:
        'Packer and its supervisor were killed on the bake host; 1 of 2 sources are proved by the manifest',
    });
  });

  test('does not guess when one name in the manifest could be either of two sources', () => {
    const sources = [source('a'), source('web', 'a')];
    expect(states({ sources, manifest: readManifest(manifest(['a', 'a']), 'B', '/') })).toEqual([
      'failed',
      'failed',
      'failed',
    ]);
  });

  test('of a Packer that crashed says the exit code and its last words', () => {
    const crashed = decideOutcome(
      evidence({
        manifest: readManifest(undefined, 'B', '/'),
        status: { ...ended, exitCode: 2 },
        complaints: ['panic: runtime error', 'goroutine 1 [running]:', 'main.main()'],
      }),
    );
    expect(crashed.failure).toEqual({
      code: 'bake_failed',
      message:
        'Packer ended with 2 and did not make file.a; Packer ended with 2 and did not make file.b; ' +
        'its last lines: panic: runtime error / goroutine 1 [running]: / main.main()',
    });
  });

  test('names the time limit as people write it, a signal nobody asked for, and a full disk as the operator’s', () => {
    const limit = decideOutcome(evidence({ status: { ...ended, exitCode: 1, endedBy: 'time limit' } }));
    expect(limit.failure?.message).toContain('time limit of 30m reached; raise `timeLimit`');
    const none = readManifest(undefined, 'B', '/');
    const killed = decideOutcome(
      evidence({ manifest: none, status: { ...ended, exitCode: null, signal: 'SIGKILL' } }),
    );
    expect(killed.failure?.message).toContain('ended by SIGKILL');
    const full = decideOutcome(
      evidence({
        manifest: none,
        status: { ...ended, exitCode: 1 },
        errors: new Map([['file.a', 'write /out/a.img: no space left on device']]),
      }),
    );
    expect(full.failure?.code).toBe('resource_exhausted');
  });
});
