/** Puts what it is given wherever a workflow can put something. */
import {
  ApplicationFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow';

interface Marked {
  readonly marker: string;
  readonly again?: boolean;
}

interface Steps {
  beat(marker: string): Promise<string>;
  refuse(marker: string): Promise<string>;
}

const steps = proxyActivities<Steps>({
  startToCloseTimeout: 20_000,
  heartbeatTimeout: 10_000,
  retry: { initialInterval: 2_000, maximumAttempts: 2 },
});
const localSteps = proxyLocalActivities<Steps>({ startToCloseTimeout: 5_000, retry: { maximumAttempts: 1 } });

export async function marked({ marker, again }: Marked): Promise<{ marker: string; beats: string }> {
  if (again !== true) return continueAsNew<typeof marked>({ marker, again: true });
  let told = '';
  setHandler(defineSignal<[string]>('tell'), (text) => void (told = text));
  setHandler(defineQuery<string>('told'), () => told);
  setHandler(
    defineUpdate<string, [string]>('ask'),
    (text) => {
      if (text === 'fail') throw ApplicationFailure.nonRetryable(`asked ${marker}`, 'test', marker);
      return `${text} ${marker}`;
    },
    { validator: (text) => void (text === '' && reject(marker)) },
  );
  setCurrentDetails(marker);
  upsertMemo({ note: marker });
  await condition(() => told !== '');
  await sleep(10, { summary: marker });
  const beats = await steps.beat(marker);
  await localSteps.refuse(marker).catch(() => undefined);
  await steps.refuse(marker).catch(() => undefined);
  await executeChild(failing, { args: [{ marker }], staticSummary: marker }).catch(() => undefined);
  return { marker, beats };
}

export async function failing({ marker }: Marked): Promise<never> {
  await sleep(1);
  throw ApplicationFailure.create({
    message: `failed with ${marker}`,
    nonRetryable: true,
    details: [marker],
    cause: new Error(marker),
  });
}

function reject(marker: string): never {
  throw new Error(`refused ${marker}`);
}
