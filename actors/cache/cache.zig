//! A key-value store that remembers what it has read from the one behind it, for a second.
//!
//! It serves actorhost:keyvalue to actors that are linked to it, and passes every call on over its own
//! link `behind`. What `get` found is kept in the memory of this instance: short entries, for at most
//! as long as the contract lets an expired entry linger. Whatever is written through it is forgotten;
//! what others write behind it is seen a second later. So it takes one instance, and a policy of reuse.

const std = @import("std");
const messagepack = @import("messagepack");
const wapc = @import("wapc");

extern "wasi_snapshot_preview1" fn clock_time_get(clock: u32, precision: u64, at: *u64) u32;

export fn __guest_call(operation_size: usize, payload_size: usize) u32 {
    return wapc.serve(&.{
        .{ .name = "get", .handle = get },
        .{ .name = "set", .handle = forgetting("set") },
        .{ .name = "delete", .handle = forgetting("delete") },
        .{ .name = "increment", .handle = forgetting("increment") },
        .{ .name = "exists", .handle = passing("exists") },
        .{ .name = "keys", .handle = passing("keys") },
        .{ .name = "get-many", .handle = passing("get-many") },
        .{ .name = "set-many", .handle = setMany },
    }, operation_size, payload_size);
}

const monotonic = 1;
const fresh_ns = std.time.ns_per_s;

/// What was read: `reply` as it came from behind, for a key of its own.
const Slot = struct {
    until: u64 = 0,
    key_size: u8 = 0,
    reply_size: u16 = 0,
    key: [128]u8 = undefined,
    reply: [896]u8 = undefined,

    fn holds(self: *const Slot, key: []const u8, at: u64) bool {
        return at < self.until and std.mem.eql(u8, self.key[0..self.key_size], key);
    }
};

var slots: [64]Slot = @splat(.{});

fn get(payload: []const u8) wapc.Failure![]const u8 {
    const key = try keyIn(payload);
    const slot = slotOf(key);
    const asked = monotonicNow();
    if (slot.holds(key, asked)) return slot.reply[0..slot.reply_size];
    const reply = try send("get", payload);
    // Taken from the moment of asking: the store may have answered from before that, but not much.
    if (key.len <= slot.key.len and reply.len <= slot.reply.len) {
        slot.until = asked + fresh_ns;
        slot.key_size = @intCast(key.len);
        slot.reply_size = @intCast(reply.len);
        @memcpy(slot.key[0..key.len], key);
        @memcpy(slot.reply[0..reply.len], reply);
    }
    return reply;
}

fn setMany(payload: []const u8) wapc.Failure![]const u8 {
    slots = @splat(.{});
    defer slots = @splat(.{});
    return send("set-many", payload);
}

/// Pass the call on and forget its key: before, as a call that fails may still have written.
fn forgetting(comptime operation: []const u8) fn ([]const u8) wapc.Failure![]const u8 {
    return struct {
        fn handle(payload: []const u8) wapc.Failure![]const u8 {
            slotOf(try keyIn(payload)).until = 0;
            return send(operation, payload);
        }
    }.handle;
}

fn passing(comptime operation: []const u8) fn ([]const u8) wapc.Failure![]const u8 {
    return struct {
        fn handle(payload: []const u8) wapc.Failure![]const u8 {
            return send(operation, payload);
        }
    }.handle;
}

fn keyIn(payload: []const u8) wapc.Failure![]const u8 {
    var key = try messagepack.find(payload, "key") orelse return wapc.fail("bad_request: no key");
    return key.text();
}

fn slotOf(key: []const u8) *Slot {
    return &slots[std.hash.Fnv1a_32.hash(key) % slots.len];
}

fn monotonicNow() u64 {
    var at: u64 = 0;
    _ = clock_time_get(monotonic, 0, &at);
    return at;
}

fn send(operation: []const u8, payload: []const u8) wapc.Failure![]const u8 {
    return wapc.call("behind", "actorhost:keyvalue", operation, payload);
}
