-- SPDX-License-Identifier: Apache-2.0
-- What a living process holds is what it says: put back, set right, and no longer presumed.
-- KEYS process, holds, due, index, then the windows of all holds
-- ARGV session, owner, lease_ms, holds; per hold id, policies, windows; per window amount, unit, end, expire
-- -> 0, or 2: older session; now
if c('HGET', KEYS[1], 's') ~= ARGV[1] then return {2, now} end
local at, key = 5, 5
for i = 1, ARGV[4] + 0 do
  local id, policies, n = ARGV[at], ARGV[at + 1], ARGV[at + 2] + 0
  local was = c('HGET', KEYS[2], id)
  was = was and cmsgpack.unpack(was)
  local hold = {'H', ARGV[2], policies}
  local total = 0
  at = at + 3
  for j = 1, n do
    local w, amount = KEYS[key], ARGV[at] + 0
    local had = was and was[2 + 2 * j] or 0
    if c('HEXISTS', w, 'e') == 0 then open(w, KEYS[4], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
    if was and was[1] == 'P' then
      c('HINCRBY', w, 'P', text(-had))
      had = 0
    end
    if amount ~= had then c('HINCRBY', w, 'H', text(amount - had)) end
    total = total + amount
    hold[2 + 2 * j] = amount
    hold[3 + 2 * j] = w
    at = at + 4
    key = key + 1
  end
  if total > 0 then
    c('HSET', KEYS[2], id, cmsgpack.pack(hold))
    c('ZADD', KEYS[3], text(now + ARGV[3]), id)
  else
    c('HDEL', KEYS[2], id)
    c('ZREM', KEYS[3], id)
  end
end
return {0, now}
