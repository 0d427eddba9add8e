/**
 * The provider contract: read this first. One folder of `src/providers` implements it for one cloud; workflows never ask
 * which. Everything that crosses it is plain JSON. Obligations on all methods:
 *
 * - **Idempotent.** Each call may run twice, also at the same time on two hosts, and may find the work done.
 * - **No retries inside.** Retrying is Temporal's; a provider translates its SDK's errors into the catalogue
 *   (`domain/failure.ts`): retryable codes are retried, the others stop the step with the message given.
 * - **Absence is an answer.** Deleting or terminating what is not there succeeds; `inspect` answers `missing`.
 * - **Ours is marked.** All that a method makes carries the bake id or launch id it was given, so that `leftovers` finds it.
 * - A long call honours `signal` and calls `beat` at least every 10 s.
 */
import type { ImageRef, Target } from '../domain/target.ts';

export interface CallContext {
  readonly signal: AbortSignal;
  /** Reports liveness and, optionally, a small JSON progress that a retry gets back as `lastBeat`. */
  beat(progress?: unknown): void;
  readonly lastBeat?: unknown;
}

/** What a cloud can do. A capability that is absent is refused with `unsupported`, naming provider and capability. */
export interface Capabilities {
  /** What `setLaunchable(false)` really does: nobody can launch it (`blocks`), or it is only hidden (`hides`). */
  readonly disable: 'blocks' | 'hides';
  readonly deprecate: boolean;
  readonly share: boolean;
  readonly pointers: boolean;
  /** Whether artifacts can be copied to further targets after the bake. */
  readonly distribute: boolean;
  /** Whether the disk can be read without booting it (secret scan). */
  readonly readDisk: boolean;
  /** Machines live on the bake host that launched them: calls about one go to that host's queue. */
  readonly hostBound: boolean;
}

export type ImagePresence = 'present' | 'pending' | 'disabled' | 'missing';

