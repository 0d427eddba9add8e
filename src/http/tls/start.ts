/** The TLS door of a server process: which certificate it shows, and what clients must know of it. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { CertificateFiles } from '../../config/tls-settings.ts';
import { Failure } from '../../domain/failure.ts';
import type { Logger } from '../../observe/logger.ts';
import type { TlsAddress } from './address.ts';
import type { KeyPair } from './authority.ts';
import { namesOf, wrongDate } from './authority.ts';
import type { Timeouts, TlsListenerOptions } from './listener.ts';
import { listenTls } from './listener.ts';
import { certificateNames, interfaceAddresses } from './names.ts';
import { ownCertificate } from './own-authority.ts';

export interface Tls {
  /** As of the last certificate that was read. */
  address(): TlsAddress;
  close(graceMs: number): Promise<void>;
}

interface Deps {
  readonly handler: TlsListenerOptions<KeyPair>['handler'];
  readonly timeouts: Timeouts;
  readonly log: Logger;
  readonly renewEveryMs?: number;
}

interface Certificate extends KeyPair {
  readonly ca: string | null;
  readonly caFile?: string;
  readonly isNew?: boolean;
}

/** Undefined where there is no TLS: it was not asked for, or it is there by default only and cannot be had. */
export async function startTls(
  settings: Pick<Settings, 'tls' | 'dataDir'>,
  deps: Deps,
): Promise<Tls | undefined> {
  try {
    return await open(settings, deps);
  } catch (error) {
    const { listenAsked, own } = settings.tls;
    if (listenAsked || own !== undefined) throw error;
    // Nobody asked for it, so nobody who calls plain http is to miss that.
    deps.log.error({ err: error }, 'there is no TLS until the next start; plain http works');
    return undefined;
  }
}

async function open(
  { tls, dataDir }: Pick<Settings, 'tls' | 'dataDir'>,
  { handler, timeouts, log, renewEveryMs }: Deps,
): Promise<Tls | undefined> {
  const { listen, url, own } = tls;
  if (listen === undefined) {
    if (own === undefined) return undefined;
    throw new Failure(
      'invalid_input',
      'BAKEHOUSE_TLS_CERT is set and BAKEHOUSE_TLS_LISTEN is not, so nobody would be shown it: write for example BAKEHOUSE_TLS_LISTEN=0.0.0.0:8443',
    );
  }
  const folder = path.join(dataDir, 'tls');
  const names = certificateNames(listen.host, url);
  const load = async (isStart: boolean): Promise<Certificate> =>
    own === undefined
      ? ownCertificate({ folder, names, also: interfaceAddresses(listen.host), mayFound: isStart })
      : Promise.resolve(given(own, log));
  const certificate = await load(true);
  const listener = await listenTls({
    ...listen,
    handler,
    timeouts,
    pair: certificate,
    renew: () => load(false),
    log,
    ...(renewEveryMs === undefined ? {} : { renewEveryMs }),
  });
  log.info(
    { port: listener.port, names: namesOf(certificate.cert), ca: certificate.caFile },
    certificate.isNew === true ? 'made a certificate authority, which clients must trust' : 'TLS works',
  );
  return {
    address() {
      const { ca, cert } = listener.shown();
      return { url: url ?? null, port: listener.port, ca, names: namesOf(cert) };
    },
    close: (graceMs) => listener.close(graceMs),
  };
}

/** Of the operator; `invalid_input` names the setting whose file cannot be used. */
function given({ cert, key, ca }: CertificateFiles, log: Logger): Certificate {
  const certificate = {
    cert: read('BAKEHOUSE_TLS_CERT', cert),
    key: read('BAKEHOUSE_TLS_KEY', key),
    ca: ca === undefined ? null : read('BAKEHOUSE_TLS_CA', ca),
  };
  checkDates('BAKEHOUSE_TLS_CERT', cert, certificate.cert, log);
  if (ca !== undefined && certificate.ca !== null) checkDates('BAKEHOUSE_TLS_CA', ca, certificate.ca, log);
  return certificate;
}

/** Clients will refuse it, and their words do not say which side to mend. It is shown all the same: their clocks may be right. */
function checkDates(setting: string, file: string, text: string, log: Logger): void {
  let wrong: string | undefined;
  try {
    wrong = wrongDate(text, Date.now());
  } catch (error) {
    throw new Failure(
      'invalid_input',
      `${setting} names ${file}, which holds no certificate: it must be PEM`,
      {
        cause: error,
      },
    );
  }
  if (wrong !== undefined)
    log.warn({ file, subject: new X509Certificate(text).subject }, `${setting} ${wrong}`);
}

function read(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(
      'invalid_input',
      `${setting} names ${file}, which cannot be read: make it readable for this user`,
      { cause: error },
    );
  }
}
