import type { Actor } from '../../domain/actor.ts';
import type { Role } from '../../domain/role.ts';
import type { Defaulted, Fixed, Instant, Json } from '../columns.ts';

export interface PrincipalTable {
  id: string;
  organization_id: Fixed<string>;
  project_id: Fixed<string>;
  name: Fixed<string>;
  actor: Json<Actor>;
  created_at: Instant;
  revoked_at: Defaulted<Instant | null>;
  attempt_id: Defaulted<string | null>;
}

export interface PrincipalSecretTable {
  client_id: string;
  principal_id: Fixed<string>;
  digest: Fixed<Buffer>;
  created_at: Instant;
  ends_at: Defaulted<Instant | null>;
  used_at: Defaulted<Instant | null>;
}

export interface PrincipalRoleTable {
  principal_id: string;
  organization_id: string;
  project_id: string;
  bucket_id: string | null;
  role: Role;
}

export interface TokenTable {
  digest: Buffer;
  client_id: Fixed<string>;
  created_at: Instant;
  expires_at: Instant;
}
