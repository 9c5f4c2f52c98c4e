/**
 * The part of MessagePack that parameters, results and the stored statistics need.
 *
 * Reading is liberal in markers (an integer of any width, text as str or bin) and strict in sizes: no
 * length in a payload is believed before the bytes are there. A reader that met nonsense has called
 * `fail`, is at its end, and gives zeros and empty text from then on.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */

import { fail } from "./wapc";

/** Looks at one value after the other. */
export class Reader {
  private at: u32 = 0;
  private end: u32;

  constructor(private buffer: ArrayBuffer) {
    this.end = buffer.byteLength;
  }

  /** Read a text (or bytes taken as text). */
  text(): string {
    const body = this.body();
    return String.UTF8.decode(body);
  }

  /** Read bytes (or a text as its bytes). */
  body(): ArrayBuffer {
    const marker = this.byte();
    if ((marker & 0xe0) == 0xa0) return this.slice(marker & 0x1f);
    if (marker == 0xc4 || marker == 0xd9) return this.slice(this.byte());
    if (marker == 0xc5 || marker == 0xda) return this.slice(<u32>this.big(2));
    if (marker == 0xc6 || marker == 0xdb) return this.slice(<u32>this.big(4));
    this.stop("a parameter should be text");
    return new ArrayBuffer(0);
  }

  /** Read a whole number. */
  integer(): i64 {
    const marker = this.byte();
    if (marker < 0x80 || marker >= 0xe0) return <i64>(<i8>marker);
    if (marker == 0xcc) return this.big(1);
    if (marker == 0xcd) return this.big(2);
    if (marker == 0xce) return this.big(4);
    if (marker == 0xcf || marker == 0xd3) return this.big(8);
    if (marker == 0xd0) return <i64>(<i8>this.big(1));
    if (marker == 0xd1) return <i64>(<i16>this.big(2));
    if (marker == 0xd2) return <i64>(<i32>this.big(4));
    this.stop("a parameter should be a whole number");
    return 0;
  }

  /** Read a number, whole or not. */
  float(): f64 {
    const marker = this.peek();
    if (marker != 0xca && marker != 0xcb) return <f64>this.integer();
    this.byte();
    if (marker == 0xca) return <f64>reinterpret<f32>(<u32>this.big(4));
    return reinterpret<f64>(this.big(8));
  }

  /** Read true or false. */
  boolean(): bool {
    const marker = this.byte();
    if (marker != 0xc2 && marker != 0xc3) this.stop("a parameter should be true or false");
    return marker == 0xc3;
  }

  /** Read the head of a map: how many pairs follow. */
  map(): u32 {
    const marker = this.byte();
    if ((marker & 0xf0) == 0x80) return marker & 0x0f;
    if (marker == 0xde) return <u32>this.big(2);
    if (marker == 0xdf) return <u32>this.big(4);
    this.stop("the parameters should be a map");
    return 0;
  }

  /** Read the head of a list: how many values follow. */
  list(): u32 {
    const marker = this.byte();
    if ((marker & 0xf0) == 0x90) return marker & 0x0f;
    if (marker == 0xdc) return <u32>this.big(2);
    if (marker == 0xdd) return <u32>this.big(4);
    this.stop("a parameter should be a list");
    return 0;
  }

  /** Whether the next value is nil. */
  isNil(): bool {
    return this.peek() == 0xc0;
  }

  /** Whether the next value is text (or bytes). */
  isText(): bool {
    const marker = this.peek();
    return (marker & 0xe0) == 0xa0 || (marker >= 0xc4 && marker <= 0xc6) || (marker >= 0xd9 && marker <= 0xdb);
  }

  /** Whether there is nothing more to read. */
  done(): bool {
    return this.at >= this.end;
  }

  /** Pass over one value with all that is in it; return its bytes. */
  skip(): ArrayBuffer {
    const start = this.at;
    let values: u64 = 1; // still to be passed; a loop, so that depth costs no stack
    for (; values > 0 && !this.done(); values--) values += this.pass();
    if (values > 0) this.stop("the payload ends too early");
    return this.buffer.slice(start, this.at);
  }

  /** Pass over one value, but for what a map or list holds; return how many values that is. */
  private pass(): u64 {
    const marker = this.byte();
    if (marker < 0x80 || marker >= 0xe0 || marker == 0xc0 || marker == 0xc2 || marker == 0xc3) return 0;
    if (marker < 0x90) return 2 * <u64>(marker & 0x0f);
    if (marker < 0xa0) return <u64>(marker & 0x0f);
    if (marker == 0xdc || marker == 0xdd) return this.big(marker == 0xdc ? 2 : 4);
    if (marker == 0xde || marker == 0xdf) return 2 * this.big(marker == 0xde ? 2 : 4);
    this.advance(this.extent(marker));
    return 0;
  }

