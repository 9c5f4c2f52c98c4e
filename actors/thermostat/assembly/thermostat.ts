/**
 * Rolling statistics of temperature readings, per sensor; alarms for those beyond a limit.
 *
 * The statistics of a sensor are one value in the key-value store, replaced only if nobody else has
 * replaced it meanwhile. So any number of instances may take readings of one sensor, and none is lost.
 *
 * Memory: each message starts with an empty heap (the `stub` runtime), nothing is collected or kept.
 */

import * as keyvalue from "../../sdk/assemblyscript/keyvalue";
import { Writer } from "../../sdk/assemblyscript/messagepack";
import { Reading } from "./reading";
import { Statistics } from "./statistics";
import * as wapc from "../../sdk/assemblyscript/wapc";

/** How often a reading is tried again because somebody else was faster. */
const ATTEMPTS = 10;

export function __guest_call(operationSize: u32, payloadSize: u32): u32 {
  heap.reset();
  const message = wapc.receive(operationSize, payloadSize);
  return wapc.respond(handle(message.operation, message.payload));
}

function handle(operation: string, payload: ArrayBuffer): ArrayBuffer {
  if (operation == "Reading") return reading(payload);
  if (operation == "Statistics") return statistics(payload);
  wapc.fail("unknown operation " + operation);
  return payload;
}

function reading(payload: ArrayBuffer): ArrayBuffer {
  const it = Reading.of(payload);
  it.check();
  if (wapc.failed()) return payload;
  const result = record(it);
  if (!wapc.failed() && it.rule() != "") wapc.call("default", "alarm", "Raise", it.alarm());
  return result.report(it.sensor);
}

/** Add a reading to its sensor's statistics in the store, and return them. */
function record(it: Reading): Statistics {
  for (let attempt = 0; attempt < ATTEMPTS && !wapc.failed(); attempt++) {
    const entry = keyvalue.get(keyOf(it.sensor));
    const result = Statistics.of(entry.value);
    if (wapc.failed()) break;
    result.add(it.time, it.celsius);
    if (it.rule() != "") result.alarms++;
    if (keyvalue.replace(keyOf(it.sensor), result.stored(), entry.revision)) return result;
  }
  wapc.fail("too many writers at once, the reading was not recorded: " + it.sensor);
  return new Statistics();
}

function statistics(payload: ArrayBuffer): ArrayBuffer {
  const sensor = Reading.of(payload).sensor;
  const entry = wapc.failed() ? new keyvalue.Entry() : keyvalue.get(keyOf(sensor));
  if (entry.revision != 0) return Statistics.of(entry.value).report(sensor);
  const nothing = new Writer();
  nothing.nil();
  return nothing.written();
}

function keyOf(sensor: string): string {
  return "stats/" + sensor;
}
