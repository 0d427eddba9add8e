/** Where a server speaks TLS, as clients are told. */
export interface TlsAddress {
  /** As set, where clients come through a name or a proxy; null: the host that they call, at `port`. */
  readonly url: string | null;
  readonly port: number;
  /** Certificates of the authority that clients must trust beside their machine's, PEM; null: none that we know of. */
  readonly ca: string | null;
  /** Host names and addresses that the certificate is made out for; `*.` stands for one label. */
  readonly names: readonly string[];
}
