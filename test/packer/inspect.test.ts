import { expect, test } from 'vitest';
import { isUnknownYet } from '../../src/packer/inspect.ts';

const unknown = `Error: Unsuitable value type
  on ./image.pkr.hcl line 16:
  (source code not available)
Unsuitable value: value must be known`;
const wrong = `Error: Unsupported argument
  on ./image.pkr.hcl line 20:
An argument named "seconds" is not expected here.`;

test.each([
  ['nothing but values that only a data source knows', unknown, true],
  ['several of them, after a warning', `Warning: deprecated\n${unknown}\n${unknown}`, true],
  ['another complaint beside it', `${unknown}\n${wrong}`, false],
  ['another complaint alone', wrong, false],
  ['no word at all', '', false],
])('of a validation that complains of %s', (_what, said, isUnknown) => {
  expect(isUnknownYet(said)).toBe(isUnknown);
});
