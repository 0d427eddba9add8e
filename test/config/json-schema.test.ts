import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { bakehouseJsonSchema } from '../../src/config/line-schema.ts';

const validate = new Ajv2020({ allErrors: true }).compile(bakehouseJsonSchema());

describe('the JSON Schema for editors', () => {
  it.each([
    'buckets: {base: {template: x}}',
    'buckets: {base: {template: {git: x, ref: main}, channels: [dev, {name: prod, gates: {soak: 1h}}], endOfLife: 90d}}',
    'buckets: {base: {template: x, endOfLife: {after: 90d, cascades: true}, targets: [{provider: qemu}]}}',
  ])('takes %s', (yaml) => {
    expect(validate(parse(yaml)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    'buckets: {base: {template: x, chanels: []}}',
    'buckets: {base: {}}',
    'buckets: {base: {template: x, channels: [7]}}',
    'buckets: {base: {template: x, timeLimit: 30}}',
    'bucket: {}',
  ])('marks %s', (yaml) => {
    expect(validate(parse(yaml))).toBe(false);
  });
});
