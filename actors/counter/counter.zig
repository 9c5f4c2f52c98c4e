//! Counters by name, kept in the key-value store the actor is linked to.
//!
//! The actor keeps nothing itself: any number of instances, on any number of hosts, count together.

const keyvalue = @import("keyvalue");
const messagepack = @import("messagepack");
const wapc = @import("wapc");

export fn __guest_call(operation_size: usize, payload_size: usize) u32 {
    return wapc.serve(&.{
        .{ .name = "Increment", .handle = increment },
        .{ .name = "Get", .handle = get },
        .{ .name = "Reset", .handle = reset },
    }, operation_size, payload_size);
}

fn increment(payload: []const u8) wapc.Failure![]const u8 {
    var delta: i64 = 1;
    if (try messagepack.find(payload, "delta")) |found| {
        var reader = found;
        delta = try reader.integer();
    }
    return answer(try keyvalue.increment(try keyOf(payload), delta));
}

fn get(payload: []const u8) wapc.Failure![]const u8 {
    return answer(try keyvalue.number(try keyOf(payload)));
}

fn reset(payload: []const u8) wapc.Failure![]const u8 {
    try keyvalue.delete(try keyOf(payload));
    return answer(0);
}

/// The counter a message is about; without a name it is the one called "counter".
fn keyOf(payload: []const u8) wapc.Failure![]const u8 {
    var reader = try messagepack.find(payload, "key") orelse return "counter";
    return reader.text();
}

fn answer(value: i64) wapc.Failure![]const u8 {
    var reply: messagepack.Writer = .{ .buffer = try wapc.take(messagepack.Writer.most) };
    reply.integer(value);
    return reply.written();
}
