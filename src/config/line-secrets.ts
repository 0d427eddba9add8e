/** A secret as people write it → as the domain has it. */
import type { LineSecret } from '../domain/image-line.ts';
import type { WrittenBucket } from './line-schema.ts';

export function toSecret({ name, from, into }: WrittenBucket['secrets'][number]): LineSecret {
  const { kv, lease, key } = from;
  const { variable, environment } = into;
  return {
    name,
    from: kv === undefined ? { kind: 'lease', path: lease ?? '', key } : { kind: 'kv', path: kv, key },
    into:
      variable === undefined
        ? { kind: 'environment', name: environment ?? '' }
        : { kind: 'variable', name: variable },
  };
}
