import { z } from 'zod';
import { ulid } from '../values.ts';

export const sbomFormat = z.enum(['CYCLONEDX', 'SPDX']);

export const sbom = z.object({ id: ulid, name: z.string(), format: sbomFormat });
