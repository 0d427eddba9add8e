/** Reading the parameter store. */
import { GetParameterCommand, GetParametersCommand } from '@aws-sdk/client-ssm';
import type { Place } from './cloud.ts';
import { unlessMissing } from './errors.ts';

/** `name` may end with `:version` or `:label`. That it is not there is only believed when a second question says the same. */
export async function readParameter({ ssm }: Place, name: string): Promise<string | undefined> {
  const found = await unlessMissing(ssm.send(new GetParameterCommand({ Name: name })), () => undefined);
  if (found?.Parameter?.Value !== undefined) return found.Parameter.Value;
  const { Parameters: [again] = [] } = await ssm.send(new GetParametersCommand({ Names: [name] }));
  return again?.Value;
}
