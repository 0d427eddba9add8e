import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineagePlan, type LineageEdge } from '../../src/domain/lineage.ts';

const edges = (...pairs: string[]): LineageEdge[] =>
  pairs.map((pair) => ({ parent: pair.charAt(0), child: pair.charAt(1) }));
const names = (root: string, ...pairs: string[]) =>
  lineagePlan(root, edges(...pairs)).map(({ versionId, depth }) => `${versionId}${depth}`);

test.each([
  ['a version without children', [], ['a0']],
  ['a chain', ['ab', 'bc'], ['a0', 'b1', 'c2']],
  ['two children', ['ac', 'ab'], ['a0', 'b1', 'c1']],
  ['a diamond, its foot once', ['ab', 'ac', 'bd', 'cd'], ['a0', 'b1', 'c1', 'd2']],
  ['the shortest way counts', ['ab', 'bd', 'ad', 'de'], ['a0', 'b1', 'd1', 'e2']],
  ['one child from two builds of a parent', ['ab', 'ab'], ['a0', 'b1']],
  ['ancestors are not its business', ['xa', 'ab', 'xy'], ['a0', 'b1']],
  ['a cycle ends', ['ab', 'bc', 'ca'], ['a0', 'b1', 'c2']],
] as const)('%s', (_name, pairs, plan) => {
  expect(names('a', ...pairs)).toEqual(plan);
});

const letter = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
const anyEdges = fc.array(fc.record({ parent: letter, child: letter }), { maxLength: 20 });

test('everybody who can be reached, once, never before a nearer one, in the same order always', () => {
  fc.assert(
    fc.property(anyEdges, (list) => {
      const plan = lineagePlan('a', list);
      const ids = plan.map(({ versionId }) => versionId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(plan.map(({ depth }) => depth)).toEqual(
        plan.map(({ depth }) => depth).toSorted((a, b) => a - b),
      );
      for (const { parent, child } of list) {
        if (ids.includes(parent)) expect(ids).toContain(child);
      }
      for (const { versionId, depth } of plan) {
        if (depth === 0) expect(versionId).toBe('a');
        else {
          const nearer = plan.filter((step) => step.depth === depth - 1).map((step) => step.versionId);
          expect(list.some(({ parent, child }) => child === versionId && nearer.includes(parent))).toBe(true);
        }
      }
      expect(lineagePlan('a', list.toReversed())).toEqual(plan);
    }),
    { numRuns: 1_000 },
  );
});
