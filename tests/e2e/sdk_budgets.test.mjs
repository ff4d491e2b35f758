// SPDX-License-Identifier: Apache-2.0
// The SDKs, unmodified and with their own retries on, before a budget that is used up: their program is told
// at once, and none of them asks again: a spent budget does not come back in seconds.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { healthy } from './lib/samples.mjs';
import { CLIENTS } from './lib/sdk_clients.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { patient, until } from './lib/wire.mjs';

requireBinary();

// By then every one of them would have asked again (conventions.md 1.7: 0.5 s, or 2 s).
const AGAIN_MS = 3000;
let upstream;
const headgates = {};

const nameOf = (client) => client.name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();

before(async () => {
    upstream = await Upstream.start();
    upstream.play(healthy);
    for (const status of [402, 429]) {
        headgates[status] = await Headgate.start({
            providers: {
                openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
                anthropic: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic },
            },
            routes: Object.fromEntries(CLIENTS.map((client) => [nameOf(client), { targets: [{ provider: client.dialect, model: 'm' }], default_max_output: 500 }])),
            budgets: [{ name: 'nothing-left', scope: 'global', limit: '1 tokens', window: 'day' }],
            budget_status: status,
        });
    }
});
after(async () => {
    for (const headgate of Object.values(headgates)) {
        headgate.check();
        await headgate.stop();
    }
    await upstream?.stop();
});

// Whoever heeds neither x-should-retry nor the code asks a 429 again, whatever is said (conventions.md 1.7).
const HEEDS_429 = (client) => !/^ai-sdk|^ai /i.test(client.name);

describe('a budget that is used up', { concurrency: CLIENTS.length * 2 }, () => {
    for (const client of CLIENTS) {
        for (const status of HEEDS_429(client) ? [402, 429] : [402]) {
            test(`${client.name} takes ${status} for an answer`, { timeout: patient(30000) }, async () => {
                const id = `${nameOf(client)}.${status}`;
                const how = { origin: `http://127.0.0.1:${headgates[status].port}`, model: nameOf(client), id, said: () => {} };
                await assert.rejects(client.whole(how), (error) => {
                    const text = `${error.message} ${error.cause?.message ?? ''} ${JSON.stringify(error)}`;
                    assert.match(text, /nothing-left/, 'the program is told which');
                    return true;
                });
                const lines = () => headgates[status].callLines().filter((line) => line.request_id === id);
                await until(() => lines().length >= 1, 4000, 'its line');
                await sleep(AGAIN_MS);
                assert.deepEqual(lines().map((line) => [line.status, line.reason]), [[status, status === 402 ? 'budget_exceeded' : 'insufficient_quota']]);
            });
        }
    }

    test('nothing was asked of a provider', () => assert.equal(upstream.requests.length, 0));
});
