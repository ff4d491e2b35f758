// SPDX-License-Identifier: Apache-2.0
import { Bench } from './rows.mjs';

// A provider whose streams never end, and what it could write so far in `upstream.written`.
export async function endless() {
    const own = await Bench.start();
    const { upstream, headgate } = own;
    upstream.written = 0;
    const event = `data: {"choices":[{"index":0,"delta":{"content":"${'x'.repeat(16000)}"}}]}\n\n`;
    upstream.play(async (exchange) => {
        await exchange.streamHead();
        while (exchange.isOpen) {
            await exchange.event(event);
            upstream.written += event.length;
            await new Promise((resolve) => setImmediate(resolve));
        }
    });
    return { upstream, headgate };
}
