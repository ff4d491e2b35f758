// SPDX-License-Identifier: Apache-2.0
// Slow and greedy apps (bad-input.md, rows BT and BH22), scaled to seconds: cut by time and size,
// with memory and descriptors back afterwards. The rows run side by side; the two that take more
// than a minute stand in bad_time_slow.
import assert from 'node:assert/strict';
import test, { after, before, describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from './lib/app.mjs';
import { endless } from './lib/endless.mjs';
import { Flood } from './lib/flood.mjs';
import { requireBinary } from './lib/headgate.mjs';
import { Bench, checkRefusal } from './lib/rows.mjs';
import { GOOD, good, healthy } from './lib/samples.mjs';
import { bytes, chunk, header, patient, raw, request, until } from './lib/wire.mjs';

requireBinary();

const FULL = process.env.HEADGATE_TEST_SCALE === 'full'; // the numbers of the table, see docs/testing.md
const HOST = '127.0.0.1';
const HEAD = ['POST /v1/chat/completions HTTP/1.1', `Host: ${HOST}`, 'Content-Type: application/json'];
const BODY = JSON.stringify(GOOD.chat.body);

let bench;
let small;  // small limits
before(async () => {
    bench = await Bench.start();
    small = await Bench.start({ limits: { body: '256KiB', calls: 2 } });
});
after(async () => {
    await bench?.stop(); // checks the log for secrets too
    await small?.stop();
});

// Sends `start`, then `drip` once a second until an answer or the end comes.
async function drip(port, start, piece) {
    const app = await App.connect(port);
    const begun = Date.now();
    app.send(start);
    while (app.isOpen && app.answers.length === 0 && Date.now() - begun < patient(45000)) {
        await Promise.race([sleep(1000), app.closed(60000).catch(() => {})]);
        app.send(piece);
    }
    return { app, took: (app.endedAt ?? Date.now()) - begun };
}

async function isTimedOut(port, start, piece, [least, most]) {
    const { app, took } = await drip(port, start, piece);
    checkRefusal(await app.answer(5000), { status: 408, code: 'request_timeout' });
    assert.ok(took > least && took < patient(most), `cut after ${took} ms`);
    await app.closed(2000);
    app.close();
}

describe('slow apps', { concurrency: 16 }, () => {
    test('BT01 60 slow heads are cut at 10 s while healthy calls are served', async () => {
        const slow = Promise.all(Array.from({ length: 60 }, () =>
            isTimedOut(bench.port, 'POST /v1/chat/completions HTTP/1.1\r\nX-A: ', 'b', [8000, 14000])));
        for (let i = 0; i < 10; i += 1) {
            await sleep(800);
            const begun = Date.now();
            await bench.serves();
            assert.ok(Date.now() - begun < patient(1000), 'a healthy call waits');
        }
        await slow;
    });
    test('BT02 a slow body is cut by its rate', () =>
        isTimedOut(bench.port, raw([...HEAD, 'Content-Length: 100000']), 'xxxx', [8000, 25000]));
    test('BT02 a slow chunked body too', () =>
        isTimedOut(bench.port, raw([...HEAD, 'Transfer-Encoding: chunked']), '1\r\nx\r\n', [8000, 25000]));
    test('BT04 100 silent connections are closed at 10 s', async () => {
        const begun = Date.now();
        const apps = await Promise.all(Array.from({ length: 100 }, () => App.connect(bench.port)));
        await Promise.all(apps.map((app) => app.closed(20000)));
        const took = Date.now() - begun;
        assert.ok(took > 8000 && took < patient(14000), `closed after ${took} ms`);
        apps.forEach((app) => app.close());
    });
    test('BT05 BF08 a head without its body', () =>
        isTimedOut(bench.port, raw([...HEAD, 'Content-Length: 10'], 'hello'), '', [8000, 14000]));
    test('BH22 100-continue and then no body', async () => {
        const app = await App.connect(bench.port);
        app.send(raw([...HEAD, 'Content-Length: 10', 'Expect: 100-continue']));
        checkRefusal(await app.answer(20000), { status: 408, code: 'request_timeout' });
        assert.equal(app.interim.length, 1);
        await app.closed(2000);
    });
});

// Silent connections beyond a share of the descriptors: the oldest make room, apps notice nothing.
// A program that may open FILES files takes a quarter of them from one address, half from all.
const FILES = FULL ? 20000 : 2048;

async function crowded(files = FILES) {
    return Bench.start({}, { wrap: ['sh', '-c', `ulimit -n ${files}; exec "$0" "$@"`] });
}

// Good calls on connections of their own, from each of these addresses in turn, until stop().
function callers(own, addresses) {
    const took = [];
    let faults = 0;
    let goes = true;
    const run = (async () => {
        for (let i = 0; goes; i += 1) {
            const begun = performance.now();
            try {
                const app = await App.connect(own.port, { from: addresses[i % addresses.length] });
                await own.serves(app);
                app.close();
                took.push(performance.now() - begun);
            } catch (error) {
                faults += 1;
                console.error(error);
            }
            await sleep(20);
        }
    })();
    return { async stop() {
        goes = false;
        await run;
        took.sort((a, b) => a - b);
        return { calls: took.length, faults, p50: took[took.length >> 1], p99: took[Math.floor(took.length * 0.99)] };
    } };
}

test('BT04 a flood of silent connections makes its own oldest give way, and nobody else', { timeout: patient(FULL ? 180000 : 30000) }, async () => {
    const own = await crowded();
    const count = FULL ? 50000 : 3 * FILES;
    const quiet = await App.connect(own.port, { from: '127.0.0.3' });
    const idle = await App.connect(own.port, { from: '127.0.0.2' });
    await own.serves(idle); // the quiet one was accepted before: it stands in the book
    const flood = new Flood({ port: own.port, from: ['127.0.0.2'] });
    const begun = Date.now();
    const calls = callers(own, ['127.0.0.1', '127.0.0.2']);
    const room = FILES / 4;
    await flood.grow(room - 100);
    assert.equal(flood.ended.length, 0, 'below the ceiling nobody gives way');
    for (let turn = 0; flood.opened < count; turn += 1) {
        // Some say a little, which is not a whole head either.
        flood.start = ['', 'P', 'POST / HTTP/1.1\r\n'][turn % 3];
        await flood.grow(100);
    }
    await sleep(200);
    const told = await calls.stop();
    const took = Date.now() - begun;
    assert.ok(told.calls > 5 && told.faults === 0, JSON.stringify(told));
    assert.ok(told.p99 < patient(1000), JSON.stringify(told));
    assert.ok(own.headgate.descriptors() <= room + 80, `${own.headgate.descriptors()} descriptors`);
    if (took < 9000) { // else the first of them have ended by their time
        assert.ok(flood.open.size <= room && flood.open.size > room - 20, `${flood.open.size} of ${room} are left`);
        // Connects of one batch may be accepted in another order.
        assert.ok(Math.min(...flood.open) >= count - room - 110, 'the oldest went first');
        assert.ok(quiet.isOpen, 'another address is left alone');
        await own.serves(quiet);
    }
    assert.ok(idle.isOpen, 'one that has spoken is left alone');
    await own.serves(idle);
    const lines = own.headgate.lines().filter((line) => line.event === 'silent_connections');
    assert.ok(lines.length === 1 || took > 55000, `told ${lines.length} times`);
    assert.deepEqual([lines[0].level, lines[0].peer], ['warn', '127.0.0.2']);
    assert.ok(Math.abs(lines[0].limit - room) < 5, `the limit told is ${lines[0].limit}`); // valgrind keeps some
    if (FULL) {
        console.log(`BT04: ${count} silent connections in ${took} ms; calls meanwhile: ${JSON.stringify(told)}`);
    }
    flood.stop();
    quiet.close();
    idle.close();
    own.headgate.check();
    await own.stop();
});

test('BT04 requests that arrive together are all answered, though more than may be silent', async () => {
    const own = await crowded(200); // 50 silent ones; 64 are accepted in one turn
    own.headgate.signal('SIGSTOP');
    const apps = await Promise.all(Array.from({ length: 120 }, () => App.connect(own.port)));
    apps.forEach((app) => app.send(own.request({ method: 'GET', target: '/livez' })));
    await sleep(100);
    own.headgate.signal('SIGCONT');
    for (const app of apps) {
        assert.equal((await app.answer()).status, 200);
        app.close();
    }
    own.headgate.check();
    await own.stop();
});

test('BT04 a flood from many addresses leaves room for calls too', async () => {
    const own = await crowded();
    const flood = new Flood({ port: own.port, from: Array.from({ length: 50 }, (_, i) => `127.0.1.${i + 1}`) });
    const calls = callers(own, ['127.0.0.1', '127.0.1.1']);
    await flood.grow(2 * FILES);
    const told = await calls.stop();
    assert.ok(told.calls > 5 && told.faults === 0 && told.p99 < patient(1000), JSON.stringify(told));
    assert.ok(own.headgate.descriptors() <= FILES / 2 + 80, `${own.headgate.descriptors()} descriptors`);
    flood.stop();
    own.headgate.check();
    await own.stop();
});

// The table's numbers. The slow ones come from four addresses, as one may only have a quarter of the
// descriptors, and from a process of their own, so that they do not slow down the clock of the calls.
test('BT01 10,000 slow heads are cut at 10 s while healthy calls are served', { skip: !FULL, timeout: 120000 }, async () => {
    const own = await Bench.start();
    const measure = async (ms) => {
        const calls = callers(own, ['127.0.0.1']);
        await sleep(ms);
        return calls.stop();
    };
    const alone = await measure(10000);
    const before = own.headgate.memory();
    const from = [2, 3, 4, 5].map((last) => `127.0.0.${last}`);
    const flood = Flood.apart({ port: own.port, from, start: 'POST /v1/chat/completions HTTP/1.1\r\nX-A: ', drip: 'b', every: 5000 }, 10000, 200);
    const grown = await flood.grown;
    const during = await measure(6000);
    const memory = own.headgate.memory() - before;
    await sleep(8000);
    const summary = await flood.end();
    const after = own.headgate.memory() - before;
    console.log(`BT01: ${JSON.stringify({ grown: grown.open, alone, during, memory, after, summary })}`);
    assert.equal(summary.open, 0, 'all are cut');
    assert.ok(summary.refused >= 9990, 'with a 408');
    assert.ok(summary.soonest > 8000 && summary.latest < 15000);
    assert.equal(during.faults, 0);
    assert.ok(during.p99 <= 2 * alone.p99, 'p99 at most doubles');
    own.headgate.check();
    await own.stop();
});

test('BT07 a body of exactly 32 MiB is served, one byte more is not', async () => {
    const bare = JSON.stringify({ ...GOOD.chat.body, pad: '' });
    const body = JSON.stringify({ ...GOOD.chat.body, pad: 'p'.repeat(33554432 - bare.length) });
    await bench.check({ send: request({ body }), answers: [{ status: 200 }], after: 'keep', forward: 1, ms: 20000,
        also: (answers, [seen]) => assert.ok(seen.body.equals(bytes(body))) });
    await bench.check({ send: raw([...HEAD, 'Content-Length: 33554433']), answers: [{ status: 413, code: 'body_too_large' }], after: 'close' });
});

test('BT08 a chunked body without end is cut at the limit', async () => {
    const pieces = Array.from({ length: 80 }, () => chunk('x'.repeat(8192)));
    await small.check({ send: [raw([...HEAD, 'Transfer-Encoding: chunked']), ...pieces], answers: [{ status: 413, code: 'body_too_large' }], after: 'close', ms: 5000 });
});

test('BF28 a body in chunks of one byte is cut, cheaply', async () => {
    const pieces = Array.from({ length: 60 }, () => '1\r\nx\r\n'.repeat(10000));
    const cpu = small.headgate.cpu();
    await small.check({ send: [raw([...HEAD, 'Transfer-Encoding: chunked']), ...pieces],
        answers: [{ status: [400, 413], code: ['chunk_overhead', 'body_too_large'] }], after: 'close', ms: 5000 });
    assert.ok(small.headgate.cpu() - cpu < patient(1500), `${small.headgate.cpu() - cpu} ms of CPU`);
});

test('BT11 one call more than limits.calls', async () => {
    const waiting = [];
    small.upstream.play((exchange) => { waiting.push(exchange); });
    const apps = await Promise.all([1, 2].map(() => App.connect(small.port)));
    apps.forEach((app) => app.send(request(good())));
    await until(() => waiting.length === 2, 5000, 'two calls in flight');
    const third = await App.connect(small.port);
    third.send(request(good()));
    const answer = await third.answer();
    checkRefusal(answer, { status: 503, code: 'proxy_overloaded' });
    assert.equal(header(answer, 'retry-after'), '1');
    waiting.forEach((exchange) => exchange.json({ id: 'x', choices: [{ index: 0, message: { role: 'assistant', content: 'y' }, finish_reason: 'stop' }] }));
    for (const app of apps) {
        assert.equal((await app.answer()).status, 200);
        app.close();
    }
    third.close();
    small.upstream.play(healthy);
    await small.serves();
});

test('BT09 D34 stalled readers pause their providers and cost little memory', async () => {
    const { upstream, headgate } = await endless();
    await sleep(50);
    const before = headgate.memory();
    const apps = await Promise.all(Array.from({ length: 20 }, () => App.connect(headgate.port)));
    apps.forEach((app) => {
        app.socket.pause();
        app.send(request(good('chat', { stream: true })));
    });
    await until(() => upstream.requests.length === 20, 5000, 'twenty streams');
    let last = -1;
    await until(async () => {
        const same = upstream.written === last && upstream.written > 0;
        last = upstream.written;
        await sleep(300);
        return same;
    }, 15000, 'the provider is paused');
    const each = (headgate.memory() - before) / apps.length;
    assert.ok(process.env.HEADGATE_TEST_PATIENCE || each < 640 * 1024, `${Math.round(each / 1024)} KiB a stream`);
    apps[0].socket.resume();
    await until(() => upstream.written > last + 1e6, 5000, 'one reads on');
    apps.forEach((app) => app.close());
    await until(() => upstream.open.size === 0, 5000, 'the provider is let go');
    headgate.check();
    await headgate.stop();
    await upstream.stop();
});

const RESETS = FULL ? 100000 : 2000;
test(`BT10 ${RESETS} resets right after the request leave nothing behind`, { timeout: patient(FULL ? 300000 : 30000) }, async () => {
    const own = await Bench.start();
    const upstream = own.upstream;
    await own.serves();
    const descriptors = own.headgate.descriptors();
    let memory = 0;
    for (let round = 0; round < RESETS / 50; round += 1) {
        upstream.forget();
        if (round === 40) {
            memory = own.headgate.memory(); // all that is kept for use again has been taken
        }
        const apps = await Promise.all(Array.from({ length: 50 }, () => App.connect(own.port)));
        await Promise.all(apps.map((app, i) => new Promise((resolve) => {
            app.socket.write(i % 2 ? own.request(good('chat', { stream: i % 4 === 1 })) : 'POST /v1/chat/completions HTTP/1.1\r\n', () => {
                app.reset();
                resolve();
            });
        })));
    }
    await own.serves();
    await until(() => own.headgate.descriptors() <= descriptors + 70, 5000,
        `descriptors back (${own.headgate.descriptors()} of ${descriptors})`);
    own.headgate.check();
    assert.ok(own.headgate.callLines().length <= RESETS / 2 + 10, 'one line per call, none for half a head');
    if (FULL) {
        const grown = own.headgate.memory() - memory;
        console.log(`BT10: ${RESETS} resets, ${own.headgate.callLines().length} lines, memory ${memory >> 10} KiB after 2,000, ${grown >> 10} KiB more at the end`);
        assert.ok(grown < 4 << 20, `${grown} bytes more`);
    }
    await own.stop();
});

test('E01 E03 an app that leaves cancels its provider at once', async () => {
    const own = await Bench.start();
    const before = own.upstream.requests.length;
    const half = await App.connect(own.port);
    half.send(raw([...HEAD, `Content-Length: ${BODY.length}`], BODY.slice(0, 20)));
    half.close();
    for (const stream of [false, true]) {
        let seen = null;
        own.upstream.play(async (exchange) => {
            seen = exchange;
            if (stream) {
                await exchange.streamHead();
                await exchange.event('data: {"choices":[{"index":0,"delta":{"content":"one"}}]}\n\n');
            }
        });
        for (const leave of ['close', 'finish', 'reset']) {
            seen = null;
            const app = await App.connect(own.port);
            app.send(own.request(good('chat', { stream })));
            await until(() => seen !== null, 5000, 'the provider is asked');
            if (stream) {
                await app.text('one');
            }
            app[leave]();
            await seen.closed(1000);
        }
    }
    assert.equal(own.upstream.requests.length - before, 6, 'nothing of the half request was sent');
    const lines = await until(() => own.headgate.callLines().length >= 6 && own.headgate.callLines(), 3000, 'the lines');
    assert.ok(lines.filter((line) => line.status === 499 || line.reason).length >= 6, JSON.stringify(lines));
    await own.stop();
});
