-- SPDX-License-Identifier: Apache-2.0
-- When budgets were first seen, for their warm-up. KEYS seen   ARGV names... -> now, times...
local out = {now}
for i = 1, #ARGV do
  c('HSETNX', KEYS[1], ARGV[i], text(now))
  out[1 + i] = c('HGET', KEYS[1], ARGV[i]) + 0
end
return out
