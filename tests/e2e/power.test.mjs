// SPDX-License-Identifier: Apache-2.0
// journal.durability: power. No request leaves before its slot is on the disk, no answer's last byte before
// its record is; whatever the disk and the app do meanwhile, each attempt has one record.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { Disk } from './lib/disk.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { DONE, delta, ROLE, STOP } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const EIO = 5;
const SLOW = 400; // ms that a slow sync takes
const BREAKER = { failures: 1000, ratio: '100%', silence: 'off' };

let upstream;
let second;
let disk;

const settings = (more = {}) => ({
    journal: { durability: 'power', ...more },
    providers: {
        openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider, breaker: BREAKER },
        other: { kind: 'openai', base_url: `${second.origin}/v1`, credential: CANARY.anthropic, breaker: BREAKER },
    },
    routes: {
        short: { targets: [{ provider: 'openai', model: 'm' }], retry: { attempts: 1 }, timeouts: { total: '150ms', stream_total: '150ms' } },
        hedged: { targets: [{ provider: 'openai', model: 'm' }, { provider: 'other', model: 'm' }], hedge: { after: '100ms' } },
    },
});
const stateOf = (headgate) => path.join(headgate.dir, 'state');
const recordsOf = (headgate, id) => recordsIn(stateOf(headgate)).filter((record) => record.request_id === id);
const oneRecord = (headgate, id) => until(() => recordsOf(headgate, id).at(0), 4000, `the record of ${id}`);
const call = (id, more = {}, extra = {}) => good('chat', { model: 'openai/m', ...more }, { headers: { 'x-request-id': id, 'x-client-request-id': id }, ...extra });

// A provider that streams twenty events, the terminal one and the framing's end in writes of their own.
async function streaming(exchange) {
    await exchange.streamHead();
    for (let i = 0; i < 20; i += 1) {
        await exchange.event(i === 0 ? ROLE : delta(`t${i} `));
    }
    await sleep(5);
    await exchange.event(STOP);
    await exchange.event(DONE);
    return exchange.streamEnd();
}
const either = (exchange) => (exchange.request.json().stream === true ? streaming(exchange) : healthy(exchange));

before(async () => {
    upstream = await Upstream.start();
    second = await Upstream.start();
    second.play(either);
    disk = new Disk();
});
after(async () => {
    await upstream?.stop();
    await second?.stop();
    disk?.stop();
});

describe('the last byte', () => {
    let headgate;
    before(async () => { headgate = await Headgate.start(settings()); });
    after(async () => headgate?.stop());
    afterEach(() => headgate.check());

    test('of whole answers and streams comes with the record in the journal', async () => {
        upstream.play(either);
        const missing = [];
        const seen = async (worker) => {
            const app = await App.connect(headgate.port);
            for (let i = 0; i < 5; i += 1) {
                const id = `byte-${worker}-${i}`;
                app.send(request(call(id, { stream: (worker + i) % 2 === 0 })));
                const answer = await app.answer(15000);
                const records = recordsOf(headgate, id); // now: nothing is waited for
                assert.equal(answer.status, 200);
                if (records.length !== 1 || records[0].outcome !== 'ok') {
                    missing.push(id);
                }
            }
            app.close();
        };
        await Promise.all(Array.from({ length: 60 }, (_, worker) => seen(worker)));
        assert.deepEqual(missing, []);
    });
    test('of an error and of bytes that are passed on unread does, too', async () => {
        upstream.play((exchange) => (exchange.request.target.startsWith('/v1/files')
            ? exchange.answer({ body: 'x'.repeat(100000), headers: { 'Content-Type': 'application/octet-stream' }, size: 30000, gap: 5 })
            : exchange.json({ error: { message: 'no', type: 'invalid_request_error' } }, 400)));
        for (let i = 0; i < 10; i += 1) {
            const refused = await ask(headgate.port, call(`no-${i}`));
            assert.equal(refused.status, 400);
            assert.equal(recordsOf(headgate, `no-${i}`).length, 1);
            const passed = await ask(headgate.port, { method: 'GET', target: '/v1/files/f/content',
                headers: { Authorization: `Bearer ${CANARY.app}`, 'x-request-id': `file-${i}` } });
            assert.equal(passed.body.length, 100000);
            assert.equal(recordsOf(headgate, `file-${i}`).length, 1);
        }
    });
    test('of a stream: its terminal event waits as well, where nothing ends the framing', async () => {
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(ROLE + delta('a'));
            await exchange.event(STOP + DONE); // and the connection stays open
        });
        const app = await App.connect(headgate.port);
        app.send(request(call('open-end', { stream: true })));
        await app.text('[DONE]');
        assert.equal(recordsOf(headgate, 'open-end').length, 1);
        app.close();
    });
});

