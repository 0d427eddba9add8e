import type { ChannelView } from '../../../registry/contract/views.ts';
import type { WireChannel } from '../descriptors/schemas/channel.ts';
import type { HcpLocation } from '../handler.ts';
import { toWireVersion } from './version.ts';

export const toWireChannel = (at: HcpLocation, view: ChannelView): WireChannel => ({
  id: view.id,
  name: view.name,
  bucket_name: view.bucket,
  author_id: view.author,
  managed: view.managed,
  restricted: view.restricted,
  version: view.version === null ? null : toWireVersion(at, view.version),
  created_at: view.createdAt,
  updated_at: view.updatedAt,
});
