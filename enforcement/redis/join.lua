-- SPDX-License-Identifier: Apache-2.0
-- A root is known.
-- KEYS roots, ledger   ARGV root, fence of its server, field where that is kept
-- -> now; whether the root may have been lost: it was known before, or the ledger has just begun, or the server
-- has just become its server (and may be behind); when the ledger began
local is_new = c('SADD', KEYS[1], ARGV[1])
c('HSETNX', KEYS[2], 'born', text(now))
local born = c('HGET', KEYS[2], 'born') + 0
local fence, since = string.match(c('HGET', KEYS[2], ARGV[3]) or '', '(%S+) (%d+)')
if fence ~= ARGV[2] then
  since = now
  c('HSET', KEYS[2], ARGV[3], ARGV[2] .. ' ' .. text(now))
end
return {now, (is_new == 1 and now - math.max(born, since + 0) >= 10000) and 0 or 1, born}
