//! Numbers kept in actorhost:keyvalue, over the link named `default`.
//!
//! The contract: actorhost/contracts/wit/keyvalue.wit. It keeps a number as decimal text.

const std = @import("std");
const messagepack = @import("messagepack");
const wapc = @import("wapc");

/// Add `delta` to the number under `key` (0 if there is none) and return the sum.
pub fn increment(key: []const u8, delta: i64) wapc.Failure!i64 {
    var parameters = try begin(2, key);
    parameters.text("delta");
    parameters.integer(delta);
    var reply: messagepack.Reader = .{ .rest = try send("increment", &parameters) };
    return reply.integer();
}

/// Return the number under `key`, 0 if there is none.
pub fn number(key: []const u8) wapc.Failure!i64 {
    var parameters = try begin(1, key);
    const reply = try send("get", &parameters);
    if (reply.len > 0 and reply[0] == 0xc0) return 0;
    var entry = try messagepack.find(reply, "value") orelse return wapc.fail("the entry has no value");
    return std.fmt.parseInt(i64, try entry.text(), 10) catch wapc.fail("the entry is not a number");
}

/// Remove what is under `key`, if anything.
pub fn delete(key: []const u8) wapc.Failure!void {
    var parameters = try begin(1, key);
    _ = try send("delete", &parameters);
}

fn begin(pairs: u4, key: []const u8) wapc.Failure!messagepack.Writer {
    const fixed = 64; // the map's head, the names and a number
    var parameters: messagepack.Writer = .{ .buffer = try wapc.take(fixed + key.len) };
    parameters.map(pairs);
    parameters.text("key");
    parameters.text(key);
    return parameters;
}

fn send(operation: []const u8, parameters: *const messagepack.Writer) wapc.Failure![]const u8 {
    return wapc.call("default", "actorhost:keyvalue", operation, parameters.written());
}
