// SPDX-License-Identifier: Apache-2.0
// Faults of providers (faults.md A to D) as far as one target without retries goes: what the app
// sees, that exactly one answer comes, that the provider saw one request at most, and that the next
// healthy call succeeds. Each row names its catalogue id.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test, { after, before, describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { blackhole } from './lib/blackhole.mjs';
import { makeCertificates } from './lib/certs.mjs';
import { CANARY, Headgate, freePort, providersAt, requireBinary, temporary } from './lib/headgate.mjs';
import { checkRefusal, errorOf } from './lib/rows.mjs';
import { good, healthy, upstreamFile } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { chunk, header, patient, request, until } from './lib/wire.mjs';

requireBinary();

// Short enough for a test, long enough for a loaded machine.
const TIMEOUTS = { connect: '700ms', write: '900ms', head: '900ms', first_content: '900ms', idle: '700ms',
    content_idle: '1500ms', total: '2500ms', stream_total: '6s' };
const ms = (text) => Number(text.replace('ms', '').replace('s', '000'));
const scaled = Object.fromEntries(Object.entries(TIMEOUTS).map(([name, value]) => [name, `${patient(ms(value))}ms`]));
const route = (provider) => ({ targets: [{ provider }], timeouts: scaled });
const WHOLE = upstreamFile('openai-chat.json').toString();
const secret = (base_url, more = {}) => ({ kind: 'openai', base_url, credential: CANARY.provider, ...more });

