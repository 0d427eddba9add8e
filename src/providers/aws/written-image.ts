/** An image as launch templates and groups write it: by its id, or by a parameter that holds it. */
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { Place } from './cloud.ts';
import { readParameter } from './parameters.ts';

/** Whether what is written there means the image. Throws when it names a parameter that cannot be read. */
export type MeansIt = (written: string | undefined) => Promise<boolean>;

/** Reads every parameter once. */
export function meaning(place: Place, imageId: string): MeansIt {
  const parameters = new Map<string, Promise<string | undefined>>();
  return async (written) => {
    if (written === imageId) return true;
    const name = /^resolve:ssm:(.+)$/.exec(written ?? '')?.[1];
    if (name === undefined) return false;
    const known = parameters.get(name) ?? readParameter(place, name);
    parameters.set(name, known);
    return (await known) === imageId;
  };
}

/**
 * Whether an error is of the one thing that was looked into: that is somebody else's, and must not hide all others. Whatever may pass, or
 * holds for all of them, is not: a policy may leave out single parameters, never single templates.
 */
export const isOfOne = (error: unknown): error is Failure => {
  if (!isFailure(error)) return false;
  if (error.code === 'permission_denied') return String(error.details['action']).startsWith('ssm:');
  return error.code === 'invalid_input' || error.code === 'illegal_state' || error.code === 'not_found';
};
