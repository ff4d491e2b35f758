-- SPDX-License-Identifier: Apache-2.0
-- A process begins to speak, or speaks from a new connection: what an older one still has on its way
-- is refused from now on. Another server than before (or one that forgot) gives no money until those who
-- hold some have said so.
-- KEYS meta, process, live, contribution, generations
-- ARGV fence, session, proxy, recover_ms, layout, whether the root may have been lost, forget_ms
-- -> 9 other layout, 12 older epoch; 0, now, last, epoch in which the process has contributed (0: never), recovery
-- left, processes, resets, generations
local m = c('HMGET', KEYS[1], 'f', 'u', 'g', 'v', 'r')
if m[4] and m[4] ~= ARGV[5] then return {9, now} end
local stored = c('HGET', KEYS[2], 's')
if stored == 'over' then return {12, now} end -- a later start of this process was here
if stored and stored + 0 > ARGV[2] + 0 then return {2, now, stored + 0} end
local wait = (m[2] or 0) + 0
if m[1] ~= ARGV[1] then
  wait = m[1] == '-' and wait or 0
  if m[1] or ARGV[6] == '1' then wait = math.max(wait, now + ARGV[4]) end
  c('HSET', KEYS[1], 'f', ARGV[1], 'u', text(wait), 'v', ARGV[5])
end
c('HSET', KEYS[2], 's', ARGV[2], 'r', m[5] or '0')
c('PEXPIRE', KEYS[2], ARGV[7])
c('ZADD', KEYS[3], text(now), ARGV[3])
return {0, now, (c('HGET', KEYS[2], 'l') or 0) + 0, (brought(KEYS[4], m[5]) or 0) + 0, math.max(wait - now, 0),
  c('ZCOUNT', KEYS[3], text(now - 5000), '+inf'), (m[3] or 0) + 0, c('HGETALL', KEYS[5])}
