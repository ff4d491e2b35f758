-- SPDX-License-Identifier: Apache-2.0
-- When budgets were first seen, for their warm-up. KEYS seen   ARGV per budget name, time that the process knows (0:
-- none) -> now, times...
local out = {now}
for i = 1, #ARGV, 2 do
  local known = ARGV[i + 1] + 0
  local first = (c('HGET', KEYS[1], ARGV[i]) or now) + 0
  if known > 0 then first = math.min(first, known) end
  c('HSET', KEYS[1], ARGV[i], text(first))
  out[#out + 1] = first
end
return out
