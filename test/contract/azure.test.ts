import { describe } from 'vitest';
import { openAzure } from './azure-fixture.ts';
import { providerSuite } from './provider.suite.ts';

describe('azure passes the provider conformance suite', () => {
  providerSuite(() => openAzure());
});
