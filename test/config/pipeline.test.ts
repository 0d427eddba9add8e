import { describe, expect, it } from 'vitest';
import { pipelineKey } from '../../src/config/pipeline.ts';

describe('the request key of a CI job', () => {
  it.each([
    ['GitLab', { GITLAB_CI: 'true', CI_PIPELINE_ID: '9', CI_PROJECT_ID: '7' }, 'gitlab/7/9/release/base'],
    [
      'GitHub',
      { GITHUB_ACTIONS: 'true', GITHUB_RUN_ID: '9', GITHUB_RUN_ATTEMPT: '2', GITHUB_REPOSITORY: 'a/b' },
      'github/a/b/9/release/base',
    ],
    ['a shell', {}, undefined],
    ['a shell with a stray variable', { CI_PIPELINE_ID: '9', GITHUB_RUN_ID: '9' }, undefined],
  ])('of %s is the run and the bucket, and the same when the job is tried again', (_, environment, key) => {
    expect(pipelineKey('base', 'release', environment)).toBe(key);
  });
});
