// SPDX-License-Identifier: Apache-2.0
// The promise: however many apps spend a budget at once, through failovers, repeats and clamps, what is
// settled is the sum of the records to the nanodollar and never more than the limit.
import assert from 'node:assert/strict';
import { requireBinary } from './lib/headgate.mjs';
import { Redis } from './lib/redis.mjs';
import { LIMIT, Spenders } from './lib/spenders.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
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

describe('loans', () => {
    const ONE_USD = 1000000000n;
    let redis;
    const begin = async (options) => {
        redis = await new Redis().start();
        spenders = await Spenders.start({ fails: 0, ledger: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` }, ...options });
    };
    afterEach(() => redis?.remove());

    test('hardly anybody is refused while a twentieth of the limit is left', async () => {
        await begin({ seed: 13, processes: 4, limit: '1 USD' });
        let spent = 0;
        let asked = 0;
        let early = 0;
        await Promise.all(spenders.headgates.flatMap((headgate) => Array.from({ length: 4 }, async () => {
            for (let refused = 0; refused < 3;) {
                const answer = await spenders.ask(headgate);
                asked += 1;
                spent += Number(answer.cost ?? 0);
                refused += answer.status === 402;
                early += answer.status === 402 && spent < 0.95;
                assert.ok([200, 402].includes(answer.status), `${answer.status} ${answer.code} after ${asked} calls, ${spent} USD`);
            }
        })));
        const sum = await spenders.settled(ONE_USD);
        console.log(`# ${early} of ${asked} refused while more than 5 % was left; ${sum} of ${ONE_USD} spent`);
        assert.ok(early * 1000 <= asked, `${early} of ${asked}`);
        assert.ok(sum > (ONE_USD * 98n) / 100n, `${sum}`);
    });

    test('a Redis that is away for ten seconds is not noticed while loans last', async () => {
        await begin({ seed: 14, limit: '1000 USD' });
        const asks = async (ms) => {
            const statuses = [];
            for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
                statuses.push((await spenders.ask(spenders.headgates[0])).status);
            }
            return statuses;
        };
        await asks(1500); // loans are there
        await redis.stop();
        const away = await asks(10000);
        assert.ok(away.length > 50 && away.every((status) => status === 200), away.join());
        await redis.start();
        await asks(500);
        await spenders.settled(1000n * ONE_USD, 15000);
    });

    test('when they are used up it is closed, and open again when Redis is back', async () => {
        await begin({ seed: 15, limit: '1 USD' });
        for (let i = 0; i < 40; i += 1) {
            await spenders.ask(spenders.headgates[0]);
        }
        await redis.stop();
        let served = 0;
        let last;
        for (let i = 0; i < 400 && last?.status !== 503; i += 1) {
            last = await spenders.ask(spenders.headgates[0]);
            served += last.status === 200;
        }
        assert.deepEqual([last.status, last.code], [503, 'budget_unavailable']);
        assert.ok(served < 100, `${served} calls on what was lent`);
        const before_ = spenders.upstream.requests.length;
        assert.equal((await spenders.ask(spenders.headgates[0])).status, 503);
        assert.equal(spenders.upstream.requests.length, before_, 'nothing was sent');
        await redis.start();
        let back;
        for (let i = 0; i < 100 && back?.status !== 200; i += 1) {
            back = await spenders.ask(spenders.headgates[0]);
            await sleep(100);
        }
        assert.equal(back.status, 200);
        await spenders.settled(ONE_USD, 15000);
    });
});
