-- SPDX-License-Identifier: Apache-2.0
-- Stands before each of the other scripts. Numbers are whole and below 2^53, where Lua's are exact; they go to
-- Redis as text without an exponent. All keys are declared but the windows of holds and of a
-- rebuild, which lie in the same slot; everything is checked before the first write:
-- a refused script has written nothing (the memory limit is looked at by the first write alone).
--
-- A window is a hash: S settled, H held, P presumed, O overrun, u unit, e end. A hold is a packed list:
-- state (H or P, which is the field that it counts in), owner, per link p (presume when it is due) or r
-- (release), then per link amount and key.
local c = redis.call
local t = c('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local floor = math.floor
local function text(n) return string.format('%.0f', n) end
-- What of a part counts: rolling_share of enforcement/rolling.h. The product is made in two halves,
-- so that nothing gets beyond 2^53.
local function share(x, begin, part)
  local i = begin + part - (now - part * 24)
  if i >= part then return x end
  if i <= 0 then return 0 end
  local r = x % part
  local a = floor(r / 65536)
  local q = floor(a * i / part)
  return floor(x / part) * i + q * 65536 + math.ceil(((a * i - q * part) * 65536 + (r - a * 65536) * i) / part)
end
-- The window's settled sum, what is used of it, and whether it is there: of `n` keys from `at` on, the
-- newest first.
local function sum(at, n, begin, part)
  local settled, used, is_there = 0, 0, true
  for j = 0, n - 1 do
    local v = c('HMGET', KEYS[at + j], 'S', 'H', 'P')
    if v[1] then
      local x, y, z = v[1] + 0, v[2] + 0, v[3] + 0
      if n > 1 then
        local b = begin - j * part
        x, y, z = share(x, b, part), share(y, b, part), share(z, b, part)
      end
      settled = settled + x
      used = used + x + y + z
    elseif j == 0 then
      is_there = false
    end
  end
  return settled, used, is_there
end
-- The epoch in which a process brought its sums, after the rebuild `of` (false: none was); or nil.
local function brought(key, of)
  local epoch, rebuild = string.match(c('GET', key) or '', '^(%d+)/(%d+)$')
  return rebuild == (of or '0') and epoch or nil
end
-- What a hold has taken of its windows is theirs again; of those that are still there.
local function give_back(hold)
  for j = 5, #hold, 2 do
    if hold[j - 1] > 0 and c('HEXISTS', hold[j], 'e') == 1 then c('HINCRBY', hold[j], hold[1], text(-hold[j - 1])) end
  end
end
local function open(key, index, unit, stop, expire)
  c('HSET', key, 'S', 0, 'H', 0, 'P', 0, 'O', 0, 'u', unit, 'e', stop)
  if expire ~= '0' then c('PEXPIREAT', key, expire) end
  c('ZADD', index, expire == '0' and '+inf' or expire, key)
end
