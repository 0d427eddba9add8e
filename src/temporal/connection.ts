/** A client connection that never waits longer than its deadline and comes back by itself after an outage. */
import { Client, Connection } from '@temporalio/client';

import { dataConverterOf } from './codec/index.ts';
import type { Keyring } from './codec/index.ts';
import { temporalFailure } from './errors.ts';

export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
  /** Longest wait for one answer. Milliseconds. */
  readonly deadlineMs: number;
}

export interface TemporalConnection {
  readonly place: TemporalPlace;
  readonly client: Client;
  readonly connection: Connection;
  /** Runs one or a few calls under the deadline. What fails is a `Failure`, except what `expected` accepts: that is thrown as it is. */
  call<T>(calls: () => Promise<T>, expected?: (error: unknown) => boolean): Promise<T>;
  /** Throws `provider_unavailable` unless the server answers now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A minute of silence after an outage (the library's default backoff grows to two) would be lateness of every delivery. */
const reconnect = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/** Connects at the first call: a server that is away is no reason not to start. Payloads are encrypted where there is a keyring. */
export function openTemporal(place: TemporalPlace, keyring?: Keyring): TemporalConnection {
  const { address, namespace, deadlineMs } = place;
  const connection = Connection.lazy({ address, channelArgs: reconnect });
  const call: TemporalConnection['call'] = async (calls, expected = () => false) => {
    try {
      return await connection.withDeadline(Date.now() + deadlineMs, calls);
    } catch (error) {
      throw expected(error) ? error : temporalFailure(error, address);
    }
  };
  return {
    place,
    client: new Client({ connection, namespace, dataConverter: dataConverterOf(keyring, namespace) }),
    connection,
    call,
    check: () => call(async () => void (await connection.workflowService.getSystemInfo({}))),
    close: () => connection.close(),
  };
}