describe('a large terminal event', () => {
    test('comes with the record in the journal', async () => {
        const headgate = await Headgate.start(settings());
        const event = (type, more) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(event('response.created', { response: { id: 'r', status: 'in_progress', output: [] } })
                + event('response.output_text.delta', { output_index: 0, content_index: 0, delta: 'a' }));
            await sleep(20);
            await exchange.event(event('response.completed', { response: { id: 'r', status: 'completed', model: 'm',
                usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 }, output: [{ type: 'message', content: [{ type: 'output_text', text: 'x'.repeat(40000) }] }] } }));
        });
        for (let i = 0; i < 20; i += 1) {
            const app = await App.connect(headgate.port);
            app.send(request(good('responses', { model: 'openai/m', stream: true }, { headers: { 'x-request-id': `large-${i}` } })));
            await app.text('response.completed');
            const [record] = recordsOf(headgate, `large-${i}`);
            assert.equal(record?.outcome, 'ok', `large-${i}`);
            app.close();
        }
        await headgate.stop();
    });
});

describe('the same bytes', () => {
    // What differs from call to call.
    const plain = (answer) => ({ status: answer.status, body: answer.body.toString('latin1'), framing: answer.framing,
        names: answer.headers.map(([name]) => name.toLowerCase()) });
    const kinds = {
        whole: call('w'),
        stream: call('s', { stream: true }),
        'HTTP/1.0 stream': { ...call('o', { stream: true }), version: 'HTTP/1.0' },
        'HTTP/1.0 whole': { ...call('p'), version: 'HTTP/1.0' },
        closing: call('c', {}, { headers: { Connection: 'close' } }),
        'closing stream': call('d', { stream: true }, { headers: { Connection: 'close' } }),
        models: { method: 'GET', target: '/v1/models' },
        passed: { method: 'GET', target: '/v1/files/f' },
        nothing: { method: 'GET', target: '/v1/files/none' },
    };
    test('as without it', async () => {
        upstream.play((exchange) => (exchange.request.target.endsWith('/none')
            ? exchange.answer({ status: 200, body: '', headers: { 'Content-Type': 'text/plain' } })
            : exchange.request.body.length > 0 ? either(exchange) : healthy(exchange)));
        const power = await Headgate.start(settings());
        const usual = await Headgate.start({ ...settings(), journal: {} });
        for (const [name, what] of Object.entries(kinds)) {
            const [a, b] = [await ask(power.port, what), await ask(usual.port, what)];
            assert.deepEqual(plain(a), plain(b), name);
            assert.equal(a.status, 200, name);
        }
        await Promise.all([power.stop(), usual.stop()]);
    });
});

