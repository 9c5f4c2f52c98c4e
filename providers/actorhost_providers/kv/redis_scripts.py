"""The operations of the Redis backend as Lua: each runs whole on the server, or not at all.

Pure text. A bucket is four kinds of keys under one prefix (``KEYS[1]``): ``e:KEY`` is an entry, a
hash of value ``v`` and revision ``r`` that Redis itself expires; ``keys`` is a sorted set of all
keys in the order of their bytes; ``due`` is one of the keys that expire, by the time in
milliseconds; ``rev`` counts revisions. Redis does not tell when an entry expires, so each write
clears up to 64 such keys out of the two sets, and a listing skips and clears those it meets.

Lua's numbers are doubles: 64-bit ones stay text, and sums are made by ``HINCRBY``.
"""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
local p = KEYS[1]
local function now() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end
local function sweep()
  for _, k in ipairs(redis.call('ZRANGEBYSCORE', p .. 'due', '-inf', now(), 'LIMIT', 0, 64)) do
    if redis.call('EXISTS', p .. 'e:' .. k) == 0 then
      redis.call('ZREM', p .. 'keys', k)
      redis.call('ZREM', p .. 'due', k)
    end
  end
end
local function next_revision() return string.format('%.0f', redis.call('INCR', p .. 'rev')) end
local function put(k, v, ttl)
  local r = next_revision()
  redis.call('DEL', p .. 'e:' .. k)
  redis.call('HSET', p .. 'e:' .. k, 'v', v, 'r', r)
  redis.call('ZADD', p .. 'keys', 0, k)
  if ttl == '' then redis.call('ZREM', p .. 'due', k) else
    redis.call('PEXPIRE', p .. 'e:' .. k, ttl)
    redis.call('ZADD', p .. 'due', now() + tonumber(ttl), k)
  end
  return r
end
local function remove(k)
  redis.call('DEL', p .. 'e:' .. k)
  redis.call('ZREM', p .. 'keys', k)
  redis.call('ZREM', p .. 'due', k)
end
"""

GET: Final = (
    _COMMON
    + """
local found = {}
for n, k in ipairs(ARGV) do found[n] = redis.call('HMGET', p .. 'e:' .. k, 'v', 'r') end
return found
"""
)
"""Keys -> a pair of value and revision for each, nils for one that is absent."""

SET: Final = (
    _COMMON
    + """
local k, v, ttl, expected = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local r = redis.call('HGET', p .. 'e:' .. k, 'r') or '0'
if expected ~= '' and expected ~= r then return {0, r} end
sweep()
return {1, put(k, v, ttl)}
"""
)
"""Key, value, milliseconds or nothing, expected revision or nothing -> whether stored, revision now."""

SET_MANY: Final = (
    _COMMON
    + """
sweep()
local revisions = {}
for n = 1, #ARGV, 2 do revisions[#revisions + 1] = put(ARGV[n], ARGV[n + 1], '') end
return revisions
"""
)
"""Keys and values in turns -> revisions."""

DELETE: Final = (
    _COMMON
    + """
local r = redis.call('HGET', p .. 'e:' .. ARGV[1], 'r')
if not r or (ARGV[2] ~= '' and ARGV[2] ~= r) then return 0 end
remove(ARGV[1])
return 1
"""
)
"""Key, expected revision or nothing -> 1 if it was removed."""

INCREMENT: Final = (
    _COMMON
    + """
local k = ARGV[1]
local e = p .. 'e:' .. k
local sum = redis.pcall('HINCRBY', e, 'v', ARGV[2])
if type(sum) == 'table' and sum.err then
  -- Anything else, such as no memory or no longer the primary, is the caller's error as it is.
  if not (sum.err:find('not an integer') or sum.err:find('overflow')) then return sum end
  return {0, redis.call('HGET', e, 'v')}
end
local v = redis.call('HGET', e, 'v')
redis.call('HSET', e, 'r', next_revision())
redis.call('PERSIST', e)
redis.call('ZADD', p .. 'keys', 0, k)
redis.call('ZREM', p .. 'due', k)
return {1, v}
"""
)
"""Key, delta -> 1 and the sum, or 0 and the value it could not be added to."""

KEYS: Final = (
    _COMMON
    + """
local count, found = tonumber(ARGV[3]), {}
local looked = redis.call('ZRANGEBYLEX', p .. 'keys', ARGV[1], ARGV[2], 'LIMIT', 0, count + 1000)
for n, k in ipairs(looked) do
  if redis.call('EXISTS', p .. 'e:' .. k) == 1 then
    found[#found + 1] = k
    if #found == count then return {found, false} end
  else
    redis.call('ZREM', p .. 'keys', k)
    redis.call('ZREM', p .. 'due', k)
  end
end
return {found, #looked == count + 1000 and looked[#looked]}
"""
)
"""Bounds as of ZRANGEBYLEX, count -> keys, and the last one looked at if there may be more behind it.

It looks at 1,000 more than it was asked for: the server does nothing else meanwhile.
"""
