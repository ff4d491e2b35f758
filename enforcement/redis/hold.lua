-- SPDX-License-Identifier: Apache-2.0
-- Holds over all links or none; the same id again adds only what is more than before (T: amounts are
-- totals) or all of it (D: they are what a lease is to grow by).
-- KEYS meta, process, holds, due, index, then per link its keys, the newest first
-- ARGV fence, session, resets, id, owner, lease_ms, T or D, policies, links; per link amount, limit (-1:
-- does not enforce), begin, end, expire (0: never), unit, whether the expiry moves, keys
-- -> 0 held, 10 was held, 6 denied; now; per link settled, used | 1 fenced, 2 older session, 3 other
-- generations, 4 windows are stale, 5 recovering, how long, 11 a window has vanished
local m = c('HMGET', KEYS[1], 'f', 'u', 'g')
if m[1] ~= ARGV[1] then return {1, now} end
if c('HGET', KEYS[2], 's') ~= ARGV[2] then return {2, now} end
if (m[3] or '0') ~= ARGV[3] then return {3, now} end
local n = ARGV[9] + 0
local known = c('HGET', KEYS[3], ARGV[4])
known = known and cmsgpack.unpack(known)
local out = {known and 10 or 0, now}
local hold = {known and known[1] or 'H', ARGV[5], ARGV[8]}
local more, is_new, at, key = {}, {}, 10, 6
local has_moved = false
local wait = now < (m[2] or 0) + 0 and m[2] - now
for i = 1, n do
  local amount, limit, begin, stop, keys = ARGV[at] + 0, ARGV[at + 1] + 0, ARGV[at + 2] + 0, ARGV[at + 3] + 0, ARGV[at + 7] + 0
  local had = known and known[2 + 2 * i] or 0
  local is_fresh = not known or known[3 + 2 * i] ~= KEYS[key]
  if known and is_fresh then -- what it was asked for in has ended, or begun anew
    has_moved = true
    had = 0
  end
  more[i] = amount
  if known and ARGV[7] == 'T' then more[i] = math.max(amount - had, 0) end
  if limit >= 0 and wait and more[i] > 0 then return {5, now, wait} end
  local settled, used, is_there = sum(key, keys, begin, stop - begin)
  is_new[i] = not is_there
  for j = 1, known and is_fresh and keys - 1 or 0 do -- it leaves a part that counts here
    if KEYS[key + j] == known[3 + 2 * i] then used = used - known[2 + 2 * i] end
  end
  -- In a cluster another server's clock may have told the moment. (Parts of a rolling window look at those before
  -- them alone: none is opened early.)
  local early = keys > 1 and 0 or 500
  if is_fresh and (now >= stop or (now + early < begin and not is_there)) then return {4, now} end
  if not is_there and c('ZSCORE', KEYS[5], KEYS[key]) then return {11, now} end
  -- Beyond its end a window limits nobody; a part of a rolling one still counts, and is not looked at from here.
  if limit >= 0 and more[i] > 0 and ((now < stop and used + more[i] > limit) or (now >= stop and keys > 1)) then out[1] = 6 end
  hold[2 + 2 * i] = had + more[i]
  hold[3 + 2 * i] = KEYS[key]
  out[1 + 2 * i] = settled
  out[2 + 2 * i] = used
  at = at + 8
  key = key + keys
end
if out[1] == 6 then
  if has_moved then -- a no means that nothing is held
    give_back(known)
    c('HDEL', KEYS[3], ARGV[4])
    c('ZREM', KEYS[4], ARGV[4])
  end
  return out
end
-- Who speaks of it lives: it is held, not presumed.
local was = hold[1]
hold[1] = 'H'
if has_moved then
  give_back(known)
  for i = 1, n do
    more[i] = hold[2 + 2 * i]
    if known[3 + 2 * i] ~= hold[3 + 2 * i] then out[2 + 2 * i] = out[2 + 2 * i] + more[i] end -- as if it had been there
  end
  was = 'H'
end
for i = 1, n do
  local w = hold[3 + 2 * i]
  at = 2 + 8 * i
  if was == 'P' then
    local had = known[2 + 2 * i]
    c('HINCRBY', w, 'P', text(-had))
    c('HINCRBY', w, 'H', text(had))
  end
  if is_new[i] then open(w, KEYS[5], ARGV[at + 5], ARGV[at + 3], ARGV[at + 4])
  elseif ARGV[at + 6] == '1' then
    c('PEXPIREAT', w, ARGV[at + 4])
    c('ZADD', KEYS[5], ARGV[at + 4], w)
  end
  if more[i] > 0 then c('HINCRBY', w, hold[1], text(more[i])) end
end
c('HSET', KEYS[3], ARGV[4], cmsgpack.pack(hold))
c('ZADD', KEYS[4], text(now + ARGV[6]), ARGV[4])
return out
