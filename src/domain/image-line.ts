import type { Target } from './target.ts';

/** An image line as code: what `bakehouse.yaml` says of one bucket, parsed, with defaults filled in. Durations in ms. */
export interface ImageLine {
  readonly bucket: string;
  readonly description: string;
  readonly template: TemplateSource;
  /** Packer sources to build (`-only`); empty means all. */
  readonly sources: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /** Issued by Vault for each bake when Packer starts, and ended with it. Absent: none. */
  readonly secrets?: readonly LineSecret[];
  readonly parents: readonly ParentLink[];
  readonly targets: readonly LineTarget[];
  readonly tests: readonly CheckSpec[];
  /** In promotion order: a release promotes through them from first to last. */
  readonly channels: readonly ChannelSpec[];
  /** Packer is ended after this long. */
  readonly timeLimitMs: number;
  /** Age at which a version is revoked by policy, counted from its completion. */
  readonly endOfLifeMs?: number;
  /** Whether a policy revocation is inherited by children (by default it is not). */
  readonly endOfLifeCascades: boolean;
  /** A revoked image is deleted this long after it was blocked, if provably unused. Absent: kept, blocked. */
  readonly deleteAfterMs?: number;
  /** A version that others complete is released too, from its test launch on. Absent: it is left alone. */
  readonly adopt?: boolean;
}

export type TemplateSource =
  /** `path` is relative to the file that names it; `digest` pins the uploaded content. */
  | { readonly kind: 'folder'; readonly path: string; readonly entry: string; readonly digest: string }
  | { readonly kind: 'git'; readonly repository: string; readonly ref: string; readonly entry: string };

/** What a request pinned: exactly this is baked, also on a retry. */
export type TemplatePin =
  | { readonly kind: 'snapshot'; readonly digest: string; readonly entry: string }
  | { readonly kind: 'git'; readonly repository: string; readonly commit: string; readonly entry: string };

export interface ParentLink {
  readonly bucket: string;
  readonly channel: string;
  /** The Packer variable that receives the parent artifact's reference in the build's target. Absent: the template reads the registry itself. */
  readonly variable?: string;
}

export interface LineSecret {
  /** Unique in the line; for people and messages. */
  readonly name: string;
  readonly from: SecretSource;
  /** The Packer variable or the name in Packer's environment that receives it. */
  readonly into:
    | { readonly kind: 'variable'; readonly name: string }
    | { readonly kind: 'environment'; readonly name: string };
}

/** Paths as `vault kv get` and `vault read` take them, without `data/`. All secrets of one leased path come from one lease. */
export type SecretSource =
  | { readonly kind: 'kv'; readonly path: string; readonly key: string }
  | { readonly kind: 'lease'; readonly path: string; readonly key: string };

export interface LineTarget extends Target {
  /** Settings for a test launch there; checked by the provider. */
  readonly launch: Readonly<Record<string, unknown>>;
  /** The image there is a copy of the tested one; absent: Packer makes it. */
  readonly copy?: boolean;
  /** With whom images there are shared, as the cloud writes it; absent: a release leaves the shares alone. */
  readonly shareWith?: readonly string[];
  /** How copies lie there (encryption key); checked by the provider. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A check of a test launch: a command in the guest, or a pattern that the serial console must show. */
export type CheckSpec =
  | { readonly name: string; readonly kind: 'command'; readonly command: string; readonly timeoutMs: number }
  | { readonly name: string; readonly kind: 'console'; readonly pattern: string };

export interface ChannelSpec {
  readonly name: string;
  readonly gates: Gates;
}

/** What a version must be before the channel takes it. All false and zero: an open channel, assigned directly. */
export interface Gates {
  /** Every artifact passed its latest test launch. */
  readonly tested: boolean;
  /** Every artifact was seen present and launchable in its target. */
  readonly verified: boolean;
  /** The version is, or was, assigned to the channel before it in the line. */
  readonly inOrder: boolean;
  /** It has been on that channel at least this long. */
  readonly soakMs: number;
  /** This many people approved, before the deadline. */
  readonly approvals: number;
  readonly approvalDeadlineMs: number;
}

export const openGates: Gates = {
  tested: false,
  verified: false,
  inOrder: false,
  soakMs: 0,
  approvals: 0,
  approvalDeadlineMs: 0,
};

export function isGated(gates: Gates): boolean {
  return gates.tested || gates.verified || gates.inOrder || gates.soakMs > 0 || gates.approvals > 0;
}

/** What `apply` did or would do to one bucket. */
export interface LineChange {
  readonly bucket: string;
  readonly action: 'create' | 'change' | 'none';
  /** One readable line per difference, `channels: + prod`. */
  readonly differences: readonly string[];
}
