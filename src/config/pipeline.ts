/** The request key of a CI job: a retried job asks for the same request again, a new pipeline for a new one. */
type Environment = Readonly<NodeJS.ProcessEnv>;

/** Undefined outside of a CI system that is known here. */
export function pipelineKey(
  bucket: string,
  kind: 'release' | 'bake',
  environment: Environment = process.env,
): string | undefined {
  const run = gitlab(environment) ?? github(environment);
  return run === undefined ? undefined : `${run}/${kind}/${bucket}`.slice(0, 200);
}

function gitlab(environment: Environment): string | undefined {
  const id = environment['CI_PIPELINE_ID'];
  if (environment['GITLAB_CI'] !== 'true' || id === undefined) return undefined;
  return `gitlab/${environment['CI_PROJECT_ID'] ?? environment['CI_PROJECT_PATH'] ?? ''}/${id}`;
}

/** The run's id stays when it is run again; its attempt number does not belong in the key. */
function github(environment: Environment): string | undefined {
  const id = environment['GITHUB_RUN_ID'];
  if (environment['GITHUB_ACTIONS'] !== 'true' || id === undefined) return undefined;
  return `github/${environment['GITHUB_REPOSITORY'] ?? ''}/${id}`;
}
