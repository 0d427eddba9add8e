/** How an installation names its Azure subscriptions. */

export interface AzureOptions {
  readonly subscriptions: readonly AzureSubscription[];
  /**
   * Every subscription whose machines may use the images is named above. Azure cannot tell who may read a gallery by a role: without this,
   * no image is proved to be unused, so none is deleted. Default false.
   */
  readonly allReadersConfigured?: boolean;
  /** For sovereign clouds, private endpoints and tests. */
  readonly clients?: AzureClientOptions;
}

export interface AzureClientOptions {
  /** Of Azure Resource Manager; absent: the public cloud's. */
  readonly endpoint?: string;
  /** Of Microsoft Entra ID; absent: the public cloud's. */
  readonly authorityHost?: string;
  /** Certificates in PEM that are trusted beside those of the system. */
  readonly tls?: { readonly ca: string };
  /** Milliseconds between two looks at an operation when Azure names no delay. Default 2000. */
  readonly pollEveryMs?: number;
}

/** Milliseconds. */
export const defaultPollEveryMs = 2_000;

export interface AzureSubscription {
  /** GUID of the subscription; `Target.account`. */
  readonly id: string;
  /** `Target.region`, as Azure writes it in an id: `westeurope`. The first is where new galleries' images are at home. */
  readonly locations: readonly string[];
  /** Resource group of the gallery. Both exist already: they belong to the platform's own infrastructure code. */
  readonly resourceGroup: string;
  /** Name of the Azure Compute Gallery. */
  readonly gallery: string;
  readonly credentials: AzureCredentials;
  /** Calls in a second that all workers together make there at most. */
  readonly callsPerSecond?: number;
  /**
   * The one channel that `latest` of an image definition follows, by leaving every other version out of latest. With it, a new version
   * is left out until the channel points to it. Other channels are tags of the definition, whose readers resolve by version id.
   */
  readonly pointerChannel?: string;
}

export type AzureCredentials =
  /** Environment, workload identity, managed identity, Azure CLI: what the process finds. */
  | { readonly kind: 'default' }
  | {
      readonly kind: 'clientSecret';
      readonly tenantId: string;
      readonly clientId: string;
      /** Asked whenever a token is needed, so that a rotated or leased secret is taken up. */
      readonly clientSecret: () => Promise<string>;
    };
