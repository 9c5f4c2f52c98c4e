//! The guest side of waPC for Zig: take a message, ask the host for things, answer or fail.
//!
//! Memory: everything made for one message lives in one arena that starts where the module's data
//! ends and is empty again at the next message. Nothing is freed, nothing leaks, nothing survives.
//! https://wapc.io/docs/spec/

const std = @import("std");

const host = struct {
    extern "wapc" fn __guest_request(operation: [*]u8, payload: [*]u8) void;
    extern "wapc" fn __guest_response(payload: [*]const u8, size: usize) void;
    extern "wapc" fn __guest_error(text: [*]const u8, size: usize) void;
    extern "wapc" fn __host_call(
        binding: [*]const u8,
        binding_size: usize,
        namespace: [*]const u8,
        namespace_size: usize,
        operation: [*]const u8,
        operation_size: usize,
        payload: [*]const u8,
        payload_size: usize,
    ) u32;
    extern "wapc" fn __host_response_len() usize;
    extern "wapc" fn __host_response(payload: [*]u8) void;
    extern "wapc" fn __host_error_len() usize;
    extern "wapc" fn __host_error(text: [*]u8) void;
    extern "wapc" fn __console_log(text: [*]const u8, size: usize) void;
};

/// A message cannot be answered; `fail` has noted why.
pub const Failure = error{Failed};

/// Answers one operation: payload in, payload out.
pub const Operation = struct {
    name: []const u8,
    handle: *const fn (payload: []const u8) Failure![]const u8,
};

var why: []const u8 = "";

/// Note why the message at hand cannot be answered: `return fail("...")`.
pub fn fail(text: []const u8) Failure {
    why = text;
    return error.Failed;
}

/// Handle the message at hand with the operation it names. Returns what `__guest_call` returns.
pub fn serve(comptime operations: []const Operation, operation_size: usize, payload_size: usize) u32 {
    used = 0;
    const reply = dispatch(operations, operation_size, payload_size) catch {
        host.__guest_error(why.ptr, why.len);
        return 0;
    };
    host.__guest_response(reply.ptr, reply.len);
    return 1;
}

fn dispatch(
    comptime operations: []const Operation,
    operation_size: usize,
    payload_size: usize,
) Failure![]const u8 {
    const name = try take(operation_size);
    const payload = try take(payload_size);
    host.__guest_request(name.ptr, payload.ptr);
    inline for (operations) |operation| {
        if (std.mem.eql(u8, operation.name, name)) return operation.handle(payload);
    }
    return fail(try join(&.{ "unknown operation ", name }));
}

/// Call `operation` of what the link `binding` to `namespace` leads to: a provider or an actor.
pub fn call(
    binding: []const u8,
    namespace: []const u8,
    operation: []const u8,
    payload: []const u8,
) Failure![]const u8 {
    const called = host.__host_call(
        binding.ptr,
        binding.len,
        namespace.ptr,
        namespace.len,
        operation.ptr,
        operation.len,
        payload.ptr,
        payload.len,
    );
    if (called != 1) {
        const text = try take(host.__host_error_len());
        host.__host_error(text.ptr);
        return fail(text);
    }
    const reply = try take(host.__host_response_len());
    host.__host_response(reply.ptr);
    return reply;
}

/// Add a line to the actor's log.
pub fn log(line: []const u8) void {
    host.__console_log(line.ptr, line.len);
}

/// Return `parts` one after the other, in new memory of this message.
pub fn join(parts: []const []const u8) Failure![]u8 {
    var size: usize = 0;
    for (parts) |part| size += part.len;
    const text = try take(size);
    var at: usize = 0;
    for (parts) |part| {
        @memcpy(text[at..][0..part.len], part);
        at += part.len;
    }
    return text;
}

extern const __heap_base: u8;

/// Bytes of the arena in use.
var used: usize = 0;

/// Return `size` bytes of new memory that last as long as this message.
pub fn take(size: usize) Failure![]u8 {
    const start = @intFromPtr(&__heap_base) + used;
    const end: u64 = @as(u64, start) + size;
    const have: u64 = @as(u64, @wasmMemorySize(0)) * std.wasm.page_size;
    if (end > have) {
        const missing: usize = @intCast(std.math.divCeil(u64, end - have, std.wasm.page_size) catch unreachable);
        if (@wasmMemoryGrow(0, missing) < 0) return fail("the message does not fit in memory");
    }
    used += size;
    return @as([*]u8, @ptrFromInt(start))[0..size];
}