  /** How many bytes follow `marker` and the size that comes with it. */
  private extent(marker: u32): u64 {
    if (marker < 0xc0) return marker & 0x1f;
    if (marker >= 0xc4 && marker <= 0xc6) return this.big(1 << (marker - 0xc4));
    if (marker >= 0xc7 && marker <= 0xc9) return 1 + <u64>this.big(1 << (marker - 0xc7));
    if (marker >= 0xd9 && marker <= 0xdb) return this.big(1 << (marker - 0xd9));
    if (marker >= 0xd4 && marker <= 0xd8) return 1 + (1 << (marker - 0xd4));
    if (marker == 0xca) return 4;
    if (marker == 0xcb) return 8;
    if (marker >= 0xcc && marker <= 0xcf) return 1 << (marker - 0xcc);
    if (marker >= 0xd0 && marker <= 0xd3) return 1 << (marker - 0xd0);
    this.stop("the payload is not MessagePack");
    return 0;
  }

  private peek(): u32 {
    return this.done() ? 0xc1 : load<u8>(changetype<usize>(this.buffer) + this.at);
  }

  private byte(): u32 {
    return <u32>this.big(1);
  }

  private big(size: u32): i64 {
    const from = changetype<usize>(this.buffer) + this.at;
    if (!this.advance(size)) return 0;
    let value: u64 = 0;
    for (let k: u32 = 0; k < size; k++) value = (value << 8) | <u64>load<u8>(from + k);
    return value;
  }

  private slice(size: u32): ArrayBuffer {
    const from = this.at;
    return this.advance(size) ? this.buffer.slice(from, this.at) : new ArrayBuffer(0);
  }

  private advance(size: u64): bool {
    if (size > <u64>(this.end - this.at)) {
      this.stop("the payload ends too early");
      return false;
    }
    this.at += <u32>size;
    return true;
  }

  private stop(text: string): void {
    fail(text);
    this.at = this.end;
  }
}

/** Writes one value after the other into a buffer that grows. */
export class Writer {
  private buffer: ArrayBuffer = new ArrayBuffer(256);
  private at: u32 = 0;

  /** Start a map of fewer than 16 pairs. */
  map(pairs: u32): void {
    this.big(0x80 | pairs, 1);
  }

  /** Start a list. */
  list(values: u32): void {
    this.big(0xdc, 1);
    this.big(values, 2);
  }

  /** Write a text. */
  text(value: string): void {
    const body = String.UTF8.encode(value);
    const size = body.byteLength;
    if (size < 32) {
      this.big(0xa0 | size, 1);
    } else {
      this.big(0xdb, 1);
      this.big(size, 4);
    }
    this.raw(body);
  }

  /** Write bytes. */
  body(value: ArrayBuffer): void {
    this.big(0xc6, 1);
    this.big(value.byteLength, 4);
    this.raw(value);
  }

  /** Write a whole number. */
  integer(value: i64): void {
    if (value >= 0 && value < 128) {
      this.big(value, 1);
    } else {
      this.big(0xd3, 1);
      this.big(value, 8);
    }
  }

  /** Write a number that need not be whole. */
  float(value: f64): void {
    this.big(0xcb, 1);
    this.big(reinterpret<u64>(value), 8);
  }

  /** Write nil. */
  nil(): void {
    this.big(0xc0, 1);
  }

  /** Write bytes that are MessagePack already. */
  raw(encoded: ArrayBuffer): void {
    const size = encoded.byteLength;
    memory.copy(this.reserve(size), changetype<usize>(encoded), size);
  }

  /** What was written. */
  written(): ArrayBuffer {
    return this.buffer.slice(0, this.at);
  }

  private big(value: u64, size: u32): void {
    const to = this.reserve(size);
    for (let k: u32 = 0; k < size; k++) store<u8>(to + k, <u8>(value >> (8 * (size - 1 - k))));
  }

  /** Make room for `size` bytes and return where they go. */
  private reserve(size: u32): usize {
    const needed = this.at + size;
    if (needed > <u32>this.buffer.byteLength) {
      const larger = new ArrayBuffer(2 * needed);
      memory.copy(changetype<usize>(larger), changetype<usize>(this.buffer), this.at);
      this.buffer = larger;
    }
    const to = changetype<usize>(this.buffer) + this.at;
    this.at = needed;
    return to;
  }
}
