// SPDX-License-Identifier: Apache-2.0
// The promise: however many apps spend a budget at once, through failovers, repeats and clamps, what is
// settled is the sum of the records to the nanodollar and never more than the limit.
import assert from 'node:assert/strict';
import { requireBinary } from './lib/headgate.mjs';
import { Redis } from './lib/sinks.mjs';
import { LIMIT, Spenders } from './lib/spenders.mjs';
import test, { afterEach, describe } from './lib/test.mjs';

requireBinary();

const FULL = process.env.HEADGATE_TEST_SCALE === 'full';
let spenders;

afterEach(async () => {
    await spenders?.kill();
    spenders = null;
});

// Served until there is too little left for the dearest call, and refused from then on.
async function spendAll(options) {
    spenders = await Spenders.start(options);
    const statuses = await spenders.spend({ apps: 64, calls: FULL ? 3000 : 60, repeats: 5 });
    const sum = await spenders.settled();
    assert.deepEqual([...statuses.keys()].sort().filter((status) => ![200, 402, 409].includes(status)), [], [...statuses].join(' '));
    assert.ok(statuses.get(402) >= 64, [...statuses].join(' '));
    assert.ok(sum > (LIMIT * 97n) / 100n, `${sum} of ${LIMIT}: refused too early`);
    const records = spenders.records();
    assert.ok(records.some((record) => record.outcome === 'provider_error'), 'failovers among them');
    assert.ok(records.some((record) => record.flags?.includes('replayed')) || statuses.get(409) > 0, 'repeats among them');
    const most = Math.max(...records.map((record) => record.hold_nusd ?? 0));
    assert.ok(most > 0 && records.every((record) => !record.flags?.includes('overrun')));
    console.log(`# ${options.processes ?? 1} processes: ${[...statuses].map(([status, count]) => `${count} x ${status}`).join(', ')}; ${sum} of ${LIMIT} nanodollars, ${records.length} records`);
    await spenders.stop();
    spenders = null;
}

describe('64 apps at each headgate', () => {
    test('one process with its own ledger', () => spendAll({ seed: 11 }));

    test('eight processes on one Redis', async () => {
        const redis = await new Redis().start();
        try {
            await spendAll({ seed: 12, processes: 8, ledger: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` } });
        } finally {
            await redis.remove();
        }
    });
});
