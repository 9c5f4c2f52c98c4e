//! Takes alarms from other actors: logs each one and counts them per sensor.
//!
//! The counts live in the key-value store under `alarms/<sensor>`; the actor keeps nothing itself.

const std = @import("std");
const keyvalue = @import("keyvalue");
const messagepack = @import("messagepack");
const wapc = @import("wapc");

export fn __guest_call(operation_size: usize, payload_size: usize) u32 {
    return wapc.serve(&.{
        .{ .name = "Raise", .handle = raise },
        .{ .name = "Count", .handle = count },
    }, operation_size, payload_size);
}

fn raise(payload: []const u8) wapc.Failure![]const u8 {
    const key = try keyOf(payload);
    try logLine(payload);
    return answer(try keyvalue.increment(key, 1));
}

fn count(payload: []const u8) wapc.Failure![]const u8 {
    return answer(try keyvalue.number(try keyOf(payload)));
}

/// Log an alarm as `seattle high: 30.4 C at 2010-07-01 14:00`.
fn logLine(payload: []const u8) wapc.Failure!void {
    const sensor = try text(payload, "sensor");
    const rule = try text(payload, "rule");
    const celsius = try decimal(try float(payload, "celsius"));
    const time = try timeOf(payload);
    wapc.log(try wapc.join(&.{ sensor, " ", rule, ": ", celsius, " C at ", time }));
}

fn keyOf(payload: []const u8) wapc.Failure![]const u8 {
    return wapc.join(&.{ "alarms/", try text(payload, "sensor") });
}

fn text(payload: []const u8, name: []const u8) wapc.Failure![]const u8 {
    var reader = try messagepack.find(payload, name) orelse return missing(name);
    return reader.text();
}

fn float(payload: []const u8, name: []const u8) wapc.Failure!f64 {
    var reader = try messagepack.find(payload, name) orelse return missing(name);
    return reader.float();
}

/// The time of an alarm as the sender wrote it: text, or a number of seconds.
fn timeOf(payload: []const u8) wapc.Failure![]const u8 {
    var reader = try messagepack.find(payload, "time") orelse return missing("time");
    if (reader.atText()) return reader.text();
    return whole(try reader.integer());
}

fn missing(name: []const u8) wapc.Failure {
    return wapc.fail(try wapc.join(&.{ "the parameter is missing: ", name }));
}

/// Write a temperature with one digit after the point.
fn decimal(value: f64) wapc.Failure![]const u8 {
    const limit = 1e6; // no temperature, but keeps the number within the conversion's range
    const tenths: i64 = @intFromFloat(@round(std.math.clamp(value, -limit, limit) * 10));
    const magnitude = @abs(tenths);
    const sign = if (tenths < 0) "-" else "";
    return wapc.join(&.{ sign, try whole(magnitude / 10), ".", try whole(magnitude % 10) });
}

fn whole(value: anytype) wapc.Failure![]const u8 {
    const digits = 20;
    return std.fmt.bufPrint(try wapc.take(digits), "{d}", .{value}) catch wapc.fail("a number is too long");
}

fn answer(value: i64) wapc.Failure![]const u8 {
    var reply: messagepack.Writer = .{ .buffer = try wapc.take(messagepack.Writer.most) };
    reply.integer(value);
    return reply.written();
}
