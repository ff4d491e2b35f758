-- SPDX-License-Identifier: Apache-2.0
-- Holds whose process was silent for too long are presumed to be spent (which changes no sum), or, with V,
-- holds are given back.
-- KEYS holds, due, then the windows   ARGV P or V, holds; per hold id, windows
-- -> now, how many
local at, key, done = 3, 3, 0
for i = 1, ARGV[2] + 0 do
  local id, n = ARGV[at], ARGV[at + 1] + 0
  local hold = c('HGET', KEYS[1], id)
  local due = c('ZSCORE', KEYS[2], id)
  hold = hold and cmsgpack.unpack(hold)
  local does = hold and #hold == 3 + 2 * n and (ARGV[1] == 'V' or (hold[1] == 'H' and due and due + 0 <= now))
  for j = 1, does and n or 0 do does = does and hold[3 + 2 * j] == KEYS[key + j - 1] end
  if does then
    local kept = 0
    done = done + 1
    for j = 1, n do
      local w, amount = KEYS[key + j - 1], hold[2 + 2 * j]
      if amount > 0 and c('HEXISTS', w, 'e') == 1 then
        c('HINCRBY', w, hold[1], text(-amount))
        if ARGV[1] == 'P' then
          if string.sub(hold[3], j, j) == 'r' then hold[2 + 2 * j] = 0 else c('HINCRBY', w, 'P', text(amount)) end
          kept = kept + hold[2 + 2 * j]
        end
      end
    end
    if kept > 0 then
      hold[1] = 'P'
      c('HSET', KEYS[1], id, cmsgpack.pack(hold))
    else
      c('HDEL', KEYS[1], id)
    end
  end
  if does or not hold then c('ZREM', KEYS[2], id) end
  at = at + 2
  key = key + n
end
return {now, done}
