import { describe } from 'vitest';
import { openAws } from './aws-fixture.ts';
import { providerSuite } from './provider.suite.ts';

describe('aws passes the provider conformance suite', () => {
  providerSuite(openAws);
});
