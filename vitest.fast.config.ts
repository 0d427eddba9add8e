import { defineConfig } from 'vitest/config';

/** The tests that need no server: part of `npm run check`. */
export default defineConfig({
  test: {
    include: ['test/domain/**/*.test.ts', 'test/architecture/**/*.test.ts', 'test/config/**/*.test.ts'],
  },
});
