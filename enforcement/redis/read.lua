-- SPDX-License-Identifier: Apache-2.0
-- Counters as they stand. KEYS windows   ARGV per counter begin of the newest, length, keys
-- -> now; per counter settled, held, presumed, overrun, whether it is there
local out, key = {now}, 1
for i = 1, #ARGV, 3 do
  local begin, part, n = ARGV[i] + 0, ARGV[i + 1] + 0, ARGV[i + 2] + 0
  local sums, is_there = {0, 0, 0, 0}, 0
  for j = 0, n - 1 do
    local v = c('HMGET', KEYS[key + j], 'S', 'H', 'P', 'O')
    for f = 1, v[1] and 4 or 0 do
      local x = v[f] + 0
      if n > 1 then x = share(x, begin - j * part, part) end
      sums[f] = sums[f] + x
      is_there = 1
    end
  end
  for f = 1, 4 do out[#out + 1] = sums[f] end
  out[#out + 1] = is_there
  key = key + n
end
return out
