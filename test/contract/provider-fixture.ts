/** What the conformance suite needs to know about a provider, and what its cases share. */
import { expect } from 'vitest';
import type { FailureCode } from '../../src/domain/failure.ts';
import type { Target } from '../../src/domain/target.ts';
import type {
  BakeMark,
  CallContext,
  CollectedImage,
  CollectInput,
  ImageProvider,
  PackerArtifact,
} from '../../src/providers/provider.ts';

export interface ProviderFixture {
  readonly provider: ImageProvider;
  readonly target: Target;
  /** Whether the provider can tell an image's digest. */
  readonly digests: boolean;
  /** What Packer makes lies in the place at once (a cloud): an attempt that is refused leaves it there, to be swept by its mark. */
  readonly artifactLiesInPlace: boolean;
  /** What Packer leaves behind after a good bake under this mark. */
  artifact(mark: BakeMark): Promise<PackerArtifact>;
  /** The same, of an image that starts and never lets anybody in. */
  unbootable(mark: BakeMark): Promise<PackerArtifact>;
  /** The same, of an image that has the text on its disk and cannot be used otherwise. */
  artifactWith(mark: BakeMark, text: string): Promise<PackerArtifact>;
  /** Launch settings that boot `artifact`, and one that is wrong. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly shortBoot: Readonly<Record<string, unknown>>;
  readonly wrongSetting: { readonly settings: Readonly<Record<string, unknown>>; readonly key: string };
  /** With whom an image can be shared, the later one first; absent: two account ids of twelve digits. */
  readonly shares?: readonly [string, string];
  /** Lets so much time pass in the cloud; absent: waits. Milliseconds. */
  readonly pass?: (ms: number) => Promise<void>;
  /** A folder for `prepareBake`. */
  folder(name: string): string;
  dispose(): Promise<void>;
}

export interface Subject {
  readonly fixture: ProviderFixture;
  readonly provider: ImageProvider;
  readonly target: Target;
  readonly context: CallContext;
  readonly mark: (name: string) => BakeMark;
  /** Collects a fresh image. */
  readonly image: (name: string) => Promise<CollectedImage>;
  readonly collectInput: (mark: BakeMark, artifact: PackerArtifact) => CollectInput;
}

/** A failure of the catalogue whose message has all of the words. */
export function failure(code: FailureCode, ...words: readonly string[]): unknown {
  const escaped = words.map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const message = new RegExp(escaped.map((word) => String.raw`(?=[\s\S]*${word})`).join(''));
  return expect.objectContaining({ name: 'Failure', code, message: expect.stringMatching(message) });
}
