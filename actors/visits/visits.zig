//! Counters over HTTP, kept in the key-value store the actor is linked to.
//!
//! The route of the link has a parameter `name`, as in /counters/{name}. The actor keeps nothing itself.

const std = @import("std");
const http = @import("http");
const keyvalue = @import("keyvalue");
const wapc = @import("wapc");

export fn __guest_call(operation_size: usize, payload_size: usize) u32 {
    return wapc.serve(&.{.{ .name = "handle", .handle = handle }}, operation_size, payload_size);
}

fn handle(payload: []const u8) wapc.Failure![]const u8 {
    const request: http.Request = .{ .payload = payload };
    const name = try request.parameter("name");
    if (try request.is("POST")) return answer(try keyvalue.increment(name, 1));
    if (try request.is("DELETE")) {
        try keyvalue.delete(name);
        return answer(0);
    }
    return answer(try keyvalue.number(name));
}

fn answer(value: i64) wapc.Failure![]const u8 {
    var digits: [24]u8 = undefined;
    const body = std.fmt.bufPrint(&digits, "{d}\n", .{value}) catch unreachable;
    return http.answer(200, "text/plain; charset=utf-8", body);
}
