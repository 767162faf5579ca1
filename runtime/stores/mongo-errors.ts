import { MongoBulkWriteError, MongoError, MongoServerError, MongoWriteConcernError } from "mongodb";
import { StoreUnavailable } from "../ports.ts";

/** What the driver and the server answer, as the store sees it. Codes, never texts. */

/**
 * Server errors that say "not now": network, elections, shutting down, time-outs, no room, not allowed in.
 * @see https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
 */
const UNAVAILABLE: ReadonlySet<number> = new Set([
  ...[6, 7, 89, 9001], // HostUnreachable, HostNotFound, NetworkTimeout, SocketException
  ...[50, 64, 100, 262], // MaxTimeMSExpired, WriteConcernTimeout, UnsatisfiableWriteConcern, ExceededTimeLimit
  ...[91, 11600], // ShutdownInProgress, InterruptedAtShutdown
  ...[189, 10107, 11602, 13435, 13436], // PrimarySteppedDown, NotWritablePrimary, Interrupted…, NotPrimary…
  ...[11601, 133, 134], // Interrupted, FailedToSatisfyReadPreference, ReadConcernMajorityNotAvailableYet
  ...[13, 18], // Unauthorized, AuthenticationFailed
  ...[14031, 46, 112], // OutOfDiskSpace, LockBusy, WriteConflict
]);

const DUPLICATE_KEY = 11000;

/** Nothing can be told of what was asked, and it may go better later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof StoreUnavailable || error instanceof MongoWriteConcernError || isSocketError(error)) return true;
  if (error instanceof MongoBulkWriteError) return isUnavailableWrite(error);
  if (!(error instanceof MongoError)) return false;
  // Every error that isn't a server's answer is one of the way to it.
  if (!(error instanceof MongoServerError)) return !WRONG_USE.has(error.name);
  return isCode(error);
}

const isCode = (error: MongoServerError): boolean =>
  UNAVAILABLE.has(Number(error.code)) || error.hasErrorLabel("RetryableWriteError");

/** Some of a socket's errors come through the driver as they are. */
const isSocketError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && SOCKET_CODES.has(String(error.code));

const SOCKET_CODES: ReadonlySet<string> = new Set([
  ...["EPIPE", "ECONNRESET", "ECONNREFUSED", "ECONNABORTED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
  ...["ENOTFOUND", "EAI_AGAIN", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END", "ERR_SOCKET_CLOSED"],
]);

/** Errors of the driver that no waiting mends. */
const WRONG_USE: ReadonlySet<string> = new Set([
  ...["MongoInvalidArgumentError", "MongoParseError", "MongoMissingDependencyError", "MongoMissingCredentialsError"],
]);

function isUnavailableWrite(error: MongoBulkWriteError): boolean {
  // An error of the way comes wrapped in one of the write.
  const wrapped: unknown = error.errorResponse;
  if (wrapped instanceof MongoError || isSocketError(wrapped)) return isUnavailable(wrapped);
  if (error.result.getWriteConcernError() !== undefined || isCode(error)) return true;
  return writeErrorsOf(error).some(({ code }) => UNAVAILABLE.has(code));
}

/** The driver gives one of them bare. */
function writeErrorsOf(error: MongoBulkWriteError): readonly { readonly code: number; readonly index: number }[] {
  return [error.writeErrors].flat();
}

/**
 * Which of an unordered write's documents were there already, if that is all that went wrong.
 * @returns their indices, or `undefined` if something else did.
 */
export function duplicatesOf(error: unknown): readonly number[] | undefined {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) return undefined;
  const errors = writeErrorsOf(error);
  return errors.length > 0 && errors.every(({ code }) => code === DUPLICATE_KEY)
    ? errors.map(({ index }) => index)
    : undefined;
}

/**
 * Of two upserts of one document at once, one may fail because the other's is there; asked again it finds it.
 * @see https://www.mongodb.com/docs/manual/reference/method/db.collection.update/#upsert-with-duplicate-values
 */
export async function upserted<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
    return write();
  }
}

/** The driver's and the server's error in our words; others as they are. */
export function storeError(error: unknown): unknown {
  if (error instanceof StoreUnavailable || !isUnavailable(error)) return error;
  return new StoreUnavailable(`MongoDB: ${(error as Error).message}`, { cause: error });
}

/** @throws {StoreUnavailable} for what may go better later. */
export async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw storeError(error);
  }
}