describe('a slow disk', () => {
    let headgate;
    before(async () => { headgate = await Headgate.start(settings(), { env: disk.env }); });
    after(async () => headgate?.stop());
    afterEach(async () => {
        disk.say({});
        headgate.check();
    });

    test('is waited for before the request leaves', async () => {
        let at = 0;
        upstream.play((exchange) => { at = Date.now(); return either(exchange); });
        disk.say({ msync: { ms: SLOW } });
        const from = Date.now();
        const done = disk.done('msync');
        const answer = await ask(headgate.port, call('before'));
        assert.equal(answer.status, 200);
        assert.ok(at - from >= SLOW - 5, `the provider saw it after ${at - from} ms`);
        assert.ok(disk.done('msync') > done);
        assert.ok(Number(header(answer, 'x-headgate-overhead-ms')) >= SLOW - 5, 'the wait is ours, not the provider\'s');
    });
    const passed = (id, more = {}) => ({ method: 'GET', target: '/v1/files/f', headers: { Authorization: `Bearer ${CANARY.app}`, 'x-request-id': id }, ...more });
    const file = (framing) => (exchange) => exchange.answer({ framing, body: 'x'.repeat(50000), headers: { 'Content-Type': 'application/octet-stream' }, size: 20000, gap: 5 });
    const refuses = (exchange) => exchange.json({ error: { message: 'no', type: 'invalid_request_error' } }, 400);
    const ends = {
        'an answer': [call('end-whole'), either],
        'a stream': [call('end-stream', { stream: true }), either, 't19'], // what is no end does not wait
        'an error': [call('end-error'), refuses],
        'bytes of a told length': [passed('end-length'), file('length'), 'x'],
        'bytes in chunks': [passed('end-chunks'), file('chunked'), 'x'],
        'bytes that end with the connection': [passed('end-close', { version: 'HTTP/1.0' }), file('chunked'), 'x'],
        'a head alone': [passed('end-head', { method: 'DELETE' }), (exchange) => exchange.send('HTTP/1.1 204 No Content\r\n\r\n')],
    };
    for (const [name, [what, play, early]] of Object.entries(ends)) {
        test(`is waited for before the last byte of ${name}`, async () => {
            let at = 0;
            let syncs = 0;
            upstream.play(async (exchange) => {
                disk.say({ fdatasync: { ms: SLOW } });
                await sleep(150); // a sync that began before is over
                at = Date.now();
                syncs = disk.done('fdatasync');
                return play(exchange);
            });
            const app = await App.connect(headgate.port);
            app.send(request(what));
            if (early) {
                await app.text(early);
                assert.ok(Date.now() - at < SLOW - 50);
            }
            await app.answer();
            assert.ok(Date.now() - at >= SLOW - 5, `it was whole after ${Date.now() - at} ms`);
            assert.ok(disk.done('fdatasync') > syncs, 'nothing was synced before the last byte');
            app.close();
        });
    }
    test('holds the answers of pipelined requests in their order', async () => {
        upstream.play(either);
        disk.say({ fdatasync: { ms: 50 } });
        const app = await App.connect(headgate.port);
        app.send(Buffer.concat(['p-1', 'p-2', 'p-3'].map((id, i) => request(call(id, { stream: i === 1 })))));
        for (const id of ['p-1', 'p-2', 'p-3']) {
            assert.equal(header(await app.answer(), 'x-request-id'), id);
            assert.equal(recordsOf(headgate, id).length, 1);
        }
        app.close();
    });
    test('and an app that leaves before its request has left: nothing is sent, one record', async () => {
        upstream.play(either);
        upstream.forget();
        disk.say({ msync: { ms: SLOW } });
        const app = await App.connect(headgate.port);
        app.send(request(call('gone-early')));
        await sleep(SLOW / 2);
        app.close();
        const record = await oneRecord(headgate, 'gone-early');
        await sleep(SLOW);
        assert.deepEqual(upstream.requests.map((seen) => header(seen, 'x-client-request-id')), []);
        assert.deepEqual([record.outcome, record.phase, record.charge], ['app_gone', 'unsent', 'unsent']);
        assert.equal(recordsOf(headgate, 'gone-early').length, 1);
    });
    test('and a deadline that is over before the request has left', async () => {
        upstream.play(either);
        upstream.forget();
        disk.say({ msync: { ms: SLOW } });
        const answer = await ask(headgate.port, call('late', { model: 'short' }));
        assert.equal(answer.status, 504, answer.body.toString());
        await sleep(SLOW);
        assert.equal(upstream.requests.length, 0);
        const record = await oneRecord(headgate, 'late');
        assert.equal(record.phase, 'unsent');
        assert.equal(recordsOf(headgate, 'late').length, 1);
    });
    test('and an app that leaves before its last byte: one record, of a good end', async () => {
        upstream.play(async (exchange) => {
            disk.say({ fdatasync: { ms: SLOW } });
            return either(exchange);
        });
        for (const stream of [false, true]) {
            disk.say({});
            const app = await App.connect(headgate.port);
            app.send(request(call(`gone-late-${stream}`, { stream })));
            await until(() => headgate.callLines().some((line) => line.request_id === `gone-late-${stream}`) || null, 3000, 'the end of the call');
            app.close();
            await sleep(SLOW + 100);
            const records = recordsOf(headgate, `gone-late-${stream}`);
            assert.deepEqual(records.map((record) => record.outcome), ['ok']);
        }
        disk.say({});
        upstream.play(either);
        assert.equal((await ask(headgate.port, call('next'))).status, 200);
    });
    // A route may hedge a few of a hundred calls.
    const warm = async () => {
        disk.say({});
        upstream.play(either);
        for (let i = 0; i < 45; i += 1) {
            await ask(headgate.port, call(`warm-${i}`, { model: 'hedged', stream: true }));
        }
        upstream.forget();
    };
    test('and a hedge: each of the two has its record, and one is answered', async () => {
        let count = 0;
        await warm();
        upstream.play(async (exchange) => {
            count += 1;
            if (count === 1) {
                await sleep(1500);
            }
            return either(exchange);
        });
        disk.say({ msync: { ms: 60 } });
        const answer = await ask(headgate.port, call('hedge', { model: 'hedged', stream: true }));
        assert.equal(answer.status, 200);
        const records = await until(() => {
            const found = recordsOf(headgate, 'hedge');
            return found.length === 2 ? found : null;
        }, 4000, 'two records');
        assert.deepEqual(records.map((record) => record.outcome).sort(), ['hedge_lost', 'ok']);
    });
    test('and the first attempt is over before its hedge has left: that one is not sent', async () => {
        await warm();
        upstream.play(async (exchange) => {
            await sleep(250);
            await exchange.streamHead();
            await exchange.event(ROLE + delta('a'));
            await sleep(2 * SLOW); // beyond the wait of the other one
            await exchange.event(STOP + DONE);
            return exchange.streamEnd();
        });
        const answering = ask(headgate.port, call('early', { model: 'hedged', stream: true }));
        await until(() => upstream.requests.length === 1 || null, 3000, 'the first attempt');
        disk.say({ msync: { ms: SLOW } });
        assert.equal((await answering).status, 200);
        await sleep(SLOW);
        assert.equal(upstream.requests.length, 1);
        const records = recordsOf(headgate, 'early');
        assert.deepEqual(records.map((record) => `${record.outcome} ${record.phase}`).sort(), ['hedge_lost unsent', 'ok complete']);
    });
    test('does not keep it from ending: what waits is answered first', async () => {
        const other = await Headgate.start(settings(), { env: disk.env });
        upstream.play(async (exchange) => {
            disk.say({ fdatasync: { ms: SLOW } });
            return either(exchange);
        });
        const answering = ask(other.port, call('drained'));
        await until(() => other.callLines().length === 1 || null, 3000, 'the end of the call');
        const [answer] = await Promise.all([answering, other.stop()]);
        assert.equal(answer.status, 200);
    });
});

