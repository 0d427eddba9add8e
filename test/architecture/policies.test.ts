/** docs/clouds.md lists the calls that our providers make: no fewer, so that a policy made of it works, and no more. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { awsCalls, azureCalls, azurePermissions, sources, swept } from '../support/provider-calls.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(path.join(root, 'docs/clouds.md'), 'utf8');

/** Rows of the table below a heading, without what is said around it. */
function table(heading: string, permission: RegExp): readonly string[] {
  const section = new RegExp(`\n## ${heading}\n([\\s\\S]*?)(\n## |$)`).exec(page)?.[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return [...new Set(rows.flatMap((row) => row.match(permission) ?? []))].toSorted();
}

describe('the permissions in docs/clouds.md', () => {
  it('are the calls of the aws provider', () => {
    const called = [...new Set(sources('aws').flatMap(awsCalls))].toSorted();

    expect(called.length).toBeGreaterThan(40);
    expect(table('AWS', /\b(?:ec2|ssm|sts|autoscaling):[A-Z]\w+/g)).toEqual(called);
  });

  it('are the calls of the azure provider, and the deletion of all that it sweeps', () => {
    const called = [...new Set(sources('azure').flatMap(azureCalls))];
    const unknown = called.filter((call) => azurePermissions[call] === undefined);
    const notCalled = Object.keys(azurePermissions).filter((call) => !called.includes(call));

    expect({ unknown, notCalled }).toEqual({ unknown: [], notCalled: [] });
    expect(swept.length).toBeGreaterThan(5);
    const needed = new Set(called.flatMap((call) => azurePermissions[call] ?? []));
    expect(table('Azure', /Microsoft\.\w+(?:\/\w+)+/g)).toEqual([...needed].toSorted());
  });
});
