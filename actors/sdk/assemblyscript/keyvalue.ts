/**
 * Values in actorhost:keyvalue, read and replaced over the link named `default`.
 *
 * The contract: actorhost/contracts/wit/keyvalue.wit.
 */

import { Reader, Writer } from "./messagepack";
import { call } from "./wapc";

/** What is stored under a key. A revision of 0 stands for a key that is absent. */
export class Entry {
  constructor(public value: ArrayBuffer = new ArrayBuffer(0), public revision: i64 = 0) {}
}

/** Return what is stored under `key`. */
export function get(key: string): Entry {
  const parameters = new Writer();
  parameters.map(1);
  parameters.text("key");
  parameters.text(key);
  const reply = new Reader(send("get", parameters));
  const entry = new Entry();
  if (reply.done() || reply.isNil()) return entry;
  for (let pairs = reply.map(); pairs > 0 && !reply.done(); pairs--) {
    const name = reply.text();
    if (name == "value") entry.value = reply.body();
    else if (name == "revision") entry.revision = reply.integer();
    else reply.skip();
  }
  return entry;
}

/** Store `value` under `key` if the key's revision still is `revision`; return whether it was. */
export function replace(key: string, value: ArrayBuffer, revision: i64): bool {
  const parameters = new Writer();
  parameters.map(3);
  parameters.text("key");
  parameters.text(key);
  parameters.text("value");
  parameters.body(value);
  parameters.text("if-revision");
  parameters.integer(revision);
  const reply = new Reader(send("set", parameters));
  let stored = false;
  if (reply.done()) return stored;
  for (let pairs = reply.map(); pairs > 0 && !reply.done(); pairs--) {
    if (reply.text() == "stored") stored = reply.boolean();
    else reply.skip();
  }
  return stored;
}

function send(operation: string, parameters: Writer): ArrayBuffer {
  return call("default", "actorhost:keyvalue", operation, parameters.written());
}
