//! The part of MessagePack that parameters and results need: maps keyed by text, numbers, bytes.
//!
//! Reading is liberal in markers (an integer of any width, text as str or bin) and strict in sizes:
//! no length in a payload is believed before the bytes are there.
//! https://github.com/msgpack/msgpack/blob/master/spec.md

const std = @import("std");
const wapc = @import("wapc");

/// Looks at one MessagePack value after the other.
pub const Reader = struct {
    rest: []const u8,

    /// Read text (or bytes).
    pub fn text(self: *Reader) wapc.Failure![]const u8 {
        const marker = try self.byte();
        const size: usize = switch (marker) {
            0xa0...0xbf => marker & 0x1f,
            0xc4, 0xd9 => try self.number(u8),
            0xc5, 0xda => try self.number(u16),
            0xc6, 0xdb => try self.number(u32),
            else => return wapc.fail("a parameter should be text"),
        };
        return self.bytes(size);
    }

    /// Read an integer that fits 64 bits with a sign.
    pub fn integer(self: *Reader) wapc.Failure!i64 {
        const marker = try self.byte();
        return switch (marker) {
            0x00...0x7f, 0xe0...0xff => @as(i8, @bitCast(marker)),
            0xcc => try self.number(u8),
            0xcd => try self.number(u16),
            0xce => try self.number(u32),
            0xcf => std.math.cast(i64, try self.number(u64)) orelse wapc.fail("a number is too large"),
            0xd0 => try self.number(i8),
            0xd1 => try self.number(i16),
            0xd2 => try self.number(i32),
            0xd3 => try self.number(i64),
            else => wapc.fail("a parameter should be a whole number"),
        };
    }

    /// Read a number, whole or not.
    pub fn float(self: *Reader) wapc.Failure!f64 {
        if (self.rest.len > 0) switch (self.rest[0]) {
            0xca => {
                self.rest = self.rest[1..];
                return @as(f32, @bitCast(try self.number(u32)));
            },
            0xcb => {
                self.rest = self.rest[1..];
                return @bitCast(try self.number(u64));
            },
            else => {},
        };
        return @floatFromInt(try self.integer());
    }

    /// Read the head of a map and return how many pairs follow.
    pub fn map(self: *Reader) wapc.Failure!usize {
        const marker = try self.byte();
        return switch (marker) {
            0x80...0x8f => marker & 0x0f,
            0xde => try self.number(u16),
            0xdf => try self.number(u32),
            else => wapc.fail("the parameters should be a map"),
        };
    }

    /// Read the head of a list and return how many values follow.
    pub fn list(self: *Reader) wapc.Failure!usize {
        const marker = try self.byte();
        return switch (marker) {
            0x90...0x9f => marker & 0x0f,
            0xdc => try self.number(u16),
            0xdd => try self.number(u32),
            else => wapc.fail("a parameter should be a list"),
        };
    }

    /// Pass over one value with all that is in it.
    pub fn skip(self: *Reader) wapc.Failure!void {
        var values: u64 = 1; // still to be passed; a loop, so that depth costs no stack
        while (values > 0) : (values -= 1) {
            const marker = try self.byte();
            switch (marker) {
                0x00...0x7f, 0xe0...0xff, 0xc0, 0xc2, 0xc3 => {},
                0x80...0x8f => values += 2 * @as(u64, marker & 0x0f),
                0x90...0x9f => values += marker & 0x0f,
                0xa0...0xbf => _ = try self.bytes(marker & 0x1f),
                0xc4, 0xd9 => _ = try self.bytes(try self.number(u8)),
                0xc5, 0xda => _ = try self.bytes(try self.number(u16)),
                0xc6, 0xdb => _ = try self.bytes(try self.number(u32)),
                0xc7 => _ = try self.bytes(1 + @as(usize, try self.number(u8))),
                0xc8 => _ = try self.bytes(1 + @as(usize, try self.number(u16))),
                0xc9 => _ = try self.bytes(1 +| @as(usize, try self.number(u32))),
                0xca, 0xce, 0xd2 => _ = try self.bytes(4),
                0xcb, 0xcf, 0xd3 => _ = try self.bytes(8),
                0xcc, 0xd0 => _ = try self.bytes(1),
                0xcd, 0xd1 => _ = try self.bytes(2),
                0xd4...0xd8 => _ = try self.bytes(1 + (@as(usize, 1) << @intCast(marker - 0xd4))),
                0xdc => values += try self.number(u16),
                0xdd => values += try self.number(u32),
                0xde => values += 2 * @as(u64, try self.number(u16)),
                0xdf => values += 2 * @as(u64, try self.number(u32)),
                0xc1 => return wapc.fail("the payload is not MessagePack"),
            }
        }
    }

    /// Whether the next value is text (or bytes).
    pub fn atText(self: *const Reader) bool {
        if (self.rest.len == 0) return false;
        return switch (self.rest[0]) {
            0xa0...0xbf, 0xc4...0xc6, 0xd9...0xdb => true,
            else => false,
        };
    }

    fn byte(self: *Reader) wapc.Failure!u8 {
        return (try self.bytes(1))[0];
    }

    fn number(self: *Reader, comptime Number: type) wapc.Failure!Number {
        const raw = try self.bytes(@sizeOf(Number));
        return std.mem.readInt(Number, raw[0..@sizeOf(Number)], .big);
    }

    fn bytes(self: *Reader, size: usize) wapc.Failure![]const u8 {
        if (size > self.rest.len) return wapc.fail("the payload ends too early");
        defer self.rest = self.rest[size..];
        return self.rest[0..size];
    }
};

