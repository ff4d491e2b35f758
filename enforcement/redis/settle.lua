-- SPDX-License-Identifier: Apache-2.0
-- Books what was used, in the order of its numbers, each once. One without a hold's id is a sum of what
-- was spent from leases, and what the leases shrink by.
-- KEYS meta, process, holds, due, index, then the windows of all operations
-- ARGV session (empty: of an earlier process, of which nothing more is taken), owner, forget_ms, whether a gap may be jumped, operations; per operation first number,
-- last number, id, windows; per window actual, shrinks, overrun, unit, end, expire
-- -> 0, or 8: there is a gap; or 2: older session, or from before a rebuild; now; last; per window of an operation
-- applied now its settled sum (-1: not booked here)
local q = c('HMGET', KEYS[2], 's', 'l', 'r')
if q[3] and q[3] ~= (c('HGET', KEYS[1], 'r') or '0') then return {2, now} end
if ARGV[1] == '' then c('HSET', KEYS[2], 's', 'over')
elseif q[1] ~= ARGV[1] then return {2, now} end
local last = (q[2] or 0) + 0
local out = {0, now, last}
local at, key = 6, 6
for i = 1, ARGV[5] + 0 do
  local first, stop, id, n = ARGV[at] + 0, ARGV[at + 1] + 0, ARGV[at + 2], ARGV[at + 3] + 0
  at = at + 4
  if first > last + 1 and ARGV[4] ~= '1' then
    out[1] = 8
    break
  end
  local does = stop > last
  local hold = does and id ~= '' and c('HGET', KEYS[3], id)
  hold = hold and cmsgpack.unpack(hold)
  for j = 1, n do c('HGET', KEYS[key + j - 1], 'e') end -- or it is no window, and nothing is booked
  -- A hold goes from where it was made. What was used may count elsewhere: budgets have changed, or begun anew.
  if hold then give_back(hold) end
  for j = 1, n do
    local w = KEYS[key]
    local actual, shrink, over = ARGV[at] + 0, ARGV[at + 1] + 0, ARGV[at + 2] + 0
    local settled = -1
    if does then
      if hold and hold[3 + 2 * j] == w then over = math.max(actual - hold[2 + 2 * j], 0)
      elseif shrink > 0 then
        local name = 'L' .. ARGV[2] .. w
        local lease = c('HGET', KEYS[3], name)
        if lease then
          lease = cmsgpack.unpack(lease)
          local less = math.min(shrink, lease[4])
          c('HINCRBY', w, lease[1], text(-less))
          lease[4] = lease[4] - less
          if lease[4] > 0 then c('HSET', KEYS[3], name, cmsgpack.pack(lease))
          else
            c('HDEL', KEYS[3], name)
            c('ZREM', KEYS[4], name)
          end
        end
      end
      local expire = ARGV[at + 5]
      if actual > 0 and (expire == '0' or expire + 0 > now) then
        settled = c('HINCRBY', w, 'S', text(actual))
        if settled == actual and c('HEXISTS', w, 'e') == 0 then
          open(w, KEYS[5], ARGV[at + 3], ARGV[at + 4], expire)
          c('HSET', w, 'S', text(actual))
        end
        if over > 0 then c('HINCRBY', w, 'O', text(over)) end
      end
    end
    out[#out + 1] = settled
    at = at + 6
    key = key + 1
  end
  if does then
    last = stop
    c('HSET', KEYS[2], 'l', text(last))
    if hold then
      c('HDEL', KEYS[3], id)
      c('ZREM', KEYS[4], id)
    end
  end
end
out[3] = last
c('PEXPIRE', KEYS[2], ARGV[3])
return out
