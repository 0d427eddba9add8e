import { describe } from 'vitest';
import { providerSuite } from './provider.suite.ts';
import { openQemu } from './qemu-fixture.ts';

describe('qemu passes the provider conformance suite', () => {
  providerSuite(() => Promise.resolve(openQemu()));
});
