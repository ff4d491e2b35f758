// SPDX-License-Identifier: Apache-2.0
// The official SDKs, unmodified and with their own retries on, before a rate of headgate's own: they wait as
// they are told, ask again once, and have their answer. Each has a route of its own, and so a rate of its own.
import assert from 'node:assert/strict';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { healthy } from './lib/samples.mjs';
import { CLIENTS } from './lib/sdk_clients.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { patient, until } from './lib/wire.mjs';

requireBinary();

const LIMIT = { timeout: patient(30000) };
// Some add to the wait, or round it up.
const LATE_MS = patient(2500);
const WAIT_MS = 2000;

let upstream;
let headgate;

const nameOf = (client) => client.name.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();

before(async () => {
    upstream = await Upstream.start();
    upstream.play(healthy);
    headgate = await Headgate.start({
        providers: {
            openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
            anthropic: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic },
        },
        routes: Object.fromEntries(CLIENTS.map((client) => [nameOf(client), { targets: [{ provider: client.dialect, model: 'm' }] }])),
        rates: [{ scope: 'route', limit: `${60000 / WAIT_MS} requests`, per: 'minute', burst: 1 }],
    });
});
after(async () => {
    headgate?.check();
    await headgate?.stop();
    await upstream?.stop();
});

async function call(client, id) {
    const how = { origin: `http://127.0.0.1:${headgate.port}`, model: nameOf(client), id, said: () => {} };
    assert.ok((await client.whole(how)).length > 0);
}

describe('a rate of ours', { concurrency: CLIENTS.length }, () => {
    for (const client of CLIENTS) {
        test(`${client.name} waits as it is told, and then has its answer`, LIMIT, async () => {
            const id = `${nameOf(client)}.second`;
            const began = Date.now();
            await call(client, `${nameOf(client)}.first`);
            const asked = Date.now();
            await call(client, id);
            const took = Date.now() - asked;
            const wait = WAIT_MS - (asked - began);
            assert.ok(took >= wait - 50 && took <= wait + LATE_MS, `${took} ms of ${wait}`);
            const lines = () => headgate.callLines().filter((line) => line.request_id === id);
            await until(() => lines().length >= 2, 4000, 'its lines');
            assert.deepEqual(lines().map(({ status, reason }) => [status, reason]), [[429, 'rate_limit_exceeded'], [200, undefined]]);
        });
    }
});
