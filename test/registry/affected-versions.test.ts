import { describe, expect, it } from 'vitest';
import { affects } from '../../src/registry/vulnerabilities/affected.ts';
import { advisedAs, ecosystemOf } from '../../src/registry/vulnerabilities/advised-as.ts';
import { compareVersions } from '../../src/registry/vulnerabilities/versions/compare.ts';

/** Each line is in order, from the lowest on. */
const orders = {
  debian: '1.0~rc1 1.0 1.0-0ubuntu1 1.0-1 1.0-1+b1 1.0-2 1.0a 1.0+dfsg-1 1.09 1.10 1:0.5',
  alpine: '1.2_alpha 1.2_beta2 1.2_rc1 1.2 1.2-r1 1.2-r10 1.2_p1 1.2a 1.2.0 1.2.1 1.10',
  maven: '1-alpha-1 1-beta 1-milestone-1 1-rc1 1-SNAPSHOT 1.0 1-sp 1.0.1 1.1 1.10 2',
  npm: '1.0.0-alpha.1 1.0.0-alpha.2 1.0.0-rc.1 1.0 1.2.0 1.10.0',
  pypi: '1.0.dev1 1.0a1 1.0rc1 1.0 1.0.post1 1.1 1!0.1',
  go: '0.0.0-20200101000000-abcdefabcdef 0.1.0 1.21.0-rc2 1.21.0',
} as const;

describe('versions', () => {
  it.each(Object.entries(orders))('of %s are in its order', (ecosystem, line) => {
    const all = line.split(' ');
    const signs = all.map((a) => all.map((b) => Math.sign(compareVersions(ecosystem, a, b) ?? Number.NaN)));

    expect(signs).toEqual(all.map((_, i) => all.map((__, j) => Math.sign(i - j))));
  });

  it('that are none have no order', () => {
    for (const ecosystem of ['debian', 'alpine', 'npm', 'pypi']) {
      expect(compareVersions(ecosystem, 'not a version!', '1')).toBeUndefined();
    }
    expect(compareVersions('nowhere', '1', '2')).toBeUndefined();
    expect([compareVersions('maven', '1.0', '1'), compareVersions('maven', '1.0-ga', '1')]).toEqual([0, 0]);
  });
});

const between = {
  ecosystem: 'npm',
  ranges: [
    [
      { kind: 'fixed', version: '1.5.0' },
      { kind: 'introduced', version: '1.0.0' },
      { kind: 'introduced', version: '2.0.0' },
      { kind: 'last_affected', version: '2.3.0' },
    ],
  ],
  versions: ['0.0.1-odd'],
} as const;
const fixes = (version: string) => affects(between, version)?.fixedVersion;

const named = (purl: string) => {
  const found = advisedAs({ purl });
  return found === undefined ? undefined : `${found.ecosystem} ${found.name} ${found.version}`;
};

describe('an advisory', () => {
  it('affects what is inside of its ranges, and what it lists', () => {
    expect(fixes('1.0.0')).toBe('1.5.0');
    expect(fixes('1.4.9')).toBe('1.5.0');
    expect(fixes('2.3.0')).toBeNull();
    expect(fixes('0.0.1-odd')).toBe('1.5.0');
    for (const version of ['0.9.0', '1.5.0', '2.3.1', 'rubbish']) {
      expect(affects(between, version)).toBeUndefined();
    }
    const always = {
      ecosystem: 'pypi',
      ranges: [[{ kind: 'introduced', version: '0' }]],
      versions: [],
    } as const;
    expect(affects(always, '0.dev1')).toEqual({ fixedVersion: null });
  });

  it('names a package as its URL does, of a distribution by its source and release', () => {
    expect(named('pkg:npm/%40scope/x@1.0.0')).toBe('npm @scope/x 1.0.0');
    expect(named('pkg:pypi/Django_Rest.x@4.2')).toBe('pypi django-rest-x 4.2');
    expect(named('pkg:golang/github.com/a/b@v1.2.3')).toBe('go github.com/a/b 1.2.3');
    expect(named('pkg:golang/stdlib@go1.21.0')).toBe('go stdlib 1.21.0');
    expect(named('pkg:maven/org.a/b@1')).toBe('maven org.a:b 1');
    expect(named('pkg:cargo/serde@1.0.0')).toBe('crates serde 1.0.0');
    expect(named('pkg:deb/debian/libc6@2.36-9?upstream=glibc&distro=debian-12.4')).toBe(
      'debian:12 glibc 2.36-9',
    );
    expect(named('pkg:deb/ubuntu/x@1?distro=ubuntu-22.04&upstream=y%402')).toBe('ubuntu:22.04 y 2');
    expect(named('pkg:apk/alpine/musl@1.2.4-r2?distro=alpine-3.19.1')).toBe('alpine:3.19 musl 1.2.4-r2');
    for (const purl of [
      '',
      'rubbish',
      'pkg:npm/x',
      'pkg:deb/debian/x@1',
      'pkg:rpm/fedora/x@1',
      'pkg:maven/x@1',
    ]) {
      expect(named(purl)).toBeUndefined();
    }
    expect(
      ['Debian:12', 'Alpine:v3.19', 'Ubuntu:22.04:LTS', 'PyPI', 'crates', 'Debian'].map(ecosystemOf),
    ).toEqual(['debian:12', 'alpine:3.19', 'ubuntu:22.04', 'pypi', 'crates', undefined]);
  });
});
