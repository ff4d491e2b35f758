-- SPDX-License-Identifier: Apache-2.0
-- A new generation. KEYS meta, generations   ARGV budget, or budget and value
c('HINCRBY', KEYS[2], ARGV[1], 1)
c('HINCRBY', KEYS[1], 'g', 1)
return {now, 1}