describe('a disk that fails', () => {
    let headgate;
    before(async () => { headgate = await Headgate.start(settings(), { env: disk.env }); });
    after(async () => headgate?.stop());
    const failing = () => headgate.lines().filter((line) => line.event === 'journal_failing').length;
    const works = async () => {
        const id = `again-${Math.random()}`;
        disk.say({});
        await until(async () => (await ask(headgate.port, call(id))).status === 200 || null, 5000, 'calls are served again');
    };
    afterEach(async () => {
        await works();
        headgate.check();
    });

    test('at the record: the answer is given, later calls are refused, nothing is lost', async () => {
        upstream.play(async (exchange) => {
            disk.say({ fdatasync: { errno: EIO } });
            return either(exchange);
        });
        assert.equal((await ask(headgate.port, call('paid'))).status, 200);
        upstream.forget();
        const refused = await ask(headgate.port, call('refused'));
        assert.equal(refused.status, 503);
        assert.match(refused.body.toString(), /journal_full/);
        assert.equal(upstream.requests.length, 0);
        await until(() => failing() > 0, 3000, 'the line that the journal fails');
        assert.equal(failing(), 1);
        upstream.play(either);
        await works();
        assert.equal(recordsOf(headgate, 'paid').length, 1);
        assert.equal(recordsOf(headgate, 'refused').length, 0);
    });
    test('at the slot: nothing is sent, no record', async () => {
        upstream.play(either);
        upstream.forget();
        disk.say({ msync: { errno: EIO } });
        const refused = await ask(headgate.port, call('slot'));
        assert.equal(refused.status, 503);
        assert.match(refused.body.toString(), /journal_full/);
        assert.equal(upstream.requests.length, 0);
        await works();
        assert.equal(recordsOf(headgate, 'slot').length, 0);
    });
    test('is no reason to refuse where calls are served all the same', async () => {
        const degrading = await Headgate.start(settings({ on_full: 'degrade' }), { env: disk.env });
        upstream.play(either);
        disk.say({ msync: { errno: EIO }, fdatasync: { errno: EIO } });
        assert.equal((await ask(degrading.port, call('served'))).status, 200);
        assert.equal((await ask(degrading.port, call('streamed', { stream: true }))).status, 200);
        disk.say({});
        assert.equal((await oneRecord(degrading, 'served')).outcome, 'ok');
        await degrading.stop();
    });
});

