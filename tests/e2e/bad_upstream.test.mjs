// SPDX-License-Identifier: Apache-2.0
// Hostile providers (bad-input.md, rows BU): what a provider sends is input too.
import assert from 'node:assert/strict';
import test, { after, afterEach, before } from './lib/test.mjs';
import { ask } from './lib/app.mjs';
import { CANARY, Headgate, providersAt, requireBinary } from './lib/headgate.mjs';
import { checkRefusal } from './lib/rows.mjs';
import { good, healthy, upstreamFile } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { LAST_CHUNK, chunk, header, until } from './lib/wire.mjs';

requireBinary();

let upstream;
let elsewhere; // where a redirect would lead
let headgate;
before(async () => {
    upstream = await Upstream.start();
    elsewhere = await Upstream.start();
    elsewhere.play(healthy);
    headgate = await Headgate.start({ providers: providersAt(upstream) }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    await elsewhere?.stop();
});
afterEach(async () => {
    headgate.check();
    await headgate.reset();
    upstream.play(healthy);
    assert.equal((await ask(headgate.port, good())).status, 200, 'the next call is served');
});

// Each call is a row of its own: what the provider did before is not held against it.
const call = async (operation = 'chat', more = {}) => {
    await headgate.reset();
    return ask(headgate.port, good(operation, more), 10000);
};
const WHOLE = upstreamFile('openai-chat.json').toString();
const head = (...lines) => `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${WHOLE.length}\r\n${lines.map((l) => `${l}\r\n`).join('')}\r\n`;
const says = (text) => upstream.play((exchange) => exchange.send(text));

test('BU01 a folded header', async () => {
    says(head('X-A: b\r\n X-Evil: 1') + WHOLE);
    checkRefusal(await call(), { status: 502, code: 'upstream_header' });
});

test('BU02 headers that would reach into the app', async () => {
    const odd = ['Set-Cookie: a=b', 'Location: http://127.0.0.1/', 'Refresh: 0; url=http://127.0.0.1/', 'Alt-Svc: h3=":443"',
        'Access-Control-Allow-Origin: *', 'Access-Control-Allow-Credentials: true', 'Clear-Site-Data: "*"', 'WWW-Authenticate: Basic',
        'Connection: x-auth', 'X-Auth: 1', 'Proxy-Authenticate: Basic', 'Content-Security-Policy: x', 'Link: </x>; rel=preload', 'Trailer: x',
        'Strict-Transport-Security: max-age=1', 'X-Headgate-Target: forged/forged', 'X-Headgate-Call-Id: forged', 'X-Should-Retry: true'];
    for (const stream of [false, true]) {
        if (stream) {
            upstream.play(async (exchange) => {
                await exchange.streamHead(odd.map((line) => line.split(/: (.*)/s).slice(0, 2)));
                await exchange.event(upstreamFile('openai-chat.sse').toString());
                await exchange.streamEnd();
            });
        } else {
            says(head(...odd) + WHOLE);
        }
        const answer = await call('chat', { stream });
        assert.equal(answer.status, 200);
        for (const name of odd.map((line) => line.split(':')[0].toLowerCase())) {
            const value = header(answer, name);
            assert.ok(value === undefined || name.startsWith('x-headgate') || name === 'connection', `${name}: ${value}`);
            assert.ok(!/forged|x-auth/.test(value ?? ''), `${name}: ${value}`);
        }
    }
});

test('BU03 an error that quotes our key', async () => {
    for (const [operation, key] of [['chat', CANARY.provider], ['messages', CANARY.anthropic]]) {
        for (const status of [400, 401, 403, 404, 422, 429, 500, 503]) {
            const message = `Incorrect API key provided: ${key}. Header was "Authorization: Bearer ${key}"`;
            upstream.play((exchange) => exchange.json(operation === 'chat'
                ? { error: { message, type: 'invalid_request_error', param: null, code: 'x' } }
                : { type: 'error', error: { type: 'invalid_request_error', message } }, status));
            const answer = await call(operation);
            assert.ok(!answer.body.includes(key) && !answer.head.includes(key), `${status} ${operation}`);
            assert.ok(answer.status >= 400 && typeof JSON.parse(answer.body).error.message === 'string');
        }
    }
});

test('BU03 a key split over two pieces, or in an error inside a stream', async () => {
    const error = JSON.stringify({ error: { message: `bad key ${CANARY.provider}`, type: 'x', param: null, code: null } });
    upstream.play((exchange) => exchange.answer({ status: 400, body: error, framing: 'chunked', size: 11 }));
    assert.ok(!(await call()).body.includes(CANARY.provider));
    upstream.play(async (exchange) => {
        await exchange.streamHead();
        await exchange.event(`data: ${error}\n\n`);
        await exchange.streamEnd();
    });
    assert.ok(!(await call('chat', { stream: true })).body.includes(CANARY.provider));
});

test('BU04 an error of 10 MiB, and an error page with a script', async () => {
    upstream.play((exchange) => exchange.json({ error: { message: 'x'.repeat(10 << 20), type: 'server_error', param: null, code: null } }, 500));
    const large = await call();
    assert.ok(large.status >= 500, `${large.status}`);
    assert.ok(large.body.length < 80 * 1024, `${large.body.length} bytes`);
    assert.equal(typeof JSON.parse(large.body).error.message, 'string');
    for (const status of [400, 500, 503]) {
        upstream.play((exchange) => exchange.answer({ status, headers: { 'Content-Type': 'text/html' },
            body: `<html><script>alert(1)</script>${'p'.repeat(5000)}</html>` }));
        const page = await call();
        assert.ok([status, 502].includes(page.status), `${page.status} for ${status}`);
        assert.match(header(page, 'content-type'), /^application\/json/);
        assert.ok(JSON.parse(page.body).error.message.length <= 2048);
    }
});

test('BU05 a model name of 1 MiB or with line ends', async () => {
    for (const model of ['m'.repeat(1 << 20), 'a\r\nx-evil: 1', 'a\u001b[31mb', '"}{"', '%n%s', '\u2028']) {
        const body = JSON.stringify({ ...JSON.parse(WHOLE), model });
        upstream.play((exchange) => exchange.answer({ body }));
        const answer = await call();
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), body);
        assert.equal(header(answer, 'x-evil'), undefined);
        assert.ok(answer.head.length < 4096);
        await headgate.callLine(answer);
        const longest = Math.max(...headgate.stderr.split('\n').map((line) => line.length));
        assert.ok(longest < 4096, `a log line of ${longest} bytes`);
    }
});

