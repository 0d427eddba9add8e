/** The fault switchboard: what the next calls of an operation answer instead of what they should. */
import { ArmError } from './wire.ts';

export const faultAnswers = [
  'throttled',
  'server-error',
  'timeout-after-effect',
  // Done, and the answer waits until the faults are cleared.
  'held',
  'not-found',
  'access-denied',
] as const;

export type FaultAnswer = (typeof faultAnswers)[number];

export interface Fault {
  /**
   * Method and resource type without its namespace, as in the log of requests: `PUT galleries/images/versions`, `GET resourceGroups`,
   * `POST virtualMachines/runCommand`, `GET operations` (polling), `POST token`. `*` stands for every operation.
   */
  readonly operation: string;
  readonly answer: FaultAnswer;
  /** How many calls; 1 if absent. */
  readonly times?: number;
  /** So many calls go through before the first one is answered; 0 if absent. */
  readonly after?: number;
  /** Of the Retry-After header of `throttled`; 0 if absent. */
  readonly retryAfterSeconds?: number;
}

export class Faults {
  #letGo = Promise.withResolvers<void>();
  #faults: { readonly fault: Fault; left: number; through: number }[] = [];

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1, through: fault.after ?? 0 });
  }

  clear(): void {
    this.#faults = [];
    this.#letGo.resolve();
    this.#letGo = Promise.withResolvers<void>();
  }

  /** Once they are cleared: answers that are held wait for it. */
  get cleared(): Promise<void> {
    return this.#letGo.promise;
  }

  /** The fault for this call, which is used up by it. */
  take(operation: string): Fault | undefined {
    const found = this.#faults.find(
      (one) => one.left > 0 && (one.fault.operation === '*' || one.fault.operation === operation),
    );
    if (found === undefined) return undefined;
    if (found.through > 0) {
      found.through -= 1;
      return undefined;
    }
    found.left -= 1;
    return found.fault;
  }
}

export interface FaultedCall {
  readonly method: string;
  readonly path: string;
  readonly action: string;
  readonly subscription: string;
  readonly clientId: string;
}

export function refusal(fault: Fault, call: FaultedCall): ArmError | undefined {
  switch (fault.answer) {
    case 'throttled':
      return throttled(call, fault.retryAfterSeconds ?? 0);
    case 'server-error':
      return new ArmError(500, 'InternalServerError', 'An error occurred while processing this request.');
    case 'not-found':
      return new ArmError(
        404,
        'ResourceNotFound',
        `The Resource '${call.path.replace(/^.*\/providers\//i, '')}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
      );
    case 'access-denied':
      return forbidden(call.clientId, call.action, call.path);
    case 'timeout-after-effect':
    case 'held':
      return undefined;
    default:
      throw new ArmError(400, 'BadRequest', `no such answer: '${JSON.stringify(fault)}'`);
  }
}

/** https://learn.microsoft.com/azure/role-based-access-control/troubleshooting names the missing action in the message. */
export function forbidden(clientId: string, action: string, scope: string): ArmError {
  return new ArmError(
    403,
    'AuthorizationFailed',
    `The client '${clientId}' with object id '${clientId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/**
 * https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling and, for the compute provider's own limits,
 * https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshooting-throttling-errors
 */
function throttled(call: FaultedCall, seconds: number): ArmError {
  const kind = call.method === 'GET' ? 'reads' : call.method === 'DELETE' ? 'deletes' : 'writes';
  if (/\/providers\/Microsoft\.Compute\//i.test(call.path))
    return new ArmError(
      429,
      'OperationNotAllowed',
      'The server rejected the request because too many requests have been received for this subscription.',
      {
        headers: {
          'retry-after': String(seconds),
          'x-ms-ratelimit-remaining-resource': 'Microsoft.Compute/HighCostGet3Min;0',
        },
        details: [
          {
            code: 'TooManyRequests',
            target: 'HighCostGet3Min',
            message: JSON.stringify({ operationGroup: 'HighCostGet3Min', allowedRequestCount: 0 }),
          },
        ],
      },
    );
  return new ArmError(
    429,
    'SubscriptionRequestsThrottled',
    `Number of '${kind.replace(/s$/, '')}' requests for subscription '${call.subscription}' actor '${call.clientId}' exceeded. Please try again after '${seconds}' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.`,
    {
      headers: { 'retry-after': String(seconds), [`x-ms-ratelimit-remaining-subscription-${kind}`]: '0' },
    },
  );
}
