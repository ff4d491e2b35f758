// SPDX-License-Identifier: Apache-2.0
// kill -9 at random moments under load: after each start every request that a provider has seen has
// exactly one usage record, and no record is there twice. 20 kills; 200 at full size
// (HEADGATE_TEST_SCALE=full). Also a state folder that is taken, read-only, or torn at its end.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { complete, delta, DONE, ROLE, STOP } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const ROUNDS = process.env.HEADGATE_TEST_SCALE === 'full' ? 200 : 20;
const APPS = 24;

// A small generator, so that a failure can be repeated with the seed that it names.
function chance(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}

const seed = Number(process.env.SEED ?? Date.now() % 1e9);
const random = chance(seed);

// What providers saw: the ids that apps sent along, which pass to providers.
function provider(seen) {
    return async (exchange) => {
        seen.add(header(exchange.request, 'x-client-request-id'));
        if (exchange.request.json().stream !== true) {
            await sleep(random() * 8);
            return healthy(exchange);
        }
        await exchange.streamHead();
        await exchange.event(ROLE);
        for (let i = 0; i < 6; i += 1) {
            await exchange.event(delta(`t${i} `));
            await sleep(random() * 3);
        }
        await exchange.event(STOP + DONE);
        return exchange.streamEnd();
    };
}

// An app that calls until the connection breaks; answered: ids of whole answers that it got.
async function run(port, name, answered) {
    try {
        const app = await App.connect(port);
        for (let i = 0; ; i += 1) {
            const id = `${name}-${i}`;
            app.send(request(good('chat', { model: 'openai/m', stream: random() < 0.5 }, { headers: { 'x-request-id': id, 'x-client-request-id': id } })));
            const answer = await app.answer(20000);
            if (answer.status === 200) {
                answered.add(id);
            }
        }
    } catch {
        // killed
    }
}

async function start(upstream, state, more = {}) {
    return Headgate.start({ state_dir: state, providers: { openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider,
        breaker: { failures: 1000, ratio: '100%', silence: 'off' } } }, ...more });
}

describe('records outlive the process', () => {
    test(`${ROUNDS} kills under load lose and double nothing`, { timeout: patient(ROUNDS * 2000) }, async () => {
        const state = path.join(temporary(), 'state');
        const upstream = await Upstream.start();
        const seen = new Set();
        const answered = new Set();
        upstream.play(provider(seen));
        for (let round = 0; round < ROUNDS; round += 1) {
            const headgate = await start(upstream, state);
            const apps = Array.from({ length: APPS }, (_, i) => run(headgate.port, `r${round}-a${i}`, answered));
            await sleep(20 + random() * 250);
            await headgate.kill();
            await Promise.all(apps);
        }
        const last = await start(upstream, state);
        await last.stop();
        const records = recordsIn(state);
        const counts = new Map();
        for (const record of records) {
            counts.set(record.request_id, (counts.get(record.request_id) ?? 0) + 1);
        }
        const ids = records.map((record) => record.record_id);
        assert.equal(new Set(ids).size, ids.length, `seed ${seed}: a record is there twice`);
        const lost = [...seen].filter((id) => counts.get(id) !== 1);
        assert.deepEqual(lost, [], `seed ${seed}: sent to the provider, and not one record`);
        const unknown = [...answered].filter((id) => counts.get(id) !== 1);
        assert.deepEqual(unknown, [], `seed ${seed}: answered, and not one record`);
        const crashed = records.filter((record) => record.flags?.includes('proxy_crash'));
        console.log(`# ${ROUNDS} kills, ${seen.size} requests, ${answered.size} answers, ${records.length} records, ${crashed.length} of them of a crash`);
        assert.ok(crashed.length >= ROUNDS, 'calls were running when it was killed');
        for (const record of crashed) {
            assert.ok(['crashed', 'unsent'].includes(record.charge), JSON.stringify(record));
            assert.equal(record.outcome, 'proxy_crash');
        }
        // The record stands in the table before the last byte of a short answer leaves.
        const charged = new Set(crashed.map((record) => record.request_id));
        assert.deepEqual([...answered].filter((id) => charged.has(id)), [], `seed ${seed}: the app has the answer, the record tells of a crash`);
        await upstream.stop();
        fs.rmSync(path.dirname(state), { recursive: true, force: true });
    });
    test('a torn last line is cut off, and its record comes from the table', async () => {
        const state = path.join(temporary(), 'state');
        const upstream = await Upstream.start();
        upstream.play(healthy);
        let headgate = await start(upstream, state);
        for (let i = 0; i < 5; i += 1) {
            assert.equal((await ask(headgate.port, good('chat', { model: 'openai/m' }))).status, 200);
        }
        await until(() => recordsIn(state).length === 5, 3000, 'five records');
        await headgate.kill();
        const file = path.join(state, 'journal', fs.readdirSync(path.join(state, 'journal'))[0]);
        fs.truncateSync(file, fs.statSync(file).size - 40);
        assert.equal(recordsIn(state).length, 4);
        headgate = await start(upstream, state);
        await headgate.stop();
        assert.ok(recordsIn(state).length >= 4); // the slot may have been given back before the kill
        assert.ok(fs.readFileSync(file, 'utf8').endsWith('\n'));
        await upstream.stop();
        fs.rmSync(path.dirname(state), { recursive: true, force: true });
    });
});

describe('the state folder', () => {
    test('belongs to one process, and says so', async () => {
        const dir = temporary();
        const upstream = await Upstream.start();
        const headgate = await start(upstream, path.join(dir, 'state'));
        const file = path.join(dir, 'second.yaml');
        fs.writeFileSync(file, JSON.stringify({ version: 1, listen: '127.0.0.1:0', admin: { listen: 'off' }, state_dir: path.join(dir, 'state'),
            log: { format: 'json' }, providers: { a: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } } }));
        const second = await runToEnd(['run', '-c', file]);
        assert.equal(second.code, 73, second.stderr);
        assert.match(second.stderr, new RegExp(`belongs to the running process ${headgate.pid}`));
        assert.match(second.stderr, /state_dir/);
        await headgate.stop();
        await upstream.stop();
        fs.rmSync(dir, { recursive: true, force: true });
    });
    test('that cannot be made is told with the way out', async () => {
        const dir = temporary();
        const file = path.join(dir, 'c.yaml');
        fs.writeFileSync(file, JSON.stringify({ version: 1, listen: '127.0.0.1:0', admin: { listen: 'off' }, state_dir: '/proc/headgate',
            providers: { a: { kind: 'openai', credential: CANARY.provider } } }));
        const { code, stderr } = await runToEnd(['run', '-c', file]);
        assert.ok([73, 77].includes(code), `${code} ${stderr}`);
        assert.match(stderr, /the state folder \/proc\/headgate cannot be used/);
        fs.rmSync(dir, { recursive: true, force: true });
    });
    test('is temporary where only built-in providers serve', async () => {
        const dir = temporary();
        const headgate = await Headgate.start({ providers: { a: { kind: 'fixtures', fixtures: { dialect: 'openai' } } } }, { env: { TMPDIR: dir } });
        assert.equal((await ask(headgate.port, good('chat'))).status, 200);
        assert.equal(fs.readdirSync(dir).length, 1);
        await headgate.stop();
        assert.deepEqual(fs.readdirSync(dir), []);
        fs.rmSync(dir, { recursive: true, force: true });
    });
});
