// SPDX-License-Identifier: Apache-2.0
// The primary is gone, then fails, at 200 calls a second. At full size with the defaults, for five minutes.
import { FULL, outage } from './lib/outage.mjs';

outage(FULL ? { healthy: 10, parts: [['gone', 150], ['failing', 150]], breaker: {}, openMax: 144 }
            : { healthy: 3, parts: [['gone', 4], ['failing', 5]], breaker: { open: '1s' }, openMax: 10 });
