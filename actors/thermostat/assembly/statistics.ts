/**
 * What is known about the readings of one sensor, and the form in which it is stored.
 *
 * Mean and variance are updated a reading at a time (Welford 1962), so the number of readings costs
 * neither time nor space. The readings of the last day are kept one by one, because they leave again.
 */

import { Reader, Writer } from "../../sdk/assemblyscript/messagepack";
import { fail } from "../../sdk/assemblyscript/wapc";

const DAY: i64 = 86400;

/** The most readings of a day that are kept: one every five minutes. */
const KEPT: i32 = 288;

export class Statistics {
  count: i64 = 0;
  mean: f64 = 0;
  squares: f64 = 0; // sum of squared distances from the mean
  min: f64 = 0;
  max: f64 = 0;
  alarms: i64 = 0;
  private times: Array<i64> = [];
  private values: Array<f64> = [];

  /** Read what `stored` wrote; a value of no bytes stands for a sensor without readings. */
  static of(value: ArrayBuffer): Statistics {
    const result = new Statistics();
    const reader = new Reader(value);
    if (reader.done()) return result;
    for (let pairs = reader.map(); pairs > 0 && !reader.done(); pairs--) result.read(reader.text(), reader);
    if (result.times.length != result.values.length) fail("the stored statistics are damaged");
    return result;
  }

  private read(name: string, from: Reader): void {
    if (name == "count") this.count = from.integer();
    else if (name == "mean") this.mean = from.float();
    else if (name == "m2") this.squares = from.float();
    else if (name == "min") this.min = from.float();
    else if (name == "max") this.max = from.float();
    else if (name == "alarms") this.alarms = from.integer();
    else if (name == "times") for (let n = from.list(); n > 0 && !from.done(); n--) this.times.push(from.integer());
    else if (name == "values") for (let n = from.list(); n > 0 && !from.done(); n--) this.values.push(from.float());
    else from.skip();
  }

  /** Take one reading into account. */
  add(time: i64, celsius: f64): void {
    this.count++;
    const distance = celsius - this.mean;
    this.mean += distance / <f64>this.count;
    this.squares += distance * (celsius - this.mean);
    this.min = this.count == 1 ? celsius : min(this.min, celsius);
    this.max = this.count == 1 ? celsius : max(this.max, celsius);
    this.times.push(time);
    this.values.push(celsius);
    this.forget();
  }

  /** Drop the readings a day or more older than the newest one, and the first ones of too many. */
  private forget(): void {
    let newest = this.times[0];
    for (let k = 1; k < this.times.length; k++) newest = max(newest, this.times[k]);
    const surplus = this.times.length - KEPT;
    let kept = 0;
    for (let k = 0; k < this.times.length; k++) {
      if (k < surplus || this.times[k] <= newest - DAY) continue;
      this.times[kept] = this.times[k];
      this.values[kept++] = this.values[k];
    }
    this.times.length = kept;
    this.values.length = kept;
  }

  /** Standard deviation of the sample: with n - 1, and 0 for fewer than two readings. */
  deviation(): f64 {
    return this.count < 2 ? 0 : Math.sqrt(this.squares / <f64>(this.count - 1));
  }

  /** Mean of the readings of the 24 hours up to the newest one. */
  dayMean(): f64 {
    let sum: f64 = 0;
    for (let k = 0; k < this.values.length; k++) sum += this.values[k];
    return this.values.length == 0 ? 0 : sum / <f64>this.values.length;
  }

  /** The form in which it is stored. */
  stored(): ArrayBuffer {
    const to = new Writer();
    to.map(8);
    this.writeCommon(to);
    to.text("m2");
    to.float(this.squares);
    to.text("times");
    to.list(this.times.length);
    for (let k = 0; k < this.times.length; k++) to.integer(this.times[k]);
    to.text("values");
    to.list(this.values.length);
    for (let k = 0; k < this.values.length; k++) to.float(this.values[k]);
    return to.written();
  }

  /** The form in which it is answered. */
  report(sensor: string): ArrayBuffer {
    const to = new Writer();
    to.map(8);
    to.text("sensor");
    to.text(sensor);
    this.writeCommon(to);
    to.text("stddev");
    to.float(this.deviation());
    to.text("mean-24h");
    to.float(this.dayMean());
    return to.written();
  }

  private writeCommon(to: Writer): void {
    to.text("count");
    to.integer(this.count);
    to.text("mean");
    to.float(this.mean);
    to.text("min");
    to.float(this.min);
    to.text("max");
    to.float(this.max);
    to.text("alarms");
    to.integer(this.alarms);
  }
}
