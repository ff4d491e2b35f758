-- SPDX-License-Identifier: Apache-2.0
-- A process lives. Those of its holds that are named get a new deadline; the first that is not there
-- any more, or is presumed, is told.
-- KEYS meta, process, live, due   ARGV fence, session, proxy, lease_ms, ids...
-- -> 0, or 1 fenced, 2 older session; now, last, processes, whether all holds are there
if c('HGET', KEYS[1], 'f') ~= ARGV[1] then return {1, now} end
local q = c('HMGET', KEYS[2], 's', 'l')
if q[1] ~= ARGV[2] then return {2, now} end
c('ZADD', KEYS[3], text(now), ARGV[3])
c('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now - 60000))
local all = 1
for i = 5, #ARGV do
  if c('ZSCORE', KEYS[4], ARGV[i]) then c('ZADD', KEYS[4], text(now + ARGV[4]), ARGV[i]) else all = 0 end
end
return {0, now, (q[2] or 0) + 0, c('ZCOUNT', KEYS[3], text(now - 5000), '+inf'), all}
