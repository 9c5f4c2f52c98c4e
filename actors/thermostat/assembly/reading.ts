/** A reading as it arrives: which sensor, when, how warm, and what is too cold or too warm for it. */

import { Reader, Writer } from "../../sdk/assemblyscript/messagepack";
import { readTime } from "./time";
import { fail, failed } from "../../sdk/assemblyscript/wapc";

export class Reading {
  sensor: string = "";
  time: i64 = 0; // seconds since 1970
  celsius: f64 = NaN;
  low: f64 = 0;
  high: f64 = 30;
  private sentTime: ArrayBuffer = new ArrayBuffer(0);

  /** Read the parameters of an operation; without a time and a temperature it only names a sensor. */
  static of(payload: ArrayBuffer): Reading {
    const result = new Reading();
    const reader = new Reader(payload);
    for (let pairs = reader.map(); pairs > 0 && !failed(); pairs--) result.read(reader.text(), reader);
    if (result.sensor == "") fail("the parameter is missing: sensor");
    return result;
  }

  private read(name: string, from: Reader): void {
    if (name == "sensor") this.sensor = from.text();
    else if (name == "celsius") this.celsius = from.float();
    else if (name == "low") this.low = from.float();
    else if (name == "high") this.high = from.float();
    else if (name == "time") this.sentTime = from.skip();
    else from.skip();
  }

  /** Make sure that it is a whole reading. */
  check(): void {
    if (this.sentTime.byteLength == 0) fail("the parameter is missing: time");
    else this.time = readTime(new Reader(this.sentTime));
    if (!isFinite(this.celsius)) fail("the parameter is missing or no finite number: celsius");
  }

  /** Which limit it is beyond: "high", "low", or "" for none. */
  rule(): string {
    if (this.celsius > this.high) return "high";
    return this.celsius < this.low ? "low" : "";
  }

  /** The parameters of an alarm about it; the time is given on as it was sent. */
  alarm(): ArrayBuffer {
    const to = new Writer();
    to.map(4);
    to.text("sensor");
    to.text(this.sensor);
    to.text("time");
    to.raw(this.sentTime);
    to.text("celsius");
    to.float(this.celsius);
    to.text("rule");
    to.text(this.rule());
    return to.written();
  }
}
