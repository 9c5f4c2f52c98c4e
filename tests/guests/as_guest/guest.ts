/** A guest on the npm package @wapc/as-guest: its calls, its memory, its way to fail. */

import { Result, consoleLog, handleAbort, handleCall, hostCall, register } from "@wapc/as-guest";

/** The state of an instance: how many messages it was sent. */
let messages = 0;

register("Echo", (payload: ArrayBuffer): Result<ArrayBuffer> => Result.ok(payload));

register("Count", (payload: ArrayBuffer): Result<ArrayBuffer> => {
  messages++;
  return Result.ok(String.UTF8.encode(messages.toString()));
});

register("Log", (payload: ArrayBuffer): Result<ArrayBuffer> => {
  consoleLog(String.UTF8.decode(payload));
  return Result.ok(new ArrayBuffer(0));
});

/** Passes the payload on: `get` of the key-value store its link `cache` leads to. */
register("Get", (payload: ArrayBuffer): Result<ArrayBuffer> => hostCall("cache", "actorhost:keyvalue", "get", payload));

/** Calls the host and reports its refusal as an answer. */
register("Try", (payload: ArrayBuffer): Result<ArrayBuffer> => {
  const result = hostCall("", "nobody", "Anything", payload);
  return result.isOk ? result : Result.ok(String.UTF8.encode("refused: " + result.error()!.message));
});

register("Fail", (payload: ArrayBuffer): Result<ArrayBuffer> =>
  Result.error<ArrayBuffer>(new Error(String.UTF8.decode(payload))));

/** Throws, which in this language is a trap; the library reports the error before it. */
register("Throw", (payload: ArrayBuffer): Result<ArrayBuffer> => {
  throw new Error(String.UTF8.decode(payload));
});

export function __guest_call(operationSize: usize, payloadSize: usize): bool {
  return handleCall(operationSize, payloadSize);
}

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  handleAbort(message, file, line, column);
}