let dir;
let certificates;
let upstream;
let headgate;
before(async () => {
    dir = temporary();
    certificates = makeCertificates(dir);
    upstream = await Upstream.start();
    upstream.play(healthy);
    headgate = await Headgate.start({
        providers: { ...providersAt(upstream), own: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: 'passthrough' } },
        routes: { quick: route('openai'), 'quick-claude': route('anthropic'), 'quick-own': route('own') },
        limits: { response: '1MiB' },
    });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

const call = (operation = 'chat', more = {}) =>
    ask(headgate.port, good(operation, { model: operation === 'messages' ? 'quick-claude' : 'quick', ...more }), 15000);

async function recovers() {
    headgate.check();
    upstream.check();
    upstream.play(healthy);
    for (let i = 0; i < 2; i += 1) {
        const answer = await call();
        assert.equal(answer.status, 200, `the next healthy call: ${answer.body}`);
    }
}

// Plays a script, makes one call, judges the refusal in both dialects where the fault is not of a
// dialect, and checks that the provider saw the request once.
async function refusesWith(script, status, code, { stream = false, seen = 1, operations = ['chat', 'messages'] } = {}) {
    for (const operation of operations) {
        await recovers();
        upstream.dropConnections();
        await sleep(20);
        upstream.forget();
        upstream.play(script);
        const answer = await call(operation, stream ? { stream: true } : {});
        checkRefusal(answer, { status, code, dialect: operation === 'messages' ? 'anthropic' : 'openai' });
        if (seen !== null) {
            assert.equal(upstream.heads.length, seen, 'requests at the provider');
        }
        const line = await headgate.callLine(header(answer, 'x-headgate-call-id'));
        assert.equal(line.status, answer.status);
    }
    await recovers();
}

const says = (text) => (exchange) => exchange.send(text);
const saysAndEnds = (text) => async (exchange) => {
    await exchange.send(text);
    exchange.end();
};
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const counted = (lines = '', body = WHOLE) => `${HEAD}${lines}Content-Length: ${body.length}\r\n\r\n${body}`;

// ---- A: reaching the provider. Each has a headgate of its own, since each has an address of its own. ----

describe('A: reaching the provider', () => {
    async function at(provider, status, code, then = {}) {
        const own = await Headgate.start({ providers: { sick: provider }, routes: { quick: route('sick') }, ...then.settings });
        try {
            for (const stream of [false, true]) {
                const begun = Date.now();
                const answer = await ask(own.port, good('chat', { model: 'quick', stream }), 10000);
                if (status === 200) {
                    assert.equal(answer.status, 200, answer.body.toString());
                } else {
                    checkRefusal(answer, { status, code });
                }
                assert.ok(Date.now() - begun < patient(4000));
            }
            own.check();
            await own.stop();
        } catch (error) {
            error.message += `; log: ${own.stderr.slice(-600)}`;
            await own.kill();
            throw error;
        }
    }

    test('A08 connect refused', async () => at(secret(`http://127.0.0.1:${await freePort()}/v1`), 502, 'upstream_connect'));
    test('A09 a black hole', async () => {
        const hole = await blackhole();
        await at(secret(`http://127.0.0.1:${hole.port}/v1`), 504, 'upstream_connect_timeout');
        hole.stop();
    });
    test('A11 accept, then reset', async () => {
        const server = await Upstream.start();
        server.play({ accept: (socket) => socket.resetAndDestroy() });
        await at(secret(`${server.origin}/v1`), 502, ['upstream_reset', 'upstream_closed']);
        await server.stop();
    });

    const rawServer = async (accept) => {
        const server = net.createServer(accept);
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        return { url: `https://127.0.0.1:${server.address().port}/v1`, stop: () => new Promise((resolve) => server.close(resolve)) };
    };
    test('A12 a TLS hello that is not answered', async () => {
        const open = new Set();
        const server = await rawServer((socket) => { open.add(socket); socket.on('error', () => {}); socket.resume(); });
        await at(secret(server.url, { ca_file: certificates.caFile }), 504, 'upstream_tls_timeout');
        open.forEach((socket) => socket.destroy());
        await server.stop();
    });
    test('A18 a reset half-way through the handshake', async () => {
        const server = await rawServer((socket) => { socket.on('error', () => {}); socket.once('data', () => socket.resetAndDestroy()); });
        await at(secret(server.url, { ca_file: certificates.caFile }), 502, 'upstream_tls');
        await server.stop();
    });
    test('A19 plain HTTP on the TLS port', async () => {
        const server = await rawServer((socket) => { socket.on('error', () => {}); socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')); });
        await at(secret(server.url, { ca_file: certificates.caFile }), 502, 'upstream_tls');
        await server.stop();
    });

    for (const [id, name, host, more, status, code] of [
        ['A13', 'expired', '127.0.0.1', {}, 502, 'upstream_tls_verify'],
        ['A14 BU10', 'wrong_host', '127.0.0.1', {}, 502, 'upstream_tls_verify'],
        ['A14', 'wrong_host', 'localhost', {}, 502, 'upstream_tls_verify'],
        ['BU10', 'common_name_only', '127.0.0.1', {}, 502, 'upstream_tls_verify'],
        ['A15', 'foreign', '127.0.0.1', {}, 502, 'upstream_tls_verify'],
        ['A16', 'not_yet', '127.0.0.1', {}, 502, 'upstream_tls_verify'],
        ['A17', 'good', '127.0.0.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, 502, ['upstream_tls_verify', 'upstream_tls']],
        ['A20', 'good', 'localhost', {}, 200],
        ['A20', 'good', '127.0.0.1', { maxVersion: 'TLSv1.2' }, 200],
        ['A20', 'good', '127.0.0.1', { minVersion: 'TLSv1.3' }, 200],
    ]) {
        test(`${id} TLS to ${host}: ${name} ${JSON.stringify(more)}`, async () => {
            const server = await Upstream.start({ tls: { ...certificates[name], ALPNProtocols: ['h2', 'http/1.1'], ...more } });
            server.play(healthy);
            await at(secret(`https://${host}:${server.port}/v1`, { ca_file: certificates.caFile }), status, code);
            if (status === 200) {
                assert.ok(server.requests.every((one) => one.alpn === 'http/1.1'), 'ALPN offers http/1.1 alone');
            } else {
                assert.equal(server.heads.length, 0, 'no byte of the request went out');
            }
            await server.stop();
        });
    }
    test('A15 a good certificate without its CA', async () => {
        const server = await Upstream.start({ tls: certificates.good });
        await at(secret(`https://127.0.0.1:${server.port}/v1`), 502, 'upstream_tls_verify');
        await server.stop();
    });

    test('A22 an egress proxy that refuses, and one that works', async () => {
        const target = await Upstream.start({ tls: certificates.good });
        target.play(healthy);
        let refuse = true;
        const asked = [];
        const proxy = net.createServer((socket) => {
            socket.on('error', () => {});
            socket.once('data', (data) => {
                asked.push(data.toString('latin1'));
                if (refuse) {
                    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
                    return;
                }
                const [, port] = /^CONNECT 127\.0\.0\.1:(\d+) /.exec(data.toString('latin1'));
                const onward = net.connect({ host: '127.0.0.1', port: Number(port) }, () => {
                    socket.write('HTTP/1.1 200 OK\r\n\r\n');
                    socket.pipe(onward).pipe(socket);
                });
                onward.on('error', () => socket.destroy());
                socket.on('close', () => onward.destroy());
            });
        });
        await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const settings = { egress: { proxy: `http://127.0.0.1:${proxy.address().port}` } };
        const provider = secret(`${target.origin}/v1`, { ca_file: certificates.caFile });
        await at(provider, 502, 'egress_proxy', { settings });
        assert.equal(target.connections, 0);
        refuse = false;
        await at(provider, 200, undefined, { settings });
        assert.ok(asked.every((text) => text.startsWith(`CONNECT 127.0.0.1:${target.port} `) && !text.includes(CANARY.provider)), asked.join());
        await target.stop();
        await new Promise((resolve) => proxy.close(resolve));
    });
});

// ---- B: sending and waiting ----

const BIG = { zz: 'b'.repeat(12 << 20) };

describe('B: sending and waiting', () => {
    async function big(script, status, code, own = 'quick') {
        await recovers();
        upstream.forget();
        upstream.play({ head: script });
        const answer = await call('chat', { ...BIG, model: own });
        checkRefusal(answer, { status, code });
        await recovers();
    }
    test('B01 the provider stops reading', () => big(() => false, 504, 'upstream_write_timeout'));
    test('B02 a reset while the body is written', () => big((exchange) => exchange.reset(), 502, 'upstream_reset'));
    test('B03 an early 413, then close', async () => {
        const error = JSON.stringify({ error: { message: 'too large', type: 'invalid_request_error', param: null, code: 'request_too_large' } });
        upstream.play({ head: async (exchange) => {
            await exchange.answer({ status: 413, body: error });
            await sleep(300);
            exchange.end();
        } });
        const answer = await call('chat', BIG);
        assert.equal(answer.status, 413, answer.body.toString());
        assert.equal(answer.body.toString(), error);
        await recovers();
    });
    test('B04 an early 401', () => big((exchange) => exchange.json({ error: { message: 'no', type: 'authentication_error', param: null, code: null } }, 401), 502, 'upstream_auth'));
    test('B05 close without a byte', () => refusesWith((exchange) => exchange.end(), 502, 'upstream_closed'));
    test('B05 the same for a stream', () => refusesWith((exchange) => exchange.end(), 502, 'upstream_closed', { stream: true }));
    test('B02 reset without a byte', () => refusesWith((exchange) => exchange.reset(), 502, 'upstream_reset'));
    test('B06 an idle connection that the provider closed is replaced unseen', async () => {
        await recovers();
        for (let i = 0; i < 5; i += 1) {
            upstream.dropConnections();
            await sleep(50);
            const answer = await call();
            assert.equal(answer.status, 200);
            assert.equal(header(answer, 'x-headgate-attempts'), '1');
        }
    });
    for (const [id, how, code] of [['B07', 'reset', 'upstream_reset'], ['B08', 'end', 'upstream_closed']]) {
        test(`${id} a reused connection that ends after the body: one request on the wire`, async () => {
            await recovers();
            upstream.forget();
            const reused = upstream.open.size;
            upstream.play((exchange) => exchange[how]());
            const answer = await call();
            checkRefusal(answer, { status: 502, code });
            await sleep(100);
            assert.equal(upstream.requests.length, 1, 'a POST is never sent twice');
            assert.ok(reused >= 1 && upstream.connections === 0, 'the connection was reused');
            await recovers();
        });
    }
    test('B09 a hang', () => refusesWith(() => {}, 504, 'upstream_timeout'));
    test('B10 an answer after the timeout is dropped', async () => {
        await refusesWith((exchange) => {
            sleep(patient(1500)).then(() => exchange.json({ late: true }));
        }, 504, 'upstream_timeout', { operations: ['chat'] });
        await sleep(patient(800));
        await recovers();
    });
    test('B11 100 Continue, then a hang', () => refusesWith(says('HTTP/1.1 100 Continue\r\n\r\n'), 504, 'upstream_timeout'));
    test('B12 interim answers are skipped', async () => {
        upstream.play(says('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' + counted()));
        const answer = await call();
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), WHOLE);
        await recovers();
    });
    test('B12 endless interim answers are not', () =>
        refusesWith(says('HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)), 502, ['upstream_protocol', 'upstream_header']));
    for (const [name, text] of [['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'],
        ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], ['an HTTP/2 frame', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d'.padEnd(64, '\0')]]) {
        test(`B13 ${name} in place of an answer`, () => refusesWith(says(text), 502, 'upstream_protocol'));
    }
});

// ---- C: whole answers ----

const providerError = (type, code, message = 'from the provider') => JSON.stringify({ error: { message, type, param: null, code } });
const claudeError = (type, message = 'from the provider') => JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_1' });
const HTML = '<html><body>login</body></html>';
const html = (status) => (exchange) => exchange.answer({ status, headers: { 'Content-Type': 'text/html' }, body: HTML });

describe('C: whole answers', () => {
    for (const [id, status, type, code] of [['C01', 400, 'invalid_request_error', 'bad_thing'], ['C02', 400, 'invalid_request_error', 'context_length_exceeded'],
        ['C07', 404, 'invalid_request_error', 'model_not_found'], ['C09', 409, 'invalid_request_error', 'conflict'], ['C10', 413, 'invalid_request_error', 'request_too_large'],
        ['C11', 422, 'invalid_request_error', 'x'], ['C22', 500, 'server_error', null]]) {
        test(`${id} a provider's own ${status} goes back as it is`, async () => {
            for (const [operation, body] of [['chat', providerError(type, code)], ['messages', claudeError(type)]]) {
                for (const stream of [false, true]) {
                    upstream.play((exchange) => exchange.answer({ status, body }));
                    const answer = await call(operation, { stream });
                    assert.equal(answer.status, status);
                    assert.equal(answer.body.toString(), body);
                    assert.match(header(answer, 'content-type'), /^application\/json/);
                }
            }
            await recovers();
        });
    }
    for (const [id, status, code, body] of [['C04', 401, 'upstream_auth', providerError('authentication_error', 'invalid_api_key')],
        ['C05', 403, 'upstream_auth', providerError('permission_error', 'unsupported_country')],
        ['C06', 402, 'upstream_quota', providerError('billing_error', 'billing')],
        ['C17', 429, 'upstream_quota', providerError('insufficient_quota', 'insufficient_quota')]]) {
        test(`${id} ${status} of our own credential`, () =>
            refusesWith((exchange) => exchange.answer({ status, body }), code === 'upstream_auth' ? 502 : 503, code, { operations: ['chat'] }));
        test(`${id} ${status} of the app's own credential goes back as it is`, async () => {
            upstream.play((exchange) => exchange.answer({ status, body }));
            const answer = await call('chat', { model: 'quick-own' });
            assert.equal(answer.status, status);
            assert.equal(answer.body.toString(), body);
            await recovers();
        });
    }
    test('C04 C06 the same on the Anthropic dialect', async () => {
        await refusesWith((exchange) => exchange.answer({ status: 401, body: claudeError('authentication_error') }), 502, undefined, { operations: ['messages'] });
        await refusesWith((exchange) => exchange.answer({ status: 402, body: claudeError('billing_error') }), 503, undefined, { operations: ['messages'] });
    });
    for (const [id, hint, told] of [['C12', { 'Retry-After': '3' }, '3'], ['C14', { 'retry-after-ms': '250', 'Retry-After': '9' }, '1'],
        ['C13', () => ({ 'Retry-After': new Date(Date.now() + 10000).toUTCString() }), /^(8|9|10|11)$/], ['C15', { 'Retry-After': '7200' }, '60']]) {
        test(`${id} 429 with ${JSON.stringify(typeof hint === 'function' ? 'a date' : hint)}`, async () => {
            const body = providerError('requests', 'rate_limit_exceeded');
            const headers = typeof hint === 'function' ? hint() : hint;
            upstream.play((exchange) => exchange.answer({ status: 429, body, headers }));
            const answer = await call();
            assert.equal(answer.status, 429);
            assert.equal(answer.body.toString(), body);
            assert.match(header(answer, 'retry-after') ?? 'none', typeof told === 'string' ? new RegExp(`^${told}$`) : told);
            if (told === '60') {
                assert.equal(header(answer, 'x-should-retry'), 'false');
                assert.equal(header(answer, 'x-headgate-upstream-retry-after'), '7200');
            }
            await recovers();
        });
    }
    for (const status of [502, 503, 504, 520, 521, 524, 525, 526]) {
        test(`C24 C27 ${status} of an edge`, () => refusesWith(html(status), 502, 'upstream_error'));
    }
    test('C24 an empty 503', () => refusesWith((exchange) => exchange.answer({ status: 503 }), 502, 'upstream_error'));
    test('C26 529 on the OpenAI dialect', () => refusesWith((exchange) =>
        exchange.answer({ status: 529, body: providerError('overloaded_error', null) }), 503, 'upstream_overloaded', { operations: ['chat'] }));
    test('C26 529 on the Anthropic dialect', async () => {
        upstream.play((exchange) => exchange.answer({ status: 529, body: claudeError('overloaded_error') }));
        const answer = await call('messages');
        assert.equal(answer.status, 529);
        assert.equal(errorOf(answer, 'anthropic').type, 'overloaded_error');
        await recovers();
    });
    for (const status of [301, 302, 307, 308]) {
        test(`C28 ${status}`, () => refusesWith((exchange) =>
            exchange.answer({ status, headers: { Location: 'http://127.0.0.1:1/' } }), 502, 'upstream_redirect'));
    }
    test('C29 200 with an error inside', () => refusesWith((exchange) =>
        exchange.json({ error: { message: 'inner', type: 'server_error', code: 502 } }), 502, undefined, { operations: ['chat'] }));
    test('C30 200 with a rate limit inside', async () => {
        upstream.play((exchange) => exchange.json({ error: { message: 'slow down', type: 'rate_limit_error', code: 429 } }));
        assert.equal((await call()).status, 429);
        await recovers();
    });
    const BAD_BODIES = [['C31 a login page', html(200)], ['C32 an empty body', (exchange) => exchange.answer({})],
        ['C31 JSON called text/plain that is none', (exchange) => exchange.answer({ headers: { 'Content-Type': 'text/plain' }, body: 'hello' })],
        ['C33 JSON that stops', (exchange) => exchange.answer({ body: WHOLE.slice(0, -20) })],
        ['C37 gzip', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'gzip' }, body: Buffer.from('1f8b0800', 'hex') })],
        ['C38 a bomb', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'gzip' }, body: Buffer.alloc(200000, 0x1f) })],
        ['C39 an unknown coding', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'x-odd' }, body: WHOLE })],
        ['C46 no choices, no content', (exchange) => exchange.json({ id: 'x', object: 'chat.completion' })],
        ['D29 a stream though a whole answer was asked', (exchange) => exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, body: upstreamFile('openai-chat.sse') })]];
    for (const [name, script] of BAD_BODIES) {
        test(name, () => refusesWith(script, 502, 'upstream_bad_body'));
    }
    test('C33 cut before Content-Length', () => refusesWith(saysAndEnds(counted().slice(0, -5)), 502, 'upstream_truncated'));
    test('C33 reset before Content-Length', () => refusesWith(async (exchange) => {
        await exchange.send(counted().slice(0, -5));
        await sleep(50);
        exchange.reset();
    }, 502, ['upstream_truncated', 'upstream_reset']));
    test('C34 no last chunk', () => refusesWith(saysAndEnds(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(WHOLE)}`), 502, 'upstream_truncated'));
    test('C35 more bytes than told are dropped and the connection is not reused', async () => {
        await recovers();
        upstream.forget();
        upstream.play(says(`${counted()}surplus`));
        for (let i = 0; i < 3; i += 1) {
            const answer = await call();
            assert.equal(answer.status, 200);
            assert.equal(answer.body.toString(), WHOLE);
        }
        assert.ok(upstream.connections >= 2, `${upstream.connections} connections`);
        await recovers();
    });
    for (const lines of ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'Transfer-Encoding: chunked, gzip\r\n',
        'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: +5\r\n', 'Content-Length: 99999999999999999999\r\n', 'Transfer-Encoding: xchunked\r\n']) {
        test(`C36 ${JSON.stringify(lines)}`, () => refusesWith(saysAndEnds(`${HEAD}${lines}\r\n5\r\nhello\r\n0\r\n\r\n`), 502, 'upstream_framing'));
    }
    test('C40 more than limits.response', () => refusesWith((exchange) =>
        exchange.answer({ body: JSON.stringify({ choices: [], pad: 'p'.repeat(2 << 20) }) }), 502, 'upstream_too_large'));
    test('C40 the same in chunks without end', () => refusesWith(async (exchange) => {
        await exchange.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
        for (let i = 0; i < 400 && exchange.isOpen; i += 1) {
            await exchange.event('x'.repeat(65536));
        }
    }, 502, 'upstream_too_large', { operations: ['chat'] }));
    test('C41 a head of 1 MiB', () => refusesWith(says(counted(`X-A: ${'b'.repeat(1 << 20)}\r\n`)), 502, 'upstream_header'));
    test('C41 10,000 lines', () => refusesWith(says(counted('X-A: b\r\n'.repeat(10000))), 502, 'upstream_header'));
    for (const line of ['X-A: b\0c', 'X-A: b\rX: c', 'X A: b', ': b', 'no colon', 'X-A : b', ' folded: x']) {
        test(`C42 ${JSON.stringify(line)}`, () => refusesWith(says(counted(`${line}\r\n`)), 502, 'upstream_header'));
    }
    for (const line of ['HTTP/1.1 999999 X', 'HTTP/1.1 000 X', 'HTTP/1.1 2x0 OK', 'HTTP/3.0 200 OK', 'garbage', '{"choices":[]}', 'HTTP/1.1  200 OK', 'ICY 200 OK', 'HTTP/1.1 99 X']) {
        test(`C43 status line ${JSON.stringify(line)}`, () => refusesWith(saysAndEnds(`${line}\r\n${counted().split('\r\n').slice(1).join('\r\n')}`), 502, 'upstream_protocol'));
    }
    test('C43 status 999', () => refusesWith((exchange) => exchange.answer({ status: 999, body: '{}' }), 502, undefined));
    for (const status of [204, 205, 304]) {
        test(`C44 ${status} unasked`, () => refusesWith(saysAndEnds(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n{}`), 502, undefined));
    }
    test('C45 a slow drip ends at the deadline', () => refusesWith(async (exchange) => {
        await exchange.send(`${HEAD}Content-Length: ${WHOLE.length}\r\n\r\n`);
        for (let i = 0; exchange.isOpen && i < WHOLE.length; i += 1) {
            await exchange.send(WHOLE[i]);
            await sleep(patient(300));
        }
    }, 504, 'upstream_timeout', { operations: ['chat'] }));
    for (const [id, body] of [['C47', WHOLE.replace('Hello from the mock.', '')],
        ['C49', WHOLE.replace('lab-model', 'another-model')], ['C48', WHOLE.replace('mock', '\\ud800')]]) {
        test(`${id} an odd but usable answer passes unchanged`, async () => {
            upstream.play((exchange) => exchange.answer({ body }));
            const answer = await call();
            assert.equal(answer.status, 200, answer.body.toString());
            assert.equal(answer.body.toString(), body);
            await recovers();
        });
    }
    test('C51 trailers are ignored', async () => {
        upstream.play(says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(WHOLE)}0\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n\r\n`));
        const answer = await call();
        assert.equal(answer.body.toString(), WHOLE);
        assert.equal(header(answer, 'set-cookie'), undefined);
        await recovers();
    });
});

// ---- D: streams ----

const delta = (text) => `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`;
const ROLE = 'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';
const STOP = 'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const DONE = 'data: [DONE]\n\n';
const twenty = Array.from({ length: 20 }, (_, i) => delta(`t${i} `)).join('');

const claude = upstreamFile('anthropic-message.sse').toString();
const claudeStart = claude.slice(0, claude.indexOf('event: content_block_delta'));
const claudeTwo = claude.slice(0, claude.indexOf('event: content_block_stop'));
const responses = upstreamFile('openai-responses.sse').toString();
const responsesTwo = responses.slice(0, responses.indexOf('event: response.output_text.done'));
const responsesStart = responses.slice(0, responses.indexOf('event: response.output_item.added'));

// operation → what was sent before the fault: nothing that counts (start), content (content).
const STREAMS = {
    chat: { start: ROLE, content: ROLE + twenty },
    responses: { start: responsesStart, content: responsesTwo },
    messages: { start: claudeStart, content: claudeTwo },
};

// What must come after the content when a stream breaks: the dialect's own form of an error.
function checkStreamError(operation, tail, codes) {
    const data = /^data: (.*)$/m.exec(tail)?.[1];
    assert.ok(data, `an error event: ${JSON.stringify(tail)}`);
    const event = JSON.parse(data);
    assert.ok(!tail.includes('[DONE]'), 'no [DONE] after an error');
    assert.ok(tail.endsWith('\n\n'));
    if (operation === 'messages') {
        assert.match(tail, /^event: error\n/);
        assert.equal(event.type, 'error');
        assert.match(event.error.message, /^headgate: /);
    } else if (operation === 'responses') {
        assert.match(tail, /^event: response\.failed\n/);
        assert.equal(event.response.status, 'failed');
        assert.equal(event.response.id, 'resp_lab1');
        assert.ok(codes.includes(event.response.error.code), event.response.error.code);
    } else {
        assert.ok(codes.includes(event.error.code), event.error.code);
        assert.match(event.error.message, /^headgate: /);
    }
}

describe('D: streams', () => {
    const stream = (operation = 'chat', more = {}) => call(operation, { stream: true, ...more });
    const modelOf = (operation) => (operation === 'responses' ? { model: 'quick' } : {});

    // The stream breaks after content: the content arrives unchanged, then one error, then the
    // message ends properly and the connection lives on.
    function breaks(id, how, codes) {
        for (const operation of Object.keys(STREAMS)) {
            test(`${id} after content, ${operation}`, async () => {
                const { content } = STREAMS[operation];
                upstream.play(async (exchange) => {
                    await exchange.streamHead();
                    await exchange.event(content);
                    await sleep(30);
                    await how(exchange);
                });
                const app = await App.connect(headgate.port);
                app.send(request(good(operation, { model: operation === 'messages' ? 'quick-claude' : 'quick', stream: true })));
                const answer = await app.answer(15000);
                assert.equal(answer.status, 200);
                const text = answer.body.toString();
                assert.ok(text.startsWith(content), 'what came before is unchanged');
                const tail = text.slice(content.length).replace(/^(: keep-alive\n\n|event: ping\ndata: .*\n\n)*/, '');
                checkStreamError(operation, tail, codes);
                upstream.play(healthy);
                app.send(request(good()));
                assert.equal((await app.answer()).status, 200, 'the connection lives on');
                app.close();
                await recovers();
            });
        }
    }

    // The stream breaks before content: a true status.
    function neverBegins(id, how, status, code) {
        test(`${id} before content`, () => refusesWith(how, status, code, { stream: true }));
    }
    const begin = (then, start = true) => async (exchange) => {
        await exchange.streamHead();
        if (start) {
            await exchange.event(exchange.request.target.includes('messages') ? claudeStart : ROLE);
        }
        await then(exchange);
    };

    test('D01 the first event tells of an overload', async () => {
        upstream.play(begin((exchange) => exchange.event('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n')
            .then(() => exchange.streamEnd()), false));
        const answer = await stream('messages');
        assert.ok([503, 529].includes(answer.status), `${answer.status}`);
        assert.equal(errorOf(answer, 'anthropic').type, 'overloaded_error');
        upstream.play(begin((exchange) => exchange.event('data: {"error":{"message":"busy","type":"server_error","param":null,"code":"server_is_overloaded"}}\n\n')
            .then(() => exchange.streamEnd()), false));
        assert.ok([502, 503].includes((await stream()).status));
        await recovers();
    });
    test('D02 the first event tells of a rate limit', async () => {
        upstream.play(begin((exchange) => exchange.event('event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"slow"}}\n\n')
            .then(() => exchange.streamEnd()), false));
        const answer = await stream('messages');
        assert.equal(answer.status, 429);
        assert.equal(errorOf(answer, 'anthropic').type, 'rate_limit_error');
        upstream.play(begin((exchange) => exchange.event('data: {"error":{"message":"slow","type":"requests","param":null,"code":"rate_limit_exceeded"}}\n\n')
            .then(() => exchange.streamEnd())));
        assert.equal((await stream()).status, 429);
        await recovers();
    });
    neverBegins('D03 no event', begin((exchange) => exchange.streamEnd(), false), 502, 'upstream_empty_stream');
    neverBegins('D03 only a start, then a proper end,', begin((exchange) => exchange.streamEnd()), 502, ['upstream_empty_stream', 'upstream_truncated']);
    neverBegins('D04 comments and pings for ever', begin(async (exchange) => {
        while (exchange.isOpen) {
            await exchange.event(exchange.request.target.includes('messages') ? 'event: ping\ndata: {"type":"ping"}\n\n' : ': ping\n\n');
            await sleep(50);
        }
    }, false), 504, 'upstream_timeout');
    neverBegins('D05 a start, then a reset,', begin(async (exchange) => {
        await sleep(50);
        exchange.reset();
    }), 502, ['upstream_reset', 'upstream_truncated']);
    neverBegins('D06 silence', begin(() => {}), 504, 'upstream_timeout');

    breaks('D07 a reset', (exchange) => exchange.reset(), ['upstream_reset', 'upstream_truncated']);
    breaks('D07 a FIN inside the chunked body', (exchange) => exchange.end(), ['upstream_truncated', 'upstream_closed']);
    breaks('D08 silence', () => {}, ['upstream_idle']);
    breaks('D09 only comments', async (exchange) => {
        while (exchange.isOpen) {
            await exchange.event(exchange.request.target.includes('messages') ? 'event: ping\ndata: {"type":"ping"}\n\n' : ': keep-alive\n\n');
            await sleep(100);
        }
    }, ['upstream_idle']);
    breaks('D12 a proper end without a finish', (exchange) => exchange.streamEnd(), ['upstream_truncated']);
    breaks('D36 garbage in place of a chunk', (exchange) => exchange.send('zz\r\n'), ['upstream_framing', 'upstream_truncated', 'upstream_protocol']);

    // Streams that are odd and complete: [id, operation, body, what must arrive (the same when absent)].
    const PASSING = [
        ['D10 an error event after content', 'chat', `${ROLE}${twenty}data: {"error":{"message":"died","type":"server_error","param":null,"code":"x"}}\n\n`],
        ['D11 no [DONE] though finished', 'chat', ROLE + twenty + STOP, ROLE + twenty + STOP + DONE],
        ['D13 [DONE] before the usage chunk', 'chat', `${ROLE}${twenty}${STOP}${DONE}data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`, ROLE + twenty + STOP + DONE],
        ['D14 bytes after [DONE]', 'chat', `${ROLE}${twenty}${STOP}${DONE}surplus: x\n\n`, ROLE + twenty + STOP + DONE],
        ['D15 one event of broken JSON', 'chat', `${ROLE}${delta('a')}data: {"choices":[{\n\n${delta('b')}${STOP}${DONE}`],
        ['D17 CRLF line ends', 'chat', (ROLE + twenty + STOP + DONE).replaceAll('\n', '\r\n')],
        ['D17 lone CR line ends', 'chat', (ROLE + twenty + STOP + DONE).replaceAll('\n', '\r')],
        ['D17 a BOM and mixed line ends', 'chat', `\ufeff${ROLE.replaceAll('\n', '\r\n')}${twenty}${STOP.replaceAll('\n', '\r')}${DONE}`],
        ['D18 an event of 3 MiB', 'chat', ROLE + delta('i'.repeat(3 << 20)) + STOP + DONE],
        ['D20 unknown names, retry, id', 'chat', `retry: 100\n\nid: 7\nevent: odd\ndata: {"x":1}\n\n: comment\n\n${ROLE}${twenty}${STOP}${DONE}`],
        ['D21 data in several lines', 'chat', `${ROLE}data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n${STOP}${DONE}`],
        ['D32 tool arguments that never close', 'chat', `${ROLE}data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\\"a"}}]}}]}\n\n${STOP}${DONE}`],
        ['D10 an error event after content', 'messages', upstreamFile('anthropic-error-in-stream.sse').toString()],
        ['D17 CRLF line ends', 'messages', claude.replaceAll('\n', '\r\n')],
        ['D20 an unknown event', 'messages', claude.replace('event: content_block_stop', 'event: odd\ndata: {"type":"odd"}\n\nevent: content_block_stop')],
        ['D17 CRLF line ends', 'responses', responses.replaceAll('\n', '\r\n')],
    ];
    for (const [name, operation, body, arrives = body] of PASSING) {
        test(`${name}, ${operation}`, async () => {
            upstream.play(begin(async (exchange) => {
                await exchange.event(body);
                await exchange.streamEnd();
            }, false));
            const answer = await stream(operation, modelOf(operation));
            assert.equal(answer.status, 200, answer.body.toString().slice(0, 500));
            assert.equal(answer.body.toString(), Buffer.from(arrives).toString());
            await recovers();
        });
    }
    test('D11 no message_stop though finished', async () => {
        const cut = claude.slice(0, claude.indexOf('event: message_stop'));
        upstream.play(begin((exchange) => exchange.event(cut).then(() => exchange.streamEnd()), false));
        const text = (await stream('messages')).body.toString();
        assert.ok(text.startsWith(cut));
        assert.match(text.slice(cut.length), /^event: message_stop\ndata: \{"type": ?"message_stop"\}\n\n$/);
        await recovers();
    });
    test('D16 one byte at a time, also inside UTF-8 and CRLF', async () => {
        const body = (ROLE + delta('\u00e9\u20ac\u{1F600}') + STOP + DONE).replaceAll('\n', '\r\n');
        upstream.play((exchange) => exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'close', size: 1, body }));
        assert.equal((await stream()).body.toString(), body);
        await recovers();
    });
    test('D18 a gate of more than 1 MiB opens by itself', async () => {
        const head = ': x\n\n'.repeat(300000);
        upstream.play(begin(async (exchange) => {
            await exchange.event(head);
            await exchange.event(ROLE + twenty + STOP + DONE);
            await exchange.streamEnd();
        }, false));
        assert.equal((await stream()).body.toString(), head + ROLE + twenty + STOP + DONE);
        await recovers();
    });
    test('D19 50,000 tiny events at full speed', async () => {
        const many = Array.from({ length: 100 }, () => delta('x').repeat(500));
        upstream.play(begin(async (exchange) => {
            for (const piece of many) {
                await exchange.event(piece);
            }
            await exchange.event(STOP + DONE);
            await exchange.streamEnd();
        }));
        const before = headgate.memory();
        const answer = await stream();
        assert.equal(answer.body.length, Buffer.byteLength(ROLE + many.join('') + STOP + DONE));
        assert.ok(process.env.HEADGATE_TEST_PATIENCE || headgate.memory() - before < 8 << 20);
        await recovers();
    });
    test('D34 a slow app slows the provider, and loses nothing', async () => {
        const piece = delta('y'.repeat(16000));
        let written = 0;
        upstream.play(begin(async (exchange) => {
            for (let i = 0; i < 1500 && exchange.isOpen; i += 1) {
                await exchange.event(piece);
                written += 1;
            }
            await exchange.event(STOP + DONE);
            await exchange.streamEnd();
        }));
        const app = await App.connect(headgate.port);
        app.send(request(good('chat', { model: 'gpt-4o-mini', stream: true })));
        await app.head();
        app.socket.pause();
        let last = -1;
        await until(async () => {
            const same = written === last && written > 0;
            last = written;
            await sleep(200);
            return same;
        }, 10000, 'the provider is paused');
        assert.ok(written < 1200, `${written} of 1500 events went into buffers`);
        app.socket.resume();
        const answer = await app.answer(20000);
        assert.equal(answer.body.length, (ROLE + STOP + DONE).length + 1500 * piece.length);
        app.close();
        await recovers();
    });
    test('timeouts leave a slow but living stream alone', async () => {
        upstream.play(begin(async (exchange) => {
            for (let i = 0; i < 8; i += 1) {
                await sleep(patient(400));
                await exchange.event(delta(`s${i}`));
            }
            await exchange.event(STOP + DONE);
            await exchange.streamEnd();
        }));
        const answer = await stream();
        assert.ok(answer.body.toString().endsWith(delta('s7') + STOP + DONE), answer.body.toString().slice(-200));
        await recovers();
    });
});
