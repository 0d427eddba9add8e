import { z } from 'zod';
import { nothing, route } from '../route.ts';
import { gateVerdict, promotion } from '../schemas/channel.ts';
import { limit, reason } from '../schemas/values.ts';

const onePromotion = '/projects/{project}/promotions/{promotion}';

export const promotionRoutes = {
  requestPromotion: route({
    method: 'POST',
    path: '/projects/{project}/buckets/{bucket}/channels/{channel}/promotions',
    summary: 'Asks for a version on a channel. It waits for the gates; older waiting ones are superseded.',
    role: 'contributor',
    input: z.strictObject({ version: z.string().min(1).max(200), reason: z.string().max(1000).default('') }),
    reply: promotion,
    errors: ['not_found', 'illegal_state', 'conflict'],
  }),
  listPromotions: route({
    method: 'GET',
    path: '/projects/{project}/promotions',
    summary: 'Promotions of the project, newest first.',
    role: 'viewer',
    input: z.strictObject({
      bucket: z.string().max(200).exactOptional(),
      state: z
        .enum(['waiting', 'publishing', 'done', 'refused', 'rejected', 'superseded', 'failed'])
        .exactOptional(),
      limit: limit.default(50),
    }),
    reply: z.strictObject({ promotions: z.array(promotion) }),
    errors: [],
  }),
  getPromotion: route({
    method: 'GET',
    path: onePromotion,
    summary: 'One promotion.',
    role: 'viewer',
    input: nothing,
    reply: promotion,
    errors: ['not_found'],
  }),
  getPromotionGates: route({
    method: 'GET',
    path: `${onePromotion}/gates`,
    summary: 'How the gates stand: ready, waiting for what, or refused.',
    role: 'viewer',
    input: nothing,
    reply: gateVerdict,
    errors: ['not_found'],
  }),
  approvePromotion: route({
    method: 'POST',
    path: `${onePromotion}/approve`,
    summary: 'Approves as the principal of the call; once per person.',
    role: 'contributor',
    input: nothing,
    reply: promotion,
    errors: ['not_found', 'illegal_state', 'superseded'],
  }),
  rejectPromotion: route({
    method: 'POST',
    path: `${onePromotion}/reject`,
    summary: 'Ends a waiting promotion.',
    role: 'contributor',
    input: z.strictObject({ reason }),
    reply: promotion,
    errors: ['not_found', 'illegal_state', 'superseded'],
  }),
};
