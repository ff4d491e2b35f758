// SPDX-License-Identifier: Apache-2.0
// The primary takes calls and says nothing any more, at 200 calls a second. At full size with the defaults,
// for five minutes. It is healthy for a minute before: what may be repeated is a share of a minute's calls.
import { FULL, outage } from './lib/outage.mjs';

outage(FULL ? { healthy: 60, parts: [['silent', 300]], breaker: {}, openMax: 80 + 144 }
            : { healthy: 6, parts: [['silent', 6]], breaker: { open: '1s', silence: '500ms' }, openMax: 4 + 10 });
