import { z } from 'zod';
import type {
  Artifact,
  BakeRequest,
  Build,
  ParentPin,
  TestSummary,
  Version,
} from '../../../domain/version.ts';
import { templatePin } from './line.ts';
import { revocationStatus } from './revocation.ts';
import { actor, count, failureReport, id, imageRef, instant, milliseconds } from './values.ts';

const testSummary: z.ZodType<TestSummary> = z
  .strictObject({
    id,
    passed: z.boolean(),
    bootMs: milliseconds.nullable(),
    endedAt: instant,
    checks: z.array(z.strictObject({ name: z.string(), passed: z.boolean(), detail: z.string() })),
  })
  .meta({ id: 'TestSummary' });

const artifact: z.ZodType<Artifact> = z
  .strictObject({
    id,
    image: imageRef,
    digest: z.string().nullable(),
    sizeBytes: count.nullable(),
    lastKnown: z.enum(['unknown', 'present', 'disabled', 'missing', 'deleted']),
    test: testSummary.nullable(),
    copiedFrom: id.nullable(),
  })
  .meta({ id: 'Artifact' });

const build: z.ZodType<Build> = z
  .strictObject({
    id,
    source: z.string(),
    state: z.enum(['pending', 'running', 'done', 'failed', 'cancelled']),
    failure: failureReport.nullable(),
    artifacts: z.array(artifact),
  })
  .meta({ id: 'Build' });

const parentPin: z.ZodType<ParentPin> = z.strictObject({
  versionId: id,
  bucket: z.string(),
  versionName: z.string(),
  channel: z.string().nullable(),
  variable: z.string().nullable(),
});

export const version: z.ZodType<Version> = z
  .strictObject({
    id,
    project: z.string(),
    bucket: z.string(),
    fingerprint: z.string(),
    number: count.nullable(),
    name: z.string(),
    state: z.enum(['running', 'complete', 'failed', 'cancelled']),
    failure: failureReport.nullable(),
    requestId: id.nullable(),
    template: templatePin.nullable(),
    createdAt: instant,
    completedAt: instant.nullable(),
    builds: z.array(build),
    parents: z.array(parentPin),
    tested: z.boolean(),
    verified: z.boolean(),
    revocation: revocationStatus,
  })
  .meta({ id: 'Version' });

export const descendant = z.strictObject({
  versionId: id,
  bucket: z.string(),
  versionName: z.string(),
  depth: count,
});

export const requestKind = z.enum(['release', 'bake']);

export const bakeRequest: z.ZodType<BakeRequest> = z
  .strictObject({
    id,
    project: z.string(),
    bucket: z.string(),
    kind: requestKind,
    key: z.string(),
    state: z.enum(['open', 'succeeded', 'failed', 'cancelled', 'abandoned']),
    attempt: count,
    workflowId: z.string(),
    versionId: id.nullable(),
    adoptedVersionId: id.nullable(),
    stage: z.string(),
    cancelWanted: z.boolean(),
    failure: failureReport.nullable(),
    by: actor,
    createdAt: instant,
    endedAt: instant.nullable(),
  })
  .meta({ id: 'Request' });