/// Return a reader at the value of `key` in the map `payload`; null if absent or nil. No bytes at all
/// stand for an empty map.
pub fn find(payload: []const u8, key: []const u8) wapc.Failure!?Reader {
    if (payload.len == 0) return null;
    var reader: Reader = .{ .rest = payload };
    for (0..try reader.map()) |_| {
        if (std.mem.eql(u8, try reader.text(), key)) {
            if (reader.rest.len > 0 and reader.rest[0] == 0xc0) return null;
            return reader;
        }
        try reader.skip();
    }
    return null;
}

/// Writes values one after the other into memory that was taken for them.
pub const Writer = struct {
    buffer: []u8,
    size: usize = 0,

    /// The most bytes a value can need besides those of its text.
    pub const most = 9;

    /// Start a map of fewer than 16 pairs.
    pub fn map(self: *Writer, pairs: u4) void {
        self.put(u8, 0x80 | @as(u8, pairs));
    }

    /// Start a list of fewer than 16 values.
    pub fn list(self: *Writer, values: u4) void {
        self.put(u8, 0x90 | @as(u8, values));
    }

    /// Write bytes.
    pub fn bytes(self: *Writer, value: []const u8) void {
        self.put(u8, 0xc6);
        self.put(u32, @intCast(value.len));
        @memcpy(self.buffer[self.size..][0..value.len], value);
        self.size += value.len;
    }

    /// Write text.
    pub fn text(self: *Writer, value: []const u8) void {
        if (value.len < 32) {
            self.put(u8, 0xa0 | @as(u8, @intCast(value.len)));
        } else {
            self.put(u8, 0xdb);
            self.put(u32, @intCast(value.len));
        }
        @memcpy(self.buffer[self.size..][0..value.len], value);
        self.size += value.len;
    }

    /// Write a whole number.
    pub fn integer(self: *Writer, value: i64) void {
        if (value >= 0 and value < 128) return self.put(u8, @intCast(value));
        self.put(u8, 0xd3);
        self.put(i64, value);
    }

    /// What was written.
    pub fn written(self: *const Writer) []const u8 {
        return self.buffer[0..self.size];
    }

    fn put(self: *Writer, comptime Number: type, value: Number) void {
        std.mem.writeInt(Number, self.buffer[self.size..][0..@sizeOf(Number)], value, .big);
        self.size += @sizeOf(Number);
    }
};
