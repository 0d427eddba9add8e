import { z } from 'zod';

/** Of a reply; an empty token: there is no page that way. */
export const pagination = z.strictObject({
  next_page_token: z.string(),
  previous_page_token: z.string(),
});

/** A key that is written twice: pages of a list are asked for once. */
const once = 'is written more than once';
const token = z.string({ error: once }).max(2048).optional();

/** Of a query. 0 is the default of the operation, as on HCP. */
export const pageQuery = {
  'pagination.page_size': z
    .string({ error: once })
    .regex(/^\d{1,19}$/, 'is a whole number')
    .optional(),
  'pagination.next_page_token': token,
  'pagination.previous_page_token': token,
};

/** `name,created_at desc`, in one value or several. */
export const sortQuery = {
  'sorting.order_by': z.union([z.string().max(1000), z.array(z.string().max(1000)).max(10)]).optional(),
};

/** Of a body; numbers of 64 bits come as texts. */
export const pageBody = z
  .object({
    page_size: z.union([z.string().regex(/^\d{1,19}$/), z.int().nonnegative()]).nullish(),
    next_page_token: z.string().max(2048).nullish(),
    previous_page_token: z.string().max(2048).nullish(),
  })
  .nullish();