export interface ImageState {
  readonly presence: ImagePresence;
  /** What a template or a Terraform run writes to use the image (AMI id, absolute qcow2 path). Absent when missing. */
  readonly reference?: string;
  /** `sha256:…` where the provider can tell. */
  readonly digest?: string;
  readonly sizeBytes?: number;
  readonly deprecatedAt?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** One artifact as Packer reported it (manifest), before a provider has looked at it. */
export interface PackerArtifact {
  /** Packer source, `qemu.base` or `amazon-ebs.web`. */
  readonly source: string;
  readonly builderType: string;
  readonly artifactId: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** Identity of a bake attempt; fixed before anything is made, and on everything that is made. */
export interface BakeMark {
  readonly bakeId: string;
  readonly attemptId: string;
  readonly imageName: string;
}

export interface CollectInput {
  readonly mark: BakeMark;
  readonly artifact: PackerArtifact;
  readonly targets: readonly Target[];
  /** Asked immediately before the effect that makes the image real (fencing): false refuses with `conflict`. */
  stillCurrent(): Promise<boolean>;
}

export interface CollectedImage extends ImageRef {
  readonly digest?: string;
  readonly sizeBytes?: number;
}

/** A finished image says which Packer source made it: without that, nobody can tell what is still missing. */
export interface FinishedImage extends CollectedImage {
  readonly source: string;
}

export interface Images {
  /** Turns what Packer made into images of the registry; called again after a crash it returns the same images. */
  collect(input: CollectInput, context: CallContext): Promise<readonly CollectedImage[]>;
  /** Images in the targets that carry this bake id and are complete: what another host may adopt. */
  findFinished(mark: Pick<BakeMark, 'bakeId'>, targets: readonly Target[]): Promise<readonly FinishedImage[]>;
  inspect(image: ImageRef): Promise<ImageState>;
  /** Makes the image launchable or not; answers the state read back after the change. */
  setLaunchable(image: ImageRef, launchable: boolean): Promise<ImageState>;
  /** Deletes image and storage. The caller has proof from `uses` that nothing needs it. */
  remove(image: ImageRef): Promise<void>;
  /** Who uses the image. `complete: false` (an inventory was not reached) forbids deletion. */
  uses(image: ImageRef): Promise<UsesReport>;
}

export interface UsesReport {
  readonly complete: boolean;
  readonly asOf: string;
  readonly uses: readonly { readonly kind: string; readonly id: string; readonly target: Target }[];
}

export interface LaunchInput {
  /** Client token: a second launch with the same id returns the same machine. */
  readonly launchId: string;
  readonly image: ImageRef;
  /** The provider's own settings from the image line (`targets[].launch`), validated by the provider. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The provider ends the machine by itself after this long, whoever forgets it. Milliseconds. */
  readonly timeLimitMs: number;
}

export interface Machine {
  readonly launchId: string;
  readonly target: Target;
  readonly machineId: string;
  /** Small JSON the provider needs to reach it again (ports, key names); never a secret. */
  readonly handle: Readonly<Record<string, unknown>>;
}

export interface MachineStatus {
  readonly state: 'starting' | 'booted' | 'stopped' | 'missing';
  /** Milliseconds from power-on until commands were accepted. */
  readonly bootMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  /** Bounded to 64 KiB each, newest kept. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machines {
  launch(input: LaunchInput, context: CallContext): Promise<Machine>;
  status(machine: Machine): Promise<MachineStatus>;
  run(machine: Machine, command: string, timeoutMs: number, context: CallContext): Promise<CommandResult>;
  /** Serial console so far, newest 256 KiB. */
  console(machine: Machine): Promise<string>;
  /** By launch id, so that it also ends what a crashed `launch` left. */
  terminate(launchId: string, target: Target): Promise<void>;
}

export interface Leftover {
  readonly kind: string;
  readonly id: string;
  readonly target: Target;
  readonly mark: string;
}

export interface Cleanup {
  /** Everything that carries the mark (bake id, attempt id or launch id) and is not a finished image. */
  leftovers(mark: string, targets: readonly Target[]): Promise<readonly Leftover[]>;
  sweep(leftover: Leftover): Promise<void>;
}

/** A channel published in the cloud itself, for readers that do not ask Bakehouse (an SSM parameter, a file). */
export interface Pointers {
  read(pointer: PointerRef): Promise<string | undefined>;
  /** Writes or (undefined) removes the pointer; answers what is read back. */
  write(pointer: PointerRef, imageId: string | undefined): Promise<string | undefined>;
}

export interface PointerRef {
  readonly target: Target;
  readonly bucket: string;
  readonly channel: string;
}

export interface Sharing {
  read(image: ImageRef): Promise<readonly string[]>;
  write(image: ImageRef, shares: readonly string[]): Promise<readonly string[]>;
}

/** Files and variables a bake of this provider needs before Packer starts (a seed disk, a key). */
export interface BakePreparation {
  /** Packer variables to pass, if the template declares them. Values that are paths are absolute. */
  readonly variables: Readonly<Record<string, string>>;
  /** Public halves of keys and other marks that must not be found in the finished image. */
  readonly mustBeGone: readonly string[];
}

export interface ImageProvider {
  readonly code: string;
  readonly capabilities: Capabilities;
  /** Packer builder types whose artifacts this provider can collect. */
  readonly builders: readonly string[];
  readonly images: Images;
  readonly machines: Machines;
  readonly cleanup: Cleanup;
  /** Present exactly when the capability of the same name says so. */
  readonly pointers?: Pointers;
  readonly sharing?: Sharing;
  deprecate?(image: ImageRef, at: string | undefined): Promise<ImageState>;
  /** Whether one of the byte strings occurs on the image's disk (capability `readDisk`). */
  searchDisk?(image: ImageRef, needles: readonly string[], context: CallContext): Promise<readonly string[]>;
  prepareBake?(mark: BakeMark, folder: string): Promise<BakePreparation>;
  /** Reads the settings of an image line (`targets[].launch`); throws `invalid_input` naming the key. */
  checkSettings(settings: Readonly<Record<string, unknown>>): void;
  /** Is the provider usable here: tools present, store writable, credentials accepted. Failures name the remedy. */
  doctor(): Promise<readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[]>;
}

/** The providers a process was configured with; an unknown code is `unsupported`, naming what there is. */
export interface Providers {
  get(code: string): ImageProvider;
  all(): readonly ImageProvider[];
}
