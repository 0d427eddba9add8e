/** HCP's words: nothing of ours hangs on a tier. */
export type Tier = 'STANDARD' | 'PLUS';

/** What a run task says of an image that no registry knows. */
export type RunTaskBehaviour = 'FAIL' | 'WARN';
