//! Requests that an HTTP server hands to an actor (operation `handle` of actorhost:http), and answers.
//!
//! The contract: actorhost/contracts/wit/http.wit.

const std = @import("std");
const messagepack = @import("messagepack");
const wapc = @import("wapc");

/// One request; what it points to lasts as long as the message.
pub const Request = struct {
    payload: []const u8,

    /// Whether it was sent with the method `name`, such as "GET".
    pub fn is(self: Request, name: []const u8) wapc.Failure!bool {
        var method = try messagepack.find(self.payload, "method") orelse return wapc.fail("no method");
        return std.mem.eql(u8, try method.text(), name);
    }

    /// Return what the path has in the place of `{name}` in the route.
    pub fn parameter(self: Request, name: []const u8) wapc.Failure![]const u8 {
        var list = try messagepack.find(self.payload, "parameters") orelse return wapc.fail("no parameters");
        for (0..try list.list()) |_| {
            if (try list.list() != 2) return wapc.fail("a parameter should be a name and a text");
            const found = std.mem.eql(u8, try list.text(), name);
            const value = try list.text();
            if (found) return value;
        }
        return wapc.fail("the route has no such parameter");
    }
};

/// Return the answer with `status` and a `body` of type `kind`, such as "application/json".
pub fn answer(status: u16, kind: []const u8, body: []const u8) wapc.Failure![]const u8 {
    const fixed = 96; // the maps' heads, the names and a number
    var reply: messagepack.Writer = .{ .buffer = try wapc.take(fixed + kind.len + body.len) };
    reply.map(3);
    reply.text("status");
    reply.integer(status);
    reply.text("headers");
    reply.list(1);
    reply.list(2);
    reply.text("content-type");
    reply.text(kind);
    reply.text("body");
    reply.bytes(body);
    return reply.written();
}
