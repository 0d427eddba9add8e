import { Failure } from '../../domain/failure.ts';
import type { ImageLine } from '../../domain/image-line.ts';
import { secretProblem } from '../../domain/line-secrets.ts';
import { checkName, latestChannel } from '../../domain/names.ts';
import { credentialRemedy, holdsCredential } from '../../domain/repository.ts';
import type { Db } from '../../store/store.ts';

/** Refuses lines that could never be baked: bad or doubled names, unknown parents, templates that were not uploaded. Changes nothing. */
export async function checkLines(db: Db, project: string, lines: readonly ImageLine[]): Promise<void> {
  checkName('project', project);
  const named = new Map<string, ImageLine>();
  for (const line of lines) {
    checkName('bucket', line.bucket);
    if (named.has(line.bucket)) {
      throw new Failure('invalid_input', `Bucket "${line.bucket}" is described twice. Keep one of the two.`);
    }
    named.set(line.bucket, line);
    checkChannels(line);
    checkRepository(line);
    checkSecrets(line);
  }
  await checkParents(db, project, named);
  await checkTemplates(db, lines);
}

function checkChannels(line: ImageLine): void {
  const seen = new Set<string>();
  for (const { name } of line.channels) {
    checkName('channel', name);
    if (name === latestChannel) {
      throw new Failure(
        'invalid_input',
        `Bucket "${line.bucket}": the channel "${latestChannel}" is there by itself and moves with each complete version. Leave it out.`,
      );
    }
    if (seen.has(name)) {
      throw new Failure(
        'invalid_input',
        `Bucket "${line.bucket}": channel "${name}" is named twice. Keep one.`,
      );
    }
    seen.add(name);
  }
}

function checkRepository({ bucket, template }: ImageLine): void {
  if (template.kind !== 'git' || !holdsCredential(template.repository)) return;
  throw new Failure('invalid_input', `Bucket "${bucket}": ${credentialRemedy}.`);
}

/** Who sends lines to the API is told what the command line told of the file. */
function checkSecrets({ bucket, secrets = [] }: ImageLine): void {
  for (const secret of secrets) {
    const problem = secretProblem(secret);
    if (problem === undefined) continue;
    throw new Failure('invalid_input', `Bucket "${bucket}", secret "${secret.name}": ${problem.text}.`);
  }
}

async function checkParents(db: Db, project: string, named: ReadonlyMap<string, ImageLine>): Promise<void> {
  const links = [...named.values()].flatMap((line) => line.parents.map((parent) => ({ line, parent })));
  if (links.length === 0) return;
  const rows = await db
    .selectFrom('channel')
    .innerJoin('bucket', 'bucket.id', 'channel.bucket_id')
    .innerJoin('project', 'project.id', 'bucket.project_id')
    .where('project.name', '=', project)
    .where('bucket.deleted_at', 'is', null)
    .where('channel.deleted_at', 'is', null)
    .where(
      'bucket.name',
      'in',
      links.map(({ parent }) => parent.bucket),
    )
    .select(['bucket.name as bucket', 'channel.name as channel'])
    .execute();
  for (const { line, parent } of links) {
    const here = named.get(parent.bucket);
    const channels = [
      ...rows.filter((row) => row.bucket === parent.bucket).map((row) => row.channel),
      ...(here === undefined ? [] : [latestChannel, ...here.channels.map(({ name }) => name)]),
    ];
    if (channels.includes(parent.channel)) continue;
    throw new Failure(
      'invalid_input',
      channels.length === 0
        ? `Bucket "${line.bucket}" names the parent "${parent.bucket}", which does not exist in project "${project}". Describe that line too, or correct the name.`
        : `Bucket "${line.bucket}" names channel "${parent.channel}" of "${parent.bucket}", which has ${[...new Set(channels)].join(', ')}. Correct the channel, or add it to "${parent.bucket}".`,
    );
  }
}

async function checkTemplates(db: Db, lines: readonly ImageLine[]): Promise<void> {
  const digests = lines.flatMap(({ template }) => (template.kind === 'folder' ? [template.digest] : []));
  if (digests.length === 0) return;
  const rows = await db.selectFrom('template').select('digest').where('digest', 'in', digests).execute();
  const known = new Set(rows.map(({ digest }) => digest));
  for (const { bucket, template } of lines) {
    if (template.kind !== 'folder' || known.has(template.digest)) continue;
    throw new Failure(
      'invalid_input',
      `Bucket "${bucket}": the content of template ${template.path} (${template.digest}) was not uploaded. Upload it before the line is applied; \`bakehouse apply\` does both.`,
    );
  }
}