test('BU06 events that look like ours pass as the provider\'s own', async () => {
    const events = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]}\n\n'
        + ': keep-alive\n\n'
        + 'event: headgate\ndata: {"x":1}\n\n'
        + 'data: {"choices":[{"index":0,"delta":{"content":"headgate: upstream_idle"}}]}\n\n'
        + 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
        + 'data: [DONE]\n\n';
    upstream.play((exchange) => exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked', body: events }));
    assert.equal((await call('chat', { stream: true })).body.toString(), events);
});

test('BU07 D28 forged usage does not break the call', async () => {
    for (const usage of ['{"prompt_tokens":1000000000000,"completion_tokens":1}', '{"prompt_tokens":-1,"completion_tokens":"x"}',
        '{"prompt_tokens":1e400,"completion_tokens":null}', '{"prompt_tokens":9223372036854775808}', 'null', '[]', '"x"']) {
        const body = WHOLE.replace(/"usage":\{.*\}\}$/, `"usage":${usage}}`);
        upstream.play((exchange) => exchange.answer({ body }));
        const answer = await call();
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), body);
        const line = await headgate.callLine(answer);
        for (const figure of [line.in_tokens ?? 0, line.out_tokens ?? 0]) {
            assert.ok(Number.isSafeInteger(figure) && figure >= 0, JSON.stringify(line));
        }
    }
});

test('BU08 100,000 headers, and a reason of 64 KiB', async () => {
    says(head(...Array.from({ length: 100000 }, (_, i) => `X-N${i}: v`)) + WHOLE);
    checkRefusal(await call(), { status: 502, code: 'upstream_header' });
    says(head().replace('OK', 'O'.repeat(65536)) + WHOLE);
    checkRefusal(await call(), { status: 502, code: ['upstream_header', 'upstream_protocol'] });
});

test('BU09 redirects are never followed and show no address', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
        upstream.play((exchange) => exchange.answer({ status, headers: { Location: `${elsewhere.origin}/latest/meta-data` }, body: '' }));
        const answer = await call();
        checkRefusal(answer, { status: 502, code: 'upstream_redirect' });
        assert.equal(header(answer, 'location'), undefined);
    }
    assert.equal(elsewhere.heads.length, 0);
});

test('BU11 compressed answers are refused, not inflated', async () => {
    for (const coding of ['gzip', 'br', 'zstd', 'deflate', 'gzip, gzip', 'x-odd']) {
        upstream.play((exchange) => exchange.answer({ headers: { 'Content-Encoding': coding }, body: Buffer.alloc(1000, 0x1f) }));
        checkRefusal(await call(), { status: 502, code: 'upstream_bad_body' });
    }
    upstream.play((exchange) => exchange.answer({ headers: { 'Content-Encoding': 'identity' }, body: WHOLE }));
    assert.equal((await call()).status, 200);
});

test('BU12 an upgrade nobody asked for', async () => {
    says('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello');
    checkRefusal(await call(), { status: 502, code: 'upstream_protocol' });
});

test('BU13 an answer nested a million deep passes unmetered', async () => {
    const body = WHOLE.replace('"usage"', `"deep":${'['.repeat(1e6)}${']'.repeat(1e6)},"usage"`);
    upstream.play((exchange) => exchange.answer({ body }));
    const answer = await call();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), body);
});

test('BU14 nothing a provider or an app says breaks the log', async () => {
    const odd = 'line\nline\r\n\u001b[31m"},{"event":"call" %n%s \u0000 \u2028';
    upstream.play((exchange) => exchange.json({ error: { message: odd, type: odd, param: odd, code: odd } }, 400));
    const refused = await call();
    assert.equal(refused.status, 400);
    await headgate.callLine(refused);
    upstream.play((exchange) => exchange.answer({ body: WHOLE, headers: { 'x-request-id': 'a"b\\c\tend' } }));
    const served = await ask(headgate.port, good('chat', {}, { headers: { 'User-Agent': '%n"\\', 'X-Request-Id': '"},{"a' } }));
    assert.equal(served.status, 200);
    await headgate.callLine(served);
    await until(() => headgate.lines().every((line) => line.msg !== undefined || line.event !== undefined), 1000, 'whole lines');
});

test('C36 an answer and more: nothing of it reaches another call', async () => {
    upstream.play(async (exchange) => {
        await exchange.send(head() + WHOLE + 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"evil":');
    });
    for (let i = 0; i < 5; i += 1) {
        const answer = await call();
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), WHOLE);
    }
    upstream.play((exchange) => exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
        + chunk(WHOLE).toString() + LAST_CHUNK.toString() + 'HTTP/1.1 500 Evil\r\n\r\n'));
    for (let i = 0; i < 5; i += 1) {
        assert.equal((await call()).body.toString(), WHOLE);
    }
});
