// SPDX-License-Identifier: Apache-2.0
// A name of this machine's own that is not localhost, with its address; null when there is none.
import dns from 'node:dns/promises';
import os from 'node:os';

export async function privateName() {
    for (const name of ['ip6-localhost', 'ip6-loopback', os.hostname()]) {
        const found = await dns.lookup(name).catch(() => null);
        if (name !== 'localhost' && found && /^(::1$|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(found.address)) {
            return { name, ...found };
        }
    }
    return null;
}
