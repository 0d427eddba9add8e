import { defineConfig } from 'vitest/config';

/** The tests that need no server: part of `npm run check`. */
export default defineConfig({
  test: {
    // A limit against hanging, not against a busy machine.
    testTimeout: 30_000,
    include: ['test/domain/**/*.test.ts', 'test/architecture/**/*.test.ts', 'test/config/**/*.test.ts'],
  },
});
