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

/**
 * What a cloud can do. What a line asks for and the provider lacks (`copy`, `shareWith`) is refused when the line is applied, and with
 * `unsupported` by the step, both naming place and remedy. What the product does by itself in all places is left out where it cannot be
 * done and holds nothing up: an announced end and tags for shares leave a receipt that says so, a channel answers `no_pointers`, and a
 * check that reads the disk is never told as passed.
 */
export interface Capabilities {
  /** What `setLaunchable(false)` really does: nobody can launch it (`blocks`), or it is only hidden (`hides`). */
  readonly disable: 'blocks' | 'hides';
  readonly deprecate: boolean;
  readonly share: boolean;
  readonly pointers: boolean;
  /** Whether images can be copied to further targets after the bake. */
  readonly distribute: boolean;
  /** Whether tags can be written where those see them that an image is shared with. */
  readonly tagShares: boolean;
  /** Whether the disk can be read without booting it (secret scan). */
  readonly readDisk: boolean;
  /** Machines live on the bake host that launched them: calls about one go to that host's queue. */
  readonly hostBound: boolean;
}

export type ImagePresence = 'present' | 'pending' | 'disabled' | 'missing';

export interface ImageState {
  readonly presence: ImagePresence;
  /** Capability `disable: 'hides'`: it is `present`, launchable by its id, and made hard to find by `setLaunchable(false)`. */
  readonly hidden?: true;
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
  /** Present on a copy: the id that it was asked for with. */
  readonly copyId?: string;
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
  /**
   * Who uses the image. `complete: false` (an inventory was not reached) forbids deletion. `recordedShares`: with whom it was shared before
   * it was disabled, as `sharing.read` answered then: disabling may forget that, and what was launched before runs on.
   */
  uses(image: ImageRef, recordedShares?: readonly string[]): Promise<UsesReport>;
}

