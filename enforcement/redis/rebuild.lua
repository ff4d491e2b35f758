-- SPDX-License-Identifier: Apache-2.0
-- What is known of what was spent and held goes, and for a while nobody gets money: who lives brings it back.
-- KEYS meta, index, holds, due   ARGV wait_ms
-- -> now, windows
local windows = c('ZRANGE', KEYS[2], 0, -1)
for _, w in ipairs(windows) do c('UNLINK', w) end
c('UNLINK', KEYS[2], KEYS[3], KEYS[4])
c('HINCRBY', KEYS[1], 'r', 1)
c('HSET', KEYS[1], 'f', '-', 'u', text(now + ARGV[1]))
return {now, #windows}
