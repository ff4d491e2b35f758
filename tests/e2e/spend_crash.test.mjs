// SPDX-License-Identifier: Apache-2.0
// The promise over crashes: headgates are killed under load and started again, Redis is killed and started
// again, or a replica that is behind takes over; when all is quiet nothing is held or presumed, and the ledger
// is the sum of the records.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireBinary } from './lib/headgate.mjs';
import { RedisPair } from './lib/redis.mjs';
import { Spenders, chance } from './lib/spenders.mjs';
import test, { after, before } from './lib/test.mjs';
import { patient } from './lib/wire.mjs';

requireBinary();

// With sanitizers once of each kind.
const TRIALS = Number(process.env.HEADGATE_TEST_TRIALS ?? (patient(1) > 1 ? 3 : 6));
const PROCESSES = 3;
const APPS = 12;
const LIMIT = BigInt(TRIALS) * 400000000n; // 0.40 USD a trial: it is used up at the end
const seed = Number(process.env.SEED ?? 20261129);

let redis;
let spenders;

before(async () => {
    redis = new RedisPair();
    await redis.start();
    spenders = await Spenders.start({ processes: PROCESSES, seed, limit: `${TRIALS * 4 / 10} USD`, ledger: redis.ledger });
});
after(async () => {
    await spenders?.kill();
    await redis?.remove();
});

// Apps that go on whatever happens to what they call.
async function app(i, isOver) {
    while (!isOver()) {
        await spenders.call(spenders.headgates[i]).catch(() => sleep(20));
    }
}

const draw = chance(seed + 1);
const blows = {
    async kill() {
        const i = draw(PROCESSES);
        await spenders.headgates[i].kill();
        await sleep(draw(300));
        spenders.headgates[i] = await spenders.launch(i);
    },
    async redis() {
        const primary = await redis.primary();
        await primary.stop();
        await sleep(draw(400));
        await primary.start();
    },
    // The replica knows nothing of the last 100 to 500 ms, nor of those until the primary dies.
    failover: () => redis.failOver(() => sleep(100 + draw(400))),
    async both() {
        await Promise.all([blows.kill(), blows.redis()]);
    },
};

for (let trial = 1; trial <= TRIALS; trial += 1) {
    test(`trial ${trial} of ${TRIALS}, SEED=${seed}`, { timeout: patient(60000) }, async () => {
        let isOver = false;
        const apps = spenders.headgates.flatMap((_, i) => Array.from({ length: APPS }, () => app(i, () => isOver)));
        await sleep(100 + draw(300));
        const what = ['kill', 'redis', 'both', 'failover'][trial % 4];
await blows[what]();
        await sleep(100 + draw(200));
        isOver = true;
        await Promise.all(apps);
        await redis.whole();
        const sum = await spenders.settled(LIMIT, patient(20000));

        console.log(`# ${what}: ${sum} of ${LIMIT} nanodollars, settled to the last one`);
    });
}