export interface UsesReport {
  readonly complete: boolean;
  /** Which inventory was not reached, and how it can be. Present when not complete. */
  readonly why?: string;
  readonly asOf: string;
  /** When the image was last launched by anybody, where the cloud tells. */
  readonly lastLaunchedAt?: string;
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

/** What runs a command in a machine; `none`: it takes no commands, and is looked at from outside. */
export type GuestShell = 'posix' | 'powershell' | 'none';

export interface Machine {
  readonly launchId: string;
  readonly target: Target;
  readonly machineId: string;
  /** Absent only in what was recorded before machines told it: `posix`. */
  readonly shell?: GuestShell;
  /** Small JSON the provider needs to reach it again (ports, key names); never a secret. */
  readonly handle: Readonly<Record<string, unknown>>;
}

export interface MachineStatus {
  readonly state: 'starting' | 'booted' | 'stopped' | 'missing';
  /** What the cloud says of a machine that stopped. */
  readonly why?: string;
  /** Milliseconds from power-on until commands were accepted. */
  readonly bootMs?: number;
}

export interface CommandResult {
  readonly exitCode: number;
  /** Bounded to 64 KiB each, newest kept. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds between two looks at a machine that boots: at first, and what they grow to. */
export interface BootPace {
  readonly firstMs: number;
  readonly mostMs: number;
}

export interface Machines {
  /** Absent: a look calls no cloud, so that one may look all the time. */
  readonly bootPace?: BootPace;
  launch(input: LaunchInput, context: CallContext): Promise<Machine>;
  status(machine: Machine): Promise<MachineStatus>;
  /**
   * `runId`: client token of the run. Where the cloud keeps runs, a second call with the same id answers the first one's result; elsewhere
   * the command runs again, so whoever writes commands is told that one may run twice.
   */
  run(
    machine: Machine,
    command: string,
    timeoutMs: number,
    context: CallContext,
    runId?: string,
  ): Promise<CommandResult>;
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
  /**
   * Everything that carries the mark (bake id, attempt id, launch id or copy id) and is not a finished image. A copy is found by its own
   * id only, though it carries its bake's: whoever tidies up after a bake must not end a copy that is being made of its image.
   */
  leftovers(mark: string, targets: readonly Target[]): Promise<readonly Leftover[]>;
  sweep(leftover: Leftover): Promise<void>;
}

/** A channel published in the cloud itself, for readers that do not ask Bakehouse (an SSM parameter, a file). */
export interface Pointers {
  read(pointer: PointerRef): Promise<string | undefined>;
  /** Writes or (undefined) removes the pointer, and ends what a write that was cut short left undone; answers what is read back. */
  write(pointer: PointerRef, imageId: string | undefined): Promise<string | undefined>;
}

export interface PointerRef {
  readonly target: Target;
  readonly bucket: string;
  readonly channel: string;
}

/** With whom an image is shared; each share is written as the cloud writes it (account id, organization ARN, subscription id). Sorted. */
export interface Sharing {
  /** An image that is not there is shared with nobody. */
  read(image: ImageRef): Promise<readonly string[]>;
  /** Replaces all shares, with the storage behind the image; answers what is read back. `not_found` when the image is not there. */
  write(image: ImageRef, shares: readonly string[]): Promise<readonly string[]>;
  /** Why `write` refuses a share that `read` may answer (somebody made the image public), or undefined. Absent: it takes all of them. */
  neverWritten?(share: string): string | undefined;
  /**
   * Capability `tagShares`: writes the tags in the accounts the image is shared with, because an owner's tags are not seen there, and
   * reads them back. A share that is no account of this installation (an organization, a foreign account) is answered in `notReached`.
   */
  tag?(image: ImageRef, tags: Readonly<Record<string, string>>): Promise<TaggedShares>;
  /** Capability `tagShares`: which of the tags the reachable ones of these shares do not see as they should be. Changes nothing. */
  untagged?(
    image: ImageRef,
    shares: readonly string[],
    tags: Readonly<Record<string, string>>,
  ): Promise<readonly { readonly share: string; readonly tags: readonly string[] }[]>;
}

export interface TaggedShares {
  readonly tagged: readonly string[];
  readonly notReached: readonly { readonly share: string; readonly why: string }[];
}

export interface CopyInput {
  /** A second copy with the same id answers the same image. It is a mark on the copy, beside the bake's. */
  readonly copyId: string;
  /** The same for all tries of one run of the work. A new run asks anew for what an old one was refused or saw fail. */
  readonly runId: string;
  readonly mark: BakeMark;
  readonly source: ImageRef;
  readonly target: Target;
  /** The provider's own settings of the target in the image line (`targets[].settings`), validated by the provider. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Capability `distribute`. */
export interface Distribution {
  /**
   * Makes a copy of the image in another place, or finds the one of this `copyId`, and waits until it is present. Where the cloud's
   * operation has a handle, it is in the beats, and a retry goes on waiting for it (`lastBeat`) instead of asking for a second copy.
   * A place that the provider is not configured for is refused with `invalid_input`.
   */
  copy(input: CopyInput, context: CallContext): Promise<CollectedImage>;
}

/** What a bake is prepared for: Packer's credentials must outlive its time limit. */
export interface BakeToPrepare {
  readonly mark: BakeMark;
  /** The attempt's own folder (0700), swept with it. Absolute. */
  readonly folder: string;
  readonly targets: readonly Target[];
  readonly timeLimitMs: number;
  /**
   * Takes a lease of a secret store's engine, by path, for this attempt alone: it outlives the time limit and what Packer gets to end, and
   * it ends with the attempt and not with this process. Undefined, or answers that: Packer does not start with what is prepared now, so
   * what the process holds for its own calls will do.
   */
  readonly leased?: (path: string) => Promise<LeasedKey | undefined>;
}

/** Of an engine that makes access keys. */
export interface LeasedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Files, variables and credentials a bake of this provider needs before Packer starts (a seed disk, a key). */
export interface BakePreparation {
  /** Packer variables to pass, if the template declares them. Values that are paths are absolute. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names of those variables whose values are secret. */
  readonly secretVariables?: readonly string[];
  /** Environment of Packer: short-lived credentials. None of it is kept anywhere, and all of it is secret but what is named below. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names in it whose values are no secrets (a region): they are not kept out of logs, nor looked for in images. */
  readonly openEnvironment?: readonly string[];
  /**
   * Public halves of keys and other marks that must not be found in the finished image. They are kept in the registry, go through
   * histories and are shown: never a secret. The values of `secretVariables` and `environment` are looked for by the bake host anyway.
   */
  readonly mustBeGone: readonly string[];
}

/** What launch settings come to, the provider's defaults among them. */
export interface LaunchFacts {
  /** A machine that has not booted after this long has failed its test. */
  readonly bootTimeoutMs: number;
  /** The setting, as a line writes it, with which the machine takes no commands. Absent: it takes them. */
  readonly noCommands?: string;
}

/** A place that this process is configured for, and how fast work may begin there. */
export interface Place {
  readonly target: Target;
  /** Steps that all workers together begin there in a second at most, each of some calls of the cloud, those that wait counted apart; absent: no limit. */
  readonly callsPerSecond?: number;
}

export interface ImageProvider {
  readonly code: string;
  readonly capabilities: Capabilities;
  /** All places of the installation. Those of a `hostBound` provider are served by bake hosts, the others by workers. */
  readonly places: readonly Place[];
  /** Packer builder types whose artifacts this provider can collect. */
  readonly builders: readonly string[];
  readonly images: Images;
  readonly machines: Machines;
  readonly cleanup: Cleanup;
  /** Present exactly when the capability of the same name says so. */
  readonly pointers?: Pointers;
  readonly sharing?: Sharing;
  readonly distribution?: Distribution;
  deprecate?(image: ImageRef, at: string | undefined): Promise<ImageState>;
  /** Whether one of the byte strings occurs on the image's disk (capability `readDisk`). */
  searchDisk?(image: ImageRef, needles: readonly string[], context: CallContext): Promise<readonly string[]>;
  prepareBake?(bake: BakeToPrepare): Promise<BakePreparation>;
  /** Reads the settings of an image line (`targets[].launch`); throws `invalid_input` naming the key. */
  checkSettings(settings: Readonly<Record<string, unknown>>): LaunchFacts;
  /** The same of `targets[].settings`: how images lie in the place (encryption key, copy options). Absent: there are none. */
  checkPlaceSettings?(settings: Readonly<Record<string, unknown>>): void;
  /** Is the provider usable here: tools present, store writable, credentials accepted. Failures name the remedy. */
  doctor(): Promise<readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[]>;
}

/** The providers a process was configured with; an unknown code is `unsupported`, naming what there is. */
export interface Providers {
  get(code: string): ImageProvider;
  all(): readonly ImageProvider[];
}
