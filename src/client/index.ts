/** What programs use: the typed client, waiting for a request, and the shapes of all answers. */
export { createClient } from './client.ts';
export type { Client, ClientOptions } from './client.ts';
export { clientCredentials } from './token-source.ts';
export type { ClientSecret, TokenKeeper, TokenSource } from './token-source.ts';
export { failureOf, waitForRequest } from './wait.ts';
export type { Progress, WaitOptions } from './wait.ts';
export { Failure, failureKinds, isFailure } from '../domain/failure.ts';
export type { FailureCode } from '../domain/failure.ts';
export type { InputOf, Operation, ReplyOf } from '../http/descriptors/routes.ts';
