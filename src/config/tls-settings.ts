/** Where and with what the server speaks TLS, from the settings. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import { Failure } from '../domain/failure.ts';
import type { Listen } from './setting-kinds.ts';
import type { settingSchema } from './setting-schema.ts';

export interface TlsSettings {
  /** Absent: no TLS. */
  readonly listen: Listen | undefined;
  /** Whether `BAKEHOUSE_TLS_LISTEN` was given: then TLS that cannot be had ends the server. */
  readonly listenAsked: boolean;
  /** `BAKEHOUSE_TLS_LISTEN` was given as empty: nor does `up` speak TLS by itself. */
  readonly isOff: boolean;
  /** What clients are told; absent: the host that they call. */
  readonly url: string | undefined;
  /** Absent: an authority of our own, in the data folder. */
  readonly own: CertificateFiles | undefined;
}

/** Absolute paths; what they name is read again while the server runs. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Of the authority, where clients do not know it anyway. */
  readonly ca: string | undefined;
}

type Parsed = z.output<typeof settingSchema>;

/** `invalid_input` names what is missing beside what. */
export function tlsSettings(parsed: Parsed, isOff: boolean): TlsSettings {
  return {
    listen: parsed.BAKEHOUSE_TLS_LISTEN ?? parsed.BAKEHOUSE_TLS_LISTEN_DEFAULT,
    listenAsked: parsed.BAKEHOUSE_TLS_LISTEN !== undefined,
    isOff,
    url: parsed.BAKEHOUSE_TLS_URL,
    own: filesOf(parsed),
  };
}

function filesOf({
  BAKEHOUSE_TLS_CERT: cert,
  BAKEHOUSE_TLS_KEY: key,
  BAKEHOUSE_TLS_CA: ca,
}: Parsed): CertificateFiles | undefined {
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'BAKEHOUSE_TLS_CERT' : 'BAKEHOUSE_TLS_KEY';
    throw new Failure(
      'invalid_input',
      `${missing} is not set: a certificate of your own is a certificate and its key; leave all of BAKEHOUSE_TLS_CERT, _KEY and _CA out for one that Bakehouse makes`,
    );
  }
  return { cert: resolve(cert), key: resolve(key), ca: ca === undefined ? undefined : resolve(ca) };
}
