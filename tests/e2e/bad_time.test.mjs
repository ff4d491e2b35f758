// SPDX-License-Identifier: Apache-2.0
// Slow and greedy apps (bad-input.md, rows BT and BH22), scaled to seconds: cut by time and size,
// with memory and descriptors back afterwards. The rows run side by side; the two that take more
// than a minute run with HEADGATE_TEST_SLOW=1 only.
import assert from 'node:assert/strict';
import test, { after, before, describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from './lib/app.mjs';
import { requireBinary } from './lib/headgate.mjs';
import { Bench, checkRefusal } from './lib/rows.mjs';
import { GOOD, good, healthy } from './lib/samples.mjs';
import { bytes, chunk, header, patient, raw, request, until } from './lib/wire.mjs';

requireBinary();

const SLOW = process.env.HEADGATE_TEST_SLOW === '1';
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
    test('BT06 an idle connection is closed at 75 s', { skip: !SLOW, timeout: patient(120000) }, async () => {
        const app = await App.connect(bench.port);
        await bench.serves(app);
        const begun = Date.now();
        await app.closed(90000);
        const took = Date.now() - begun;
        assert.ok(took > 70000 && took < patient(80000), `closed after ${took} ms`);
    });
    test('BT03 an app that does not read is cut at 60 s', { skip: !SLOW, timeout: patient(120000) }, async () => {
        const { upstream, headgate } = await endless();
        const app = await App.connect(headgate.port);
        app.socket.pause();
        app.send(request(good('chat', { stream: true })));
        await until(() => upstream.open.size > 0, 5000, 'the provider is asked');
        const begun = Date.now();
        await until(() => upstream.open.size === 0, 90000, 'the provider is let go');
        const took = Date.now() - begun;
        assert.ok(took > 50000 && took < patient(75000), `cut after ${took} ms`);
        app.close();
        await headgate.stop();
        await upstream.stop();
    });
});

// A provider whose streams never end, and what it could write so far in `upstream.written`.
async function endless() {
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

test('BT10 2,000 resets right after the request leave nothing behind', async () => {
    const own = await Bench.start();
    await own.serves();
    const descriptors = own.headgate.descriptors();
    for (let round = 0; round < 40; round += 1) {
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
