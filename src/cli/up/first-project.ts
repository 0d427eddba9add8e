import { createClient, isFailure } from '../../client/index.ts';
import type { ClientOptions } from '../../client/index.ts';
import type { Say } from './part.ts';

/**
 * The project that commands work in, so that principals can be made in it before anything was applied. One that is there already stays, in
 * whatever organization.
 */
export async function makeFirstProject(server: ClientOptions, name: string, say: Say): Promise<void> {
  try {
    await createClient(server).createProject({ organization: 'default', name });
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (error.code !== 'already_exists') say(`project ${name} was not made: ${error.message}`);
  }
}
