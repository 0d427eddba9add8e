/** What is on the wire of Azure Resource Manager: resources, errors, requests and answers. */

/** The wire form of an SDK model: its dates are ISO 8601 texts. What a model flattens lies under `properties` there. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer E)[]
    ? Wire<E>[]
    : T extends object
      ? { -readonly [K in keyof T]: Wire<T[K]> }
      : T;

export interface Plan {
  readonly name?: string;
  readonly publisher?: string;
  readonly product?: string;
}

/** https://learn.microsoft.com/azure/azure-resource-manager/management/resource-manager-personal-data names the envelope. */
export interface Resource<P extends object = Record<string, unknown>> {
  id: string;
  name: string;
  type: string;
  location?: string;
  tags?: Record<string, string>;
  properties: P & { provisioningState?: string };
  plan?: Plan;
  sku?: object;
  identity?: object;
  zones?: readonly string[];
}

/** What a caller sent: anything may be missing. */
export interface Envelope<P extends object = Record<string, unknown>> {
  readonly location?: string;
  readonly tags?: Record<string, string>;
  readonly properties?: Partial<P>;
  readonly plan?: Plan;
  readonly sku?: object;
  readonly identity?: object;
  readonly zones?: readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * A refusal as ARM writes it: `{"error":{"code","message"}}`.
 * https://learn.microsoft.com/rest/api/azure/#error-response and
 * https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
 */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: readonly object[];

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly details?: readonly object[] } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = more.headers ?? {};
    this.details = more.details ?? [];
  }

  body(): { readonly code: string; readonly message: string; readonly details?: readonly object[] } {
    return {
      code: this.code,
      message: this.message,
      ...(this.details.length > 0 && { details: this.details }),
    };
  }
}