describe('kill -9', () => {
    const ROUNDS = process.env.HEADGATE_TEST_SCALE === 'full' ? 100 : 8;

    test(`${ROUNDS} times under load: one record each, and of what was answered the true one`, { timeout: patient(ROUNDS * 3000) }, async () => {
        const dir = temporary();
        const state = path.join(dir, 'state');
        const sent = new Set();
        const answered = new Set();
        upstream.play((exchange) => {
            sent.add(header(exchange.request, 'x-client-request-id'));
            return either(exchange);
        });
        const run = async (port, name) => {
            try {
                const app = await App.connect(port);
                for (let i = 0; ; i += 1) {
                    app.send(request(call(`${name}-${i}`, { stream: i % 2 === 0 })));
                    if ((await app.answer(20000)).status === 200) {
                        answered.add(`${name}-${i}`);
                    }
                }
            } catch {
                // killed
            }
        };
        for (let round = 0; round < ROUNDS; round += 1) {
            const headgate = await Headgate.start({ ...settings(), state_dir: state });
            const apps = Array.from({ length: 24 }, (_, i) => run(headgate.port, `k${round}-${i}`));
            await sleep(30 + Math.random() * 250);
            await headgate.kill();
            await Promise.all(apps);
        }
        const last = await Headgate.start({ ...settings(), state_dir: state });
        await last.stop();
        const records = new Map();
        for (const record of recordsIn(state)) {
            records.set(record.request_id, [...(records.get(record.request_id) ?? []), record]);
        }
        assert.deepEqual([...sent].filter((id) => records.get(id)?.length !== 1), [], 'sent, and not one record');
        assert.deepEqual([...answered].filter((id) => records.get(id)?.[0].outcome !== 'ok'), [], 'answered, and its record says something else');
        fs.rmSync(dir, { recursive: true, force: true });
    });
});
