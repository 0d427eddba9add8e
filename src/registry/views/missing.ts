import { Failure } from '../../domain/failure.ts';

const sentences = {
  bucket: (id: string) => `Error: The bucket with identifier ${id} does not exist.`,
  version: (id: string) => `Error: The version with identifier ${id} does not exist.`,
  build: (id: string) => `The build with identifier ${id} does not exist.`,
  channel: (id: string) => `Error: The channel with identifier ${id} does not exist.`,
};

/** `not_found` in HCP's words, which clients show and some match; `details.missing` says what is missing. */
export const missing = (what: keyof typeof sentences, id: string): Failure =>
  new Failure('not_found', sentences[what](id), { details: { missing: what } });
