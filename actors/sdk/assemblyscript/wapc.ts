/**
 * The guest side of waPC for AssemblyScript: take a message, ask the host for things, answer or fail.
 *
 * AssemblyScript has no exceptions, and a trap would end the instance. So whoever finds that a message
 * cannot be answered calls `fail` and returns any value; whoever answers asks `failed` first.
 * https://wapc.io/docs/spec/
 */

@external("wapc", "__guest_request")
declare function __guest_request(operation: usize, payload: usize): void;
@external("wapc", "__guest_response")
declare function __guest_response(payload: usize, size: u32): void;
@external("wapc", "__guest_error")
declare function __guest_error(text: usize, size: u32): void;
@external("wapc", "__host_call")
declare function __host_call(
  binding: usize, bindingSize: u32,
  namespace: usize, namespaceSize: u32,
  operation: usize, operationSize: u32,
  payload: usize, payloadSize: u32,
): u32;
@external("wapc", "__host_response_len")
declare function __host_response_len(): u32;
@external("wapc", "__host_response")
declare function __host_response(payload: usize): void;
@external("wapc", "__host_error_len")
declare function __host_error_len(): u32;
@external("wapc", "__host_error")
declare function __host_error(text: usize): void;

/** Why the message at hand cannot be answered; empty while all is well. */
let reason: string = "";

/** Note why the message at hand cannot be answered. The first reason counts. */
export function fail(text: string): void {
  if (reason.length == 0) reason = text;
}

/** Whether somebody called `fail` since the message at hand came. */
export function failed(): bool {
  return reason.length > 0;
}

/** A message: which operation is asked for, and its parameters. */
export class Message {
  constructor(public operation: string, public payload: ArrayBuffer) {}
}

/** Fetch the message at hand; its sizes are the arguments of `__guest_call`. */
export function receive(operationSize: u32, payloadSize: u32): Message {
  reason = "";
  const operation = new ArrayBuffer(operationSize);
  const payload = new ArrayBuffer(payloadSize);
  __guest_request(changetype<usize>(operation), changetype<usize>(payload));
  return new Message(String.UTF8.decode(operation), payload);
}

/** Answer the message at hand, or fail if `fail` was called. Returns what `__guest_call` returns. */
export function respond(reply: ArrayBuffer): u32 {
  if (failed()) {
    const text = String.UTF8.encode(reason);
    __guest_error(changetype<usize>(text), text.byteLength);
    return 0;
  }
  __guest_response(changetype<usize>(reply), reply.byteLength);
  return 1;
}

/** Call `operation` of what the link `binding` to `namespace` leads to; an empty buffer on failure. */
export function call(binding: string, namespace: string, operation: string, payload: ArrayBuffer): ArrayBuffer {
  const b = String.UTF8.encode(binding);
  const n = String.UTF8.encode(namespace);
  const o = String.UTF8.encode(operation);
  const called = __host_call(
    changetype<usize>(b), b.byteLength,
    changetype<usize>(n), n.byteLength,
    changetype<usize>(o), o.byteLength,
    changetype<usize>(payload), payload.byteLength,
  );
  if (called == 1) {
    const reply = new ArrayBuffer(__host_response_len());
    __host_response(changetype<usize>(reply));
    return reply;
  }
  const text = new ArrayBuffer(__host_error_len());
  __host_error(changetype<usize>(text));
  fail(namespace + " " + operation + ": " + String.UTF8.decode(text));
  return new ArrayBuffer(0);
}
