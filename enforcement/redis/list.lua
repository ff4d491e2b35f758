-- SPDX-License-Identifier: Apache-2.0
-- Holds: those that are due, or all, a piece at a time.
-- KEYS holds, due, index   ARGV how many, cursor (empty: those that are due)
-- -> now, next cursor, then per hold id, state, owner, windows...
c('ZREMRANGEBYSCORE', KEYS[3], '-inf', text(now))
local out, ids = {now, ARGV[2]}, nil
if ARGV[2] == '' then
  ids = c('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', 0, ARGV[1])
else
  local found = c('HSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[1])
  out[2] = found[1]
  ids = {}
  for i = 1, #found[2], 2 do ids[#ids + 1] = found[2][i] end
end
for i = 1, #ids do
  local hold = c('HGET', KEYS[1], ids[i])
  local row = {ids[i]}
  if hold then
    hold = cmsgpack.unpack(hold)
    row[2] = hold[1]
    row[3] = hold[2]
    for j = 5, #hold, 2 do row[#row + 1] = hold[j] end
  end
  out[#out + 1] = row
end
return out
