-- SPDX-License-Identifier: Apache-2.0
-- What a process has booked according to its records, where Redis knows nothing of that process: a new
-- Redis, or one that forgot.
-- KEYS contribution, process, index, meta, generations, then windows
-- ARGV session, last number booked, forget_ms, keep_ms, resets, windows, epoch; per window settled,
-- overrun, unit, end, expire; then generations as name and number
-- -> 0, 10: it had contributed, 2: older session; now
if c('HGET', KEYS[2], 's') ~= ARGV[1] then return {2, now} end
local rebuild = c('HGET', KEYS[4], 'r')
if brought(KEYS[1], rebuild) then return {10, now} end
c('SET', KEYS[1], ARGV[7] .. '/' .. (rebuild or '0'), 'PX', ARGV[4])
local at = 8
for i = 1, ARGV[6] + 0 do
  local w = KEYS[5 + i]
  if c('HEXISTS', w, 'e') == 0 then open(w, KEYS[3], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) end
  c('HINCRBY', w, 'S', ARGV[at])
  c('HINCRBY', w, 'O', ARGV[at + 1])
  at = at + 5
end
if (c('HGET', KEYS[4], 'g') or 0) + 0 < ARGV[5] + 0 then
  c('HSET', KEYS[4], 'g', ARGV[5])
  for i = at, #ARGV, 2 do c('HSET', KEYS[5], ARGV[i], ARGV[i + 1]) end
end
c('HSET', KEYS[2], 'l', ARGV[2])
c('PEXPIRE', KEYS[2], ARGV[3])
-- Others may have more to bring.
local wait = (c('HGET', KEYS[4], 'u') or 0) + 0
if wait > now then c('HSET', KEYS[4], 'u', text(math.max(wait, now + 500))) end
return {0, now}
