/** What Packer is given for an attempt, put together from what the registry fixed when the request was accepted. */
import { Failure } from '../domain/failure.ts';
import type { ImageLine, LineTarget, ParentLink } from '../domain/image-line.ts';
import { targetKey } from '../domain/target.ts';
import type { ParentPin } from '../domain/version.ts';
import type { AttemptInput, AttemptTemplate } from '../packer/attempt.ts';
import type { RegistryUse } from '../packer/publishing.ts';
import type { BakeMark, LeasedKey, Providers } from '../providers/provider.ts';
import type { RequestPins } from '../registry/contract/requests.ts';
import type { Registry } from '../registry/registry.ts';
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
  /** What a template gets that publishes. */
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
    pins.parents.map((pin) => parentVariable(registry, providers, pin, line.parents, targets)),
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
  const use = await packer.registryUse({ mark, template });
  refuseUnread(pins, use);
  const publishing =
    issuing.publishing !== undefined && (use.publishes || use.reads)
      ? await issuing.publishing({
          attemptId,
          project,
          bucket: line.bucket,
          fingerprint,
          publishes: use.publishes,
          parents: pins.parents.map((pin) => pin.bucket),
          folder: await packer.providedFolder(attemptId),
        })
      : {};
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

/** What Packer is not given, and could not find. */
function refuseUnread({ line, parents }: RequestPins, { reads }: RegistryUse): void {
  const { bucket } = line;
  if (reads && parents.length === 0) {
    throw new Failure(
      'invalid_input',
      `the template of ${bucket} reads buckets by \`hcp-packer-…\`, and the line has no \`parents\`: name each of them there with its channel`,
    );
  }
  const unpassed = parents.find((pin) => variableOf(pin, line.parents) === undefined);
  if (unpassed === undefined || reads) return;
  throw new Failure(
    'invalid_input',
    `the image of ${unpassed.bucket} would not reach the template of ${bucket}: name the \`variable\` that takes it under \`parents\`, or read it by \`hcp-packer-artifact\``,
  );
}

const variableOf = (pin: ParentPin, links: readonly ParentLink[]): string | undefined =>
  pin.variable ?? links.find((link) => link.bucket === pin.bucket)?.variable;

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

/** The reference of the parent's image in one of the line's own places: what the template writes to use it. */
async function parentVariable(
  registry: Pick<Registry, 'versions'>,
  providers: Providers,
  pin: ParentPin,
  links: readonly ParentLink[],
  targets: readonly LineTarget[],
): Promise<readonly (readonly [string, string])[]> {
  const variable = variableOf(pin, links);
  if (variable === undefined) return [];
  // In the line's order: the template reads the image where its first target is.
  const places = targets.filter(({ copy }) => copy !== true).map(targetKey);
  const parent = await registry.versions.get(pin.versionId);
  const images = parent.builds
    .flatMap((build) => build.artifacts)
    .map(({ image }) => image)
    .filter(({ target }) => places.includes(targetKey(target)))
    .toSorted((a, b) => places.indexOf(targetKey(a.target)) - places.indexOf(targetKey(b.target)));
  const parentName = `parent ${pin.bucket} ${pin.versionName}`;
  const [image] = images;
  if (image === undefined) {
    throw new Failure(
      'illegal_state',
      `${parentName} has no image in ${places.join(', ')}; bake it there first`,
    );
  }
  const { presence, reference } = await providers.get(image.target.provider).images.inspect(image);
  if (presence !== 'present' || reference === undefined) {
    throw new Failure(
      'illegal_state',
      `${parentName} cannot be used: its image ${image.imageId} is ${presence}; promote another version or restore it`,
    );
  }
  return [[variable, reference]];
}
