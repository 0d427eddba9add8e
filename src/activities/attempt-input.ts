/** What Packer is given for an attempt, put together from what the registry fixed when the request was accepted. */
import { Failure } from '../domain/failure.ts';
import type { ImageLine, LineTarget } from '../domain/image-line.ts';
import type { AttemptInput, AttemptTemplate } from '../packer/attempt.ts';
import type { BakeMark, LeasedKey } from '../providers/provider.ts';
import type { RequestPins } from '../registry/contract/requests.ts';
import type { Registry } from '../registry/registry.ts';
import { parentVariable, refuseUnread } from './attempt-parents.ts';
import type { CredentialsWanted, GivenSecrets, LeaseWanted } from './credentials.ts';
import type { PackerDeps } from './packer.ts';
import { openNames, type Publication } from './publishing.ts';

export interface AttemptContext {
  readonly attemptId: string;
  readonly mark: BakeMark;
  readonly requestId: string | null;
  /** The one that this bake is of: its request may be at a later one. */
  readonly attempt: number;
  readonly project: string;
  /** Of the version that it makes. */
  readonly fingerprint: string;
  /** Packer is over by then, also when its host is lost: another one relies on it. */
  readonly deadline: string;
  readonly pins: RequestPins;
  readonly targets: readonly LineTarget[];
}

/** What is issued for the attempt alone: the line's secrets, and keys of accounts that name a lease. */
export interface IssuingForAttempt {
  secrets(wanted: CredentialsWanted): Promise<GivenSecrets>;
  /** As `BakeToPrepare.leased`. */
  readonly leased?: (wanted: LeaseWanted) => Promise<LeasedKey | undefined>;
  /** What a template gets that publishes, or reads the registry. */
  readonly publishing?: (publication: Publication) => Promise<Readonly<Record<string, string>>>;
}

export async function attemptContext(
  registry: Pick<Registry, 'bakes' | 'requests' | 'versions'>,
  attemptId: string,
): Promise<AttemptContext> {
  const { versionId, requestAttempt, bakeId, imageName, deadline } =
    await registry.bakes.getAttempt(attemptId);
  const { requestId, project, fingerprint } = await registry.versions.get(versionId);
  if (requestId === null || requestAttempt === null) {
    throw new Failure(
      'illegal_state',
      `version ${versionId} belongs to no request of ours; bake it where it was begun`,
    );
  }
  const pins = await registry.requests.pins(requestId);
  return {
    attemptId,
    mark: { bakeId, attemptId, imageName },
    requestId,
    attempt: requestAttempt,
    project,
    fingerprint,
    deadline,
    pins,
    targets: pins.line.targets,
  };
}

export async function attemptInput(
  { registry, providers, packer, graceMs }: Omit<PackerDeps, 'credentials' | 'server'>,
  attemptId: string,
  only: readonly string[],
  /** Asked last, when nothing else can be wrong: what it answers may have to be ended. */
  issuing: IssuingForAttempt = { secrets: noSecrets },
): Promise<AttemptInput> {
  const { mark, pins, deadline, targets, project, fingerprint } = await attemptContext(registry, attemptId);
  const { line } = pins;
  const askedAt = Date.now();
  const timeLimitMs = Date.parse(deadline) - Date.parse(await registry.now());
  if (timeLimitMs <= 0) {
    throw new Failure(
      'bake_failed',
      `the time limit was over at ${deadline}, before Packer began; raise \`timeLimit\``,
    );
  }
  const parents = await Promise.all(
    pins.parents.map((pin) => parentVariable(registry, providers, pin, targets)),
  );
  const template = await templateOf(registry, pins);
  const lifetimeMs = timeLimitMs + graceMs;
  const { leased } = issuing;
  // From here on something may be leased.
  const offered: Record<string, string> = { attempt_id: attemptId };
  const marks: string[] = [];
  const secret: string[] = [];
  const environment: Record<string, string> = {};
  const openEnvironment: string[] = [];
  for (const code of new Set(targets.map((target) => target.provider))) {
    const prepared = await providers.get(code).prepareBake?.({
      mark,
      folder: await packer.providedFolder(attemptId),
      targets: targets.filter((target) => target.provider === code && target.copy !== true),
      timeLimitMs,
      ...(leased === undefined ? {} : { leased: (path) => leased({ attemptId, lifetimeMs, path }) }),
    });
    Object.assign(offered, prepared?.variables);
    Object.assign(environment, prepared?.environment);
    marks.push(...(prepared?.mustBeGone ?? []));
    secret.push(...(prepared?.secretVariables ?? []));
    openEnvironment.push(...(prepared?.openEnvironment ?? []));
  }
  await registry.bakes.rememberMarks(attemptId, marks);
  const publishing =
    issuing.publishing === undefined
      ? {}
      : await registryEnvironment(packer, issuing.publishing, { mark, template, pins, project, fingerprint });
  const given = await givenSecrets(line, { attemptId, lifetimeMs }, issuing);
  return {
    mark,
    template,
    variables: {
      ...line.variables,
      ...pins.variables,
      ...Object.fromEntries(parents.flat()),
      ...given.variables,
    },
    offered,
    secret: [...secret, ...Object.keys(given.variables)],
    environment: { ...environment, ...publishing, ...given.environment },
    openEnvironment: [...openEnvironment, ...openNames(publishing)].filter(
      (name) => !Object.hasOwn(given.environment, name),
    ),
    only: only.length > 0 ? only : line.sources,
    timeLimitMs,
    // By our own clock, which the supervisor shares: another host relies on it, also when this one sleeps in between.
    notAfter: new Date(askedAt + timeLimitMs).toISOString(),
    graceMs,
  };
}

/** What Packer is given to publish or to read the registry; nothing where its template does neither. */
async function registryEnvironment(
  packer: PackerDeps['packer'],
  issue: NonNullable<IssuingForAttempt['publishing']>,
  bake: Pick<AttemptContext, 'mark' | 'pins' | 'project' | 'fingerprint'> & Pick<AttemptInput, 'template'>,
): Promise<Readonly<Record<string, string>>> {
  const { mark, template, pins, project, fingerprint } = bake;
  const { publishes, reads } = await packer.registryUse({ mark, template });
  refuseUnread(pins, { publishes, reads });
  if (!publishes && !reads) return {};
  return issue({
    attemptId: mark.attemptId,
    project,
    bucket: pins.line.bucket,
    fingerprint,
    publishes,
    parents: pins.parents.map((pin) => pin.bucket),
    folder: await packer.providedFolder(mark.attemptId),
  });
}

const noSecrets = (): Promise<GivenSecrets> => Promise.resolve({ variables: {}, environment: {} });

async function givenSecrets(
  { bucket, secrets = [] }: ImageLine,
  whose: Pick<CredentialsWanted, 'attemptId' | 'lifetimeMs'>,
  issuing: IssuingForAttempt,
): Promise<GivenSecrets> {
  return secrets.length === 0 ? noSecrets() : issuing.secrets({ ...whose, bucket, secrets });
}

export async function templateOf(
  registry: Pick<Registry, 'lines'>,
  pins: RequestPins,
): Promise<AttemptTemplate> {
  const { template } = pins;
  if (template === null) throw new Failure('illegal_state', `${pins.line.bucket}: its request bakes nothing`);
  if (template.kind === 'git') return template;
  return { ...template, files: (await registry.lines.getTemplate(template.digest)).files };
}
