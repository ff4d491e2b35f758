// SPDX-License-Identifier: Apache-2.0
// Faults of reaching a provider and of sending to it (faults.md A and B), as one target asked
// once shows them. Each row names its catalogue id.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './lib/app.mjs';
import { blackhole } from './lib/blackhole.mjs';
import { makeCertificates } from './lib/certs.mjs';
import { FaultBench, WHOLE, counted, route, says } from './lib/faults.mjs';
import { CANARY, Headgate, freePort, requireBinary, temporary } from './lib/headgate.mjs';
import { Resolver } from './lib/resolver.mjs';
import { checkRefusal } from './lib/rows.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, before } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient } from './lib/wire.mjs';

requireBinary();

let bench;
let dir;
let certificates;
before(async () => {
    dir = temporary();
    certificates = makeCertificates(dir);
    bench = await FaultBench.start();
});
after(async () => {
    await bench?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

const secret = (base_url, more = {}) => ({ kind: 'openai', base_url, credential: CANARY.provider, ...more });

// ---- A: reaching the provider. Each row has a headgate of its own, since each has an address of its own. ----

// `connect`: how long connecting may take; short only where it is to run out.
async function at(provider, status, code, { settings = {}, connect = 3000, env = {} } = {}) {
    const quick = route('sick');
    quick.timeouts = { ...quick.timeouts, connect: `${patient(connect)}ms` };
    const own = await Headgate.start({ providers: { sick: provider }, routes: { quick }, ...settings }, { env });
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

test('A04 A07 a name that resolves to a denied range, and the same range allowed', async () => {
    const names = new Resolver();
    const more = { env: names.env };
    const provider = secret(`https://${names.add('127.0.0.1')}:${await freePort()}/v1`);
    await at(provider, 502, 'egress_denied', more);
    await at(provider, 502, 'upstream_connect', { ...more, settings: { egress: { allow: ['127.0.0.1/32'] } } });
    names.stop();
});

test('A08 connect refused', async () => at(secret(`http://127.0.0.1:${await freePort()}/v1`), 502, 'upstream_connect'));
test('A09 a black hole', async () => {
    const hole = await blackhole();
    await at(secret(`http://127.0.0.1:${hole.port}/v1`), 504, 'upstream_connect_timeout', { connect: 700 });
    hole.stop();
});
// A reset that comes before headgate has looked at its new connection is an attempt that failed.
test('A11 accept, then reset', async () => {
    const server = await Upstream.start();
    server.play({ accept: (socket) => socket.resetAndDestroy() });
    await at(secret(`${server.origin}/v1`), 502, ['upstream_reset', 'upstream_closed', 'upstream_connect']);
    await server.stop();
});

const rawServer = async (accept) => {
    const server = net.createServer(accept).unref();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `https://127.0.0.1:${server.address().port}/v1`, stop: () => new Promise((resolve) => server.close(resolve)) };
};
test('A12 a TLS hello that is not answered', async () => {
    const open = new Set();
    const server = await rawServer((socket) => { open.add(socket); socket.on('error', () => {}); socket.resume(); });
    await at(secret(server.url, { ca_file: certificates.caFile }), 504, 'upstream_tls_timeout', { connect: 700 });
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
    }).unref();
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

// ---- B: sending and waiting ----

const BIG = { zz: 'b'.repeat(12 << 20) };

// On a new connection, with a body that no buffer takes whole.
async function big(script, status, code, outcome) {
    await bench.recovers();
    bench.upstream.dropConnections();
    await sleep(20);
    bench.upstream.forget();
    bench.upstream.play({ head: script });
    const answer = await bench.call('chat', BIG);
    checkRefusal(answer, { status, code });
    assert.equal(bench.upstream.heads.length, 1, 'requests at the provider');
    assert.equal((await bench.headgate.callLine(answer)).outcome, outcome);
    await bench.recovers();
}
test('B01 the provider stops reading', () => big(() => false, 504, 'upstream_write_timeout', 'write_timeout'));
test('B02 a reset while the body is written', () => big((exchange) => exchange.reset(), 502, 'upstream_reset', 'reset'));
// What the provider does after its early answer: nothing, or the end, or a reset over what it did not read.
const AFTER = { 'silence': () => {}, 'a close': (exchange) => exchange.end(), 'a reset': (exchange) => exchange.reset() };
for (const [name, then] of Object.entries(AFTER)) {
    const early = (status, body) => async (exchange) => {
        await exchange.answer({ status, body });
        await sleep(300);
        then(exchange);
    };
    test(`B03 an early 413, then ${name}`, async () => {
        const error = JSON.stringify({ error: { message: 'too large', type: 'invalid_request_error', param: null, code: 'request_too_large' } });
        await bench.recovers();
        bench.upstream.play({ head: early(413, error) });
        const answer = await bench.call('chat', BIG);
        assert.equal(answer.status, 413, answer.body.toString());
        assert.equal(answer.body.toString(), error);
        await bench.recovers();
    });
    test(`B04 an early 401, then ${name}`, () => big(early(401,
        JSON.stringify({ error: { message: 'no', type: 'authentication_error', param: null, code: null } })), 502, 'upstream_auth', 'auth'));
}
test('B05 close without a byte', () => bench.refusesWith((exchange) => exchange.end(), 502, 'upstream_closed'));
test('B05 the same for a stream', () => bench.refusesWith((exchange) => exchange.end(), 502, 'upstream_closed', { stream: true }));
test('B02 reset without a byte', () => bench.refusesWith((exchange) => exchange.reset(), 502, 'upstream_reset'));
test('B06 an idle connection that the provider closed is replaced unseen', async () => {
    await bench.recovers();
    for (let i = 0; i < 5; i += 1) {
        bench.upstream.dropConnections();
        await sleep(50);
        const answer = await bench.call();
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'x-headgate-attempts'), '1');
    }
});
for (const [id, how] of [['B07', 'reset'], ['B08', 'end']]) {
    test(`${id} a reused connection that ends after the body: one request per attempt`, async () => {
        await bench.recovers();
        bench.upstream.forget();
        const reused = bench.upstream.open.size;
        bench.upstream.play((exchange) => exchange[how]());
        const answer = await bench.call();
        checkRefusal(answer, { status: 502, code: 'upstream_closed' });
        assert.equal((await bench.headgate.callLine(answer)).outcome, 'stale_connection');
        await sleep(100);
        assert.equal(bench.upstream.requests.length, 1, 'a POST is never sent twice');
        assert.ok(reused >= 1 && bench.upstream.connections === 0, 'the connection was reused');
        await bench.recovers();
    });
    test(`${id} the same where a second attempt is allowed: on a new connection, and both are told`, async () => {
        await bench.recovers();
        bench.upstream.forget();
        let seen = 0;
        bench.upstream.play((exchange) => (seen++ === 0 ? exchange[how]() : healthy(exchange)));
        const answer = await bench.call('chat', { model: 'again' });
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(header(answer, 'x-headgate-attempts'), '2');
        assert.match((await bench.headgate.callLine(answer)).tries, /stale_connection \d+ms, fresh_connection; .* ok \d+ms$/);
        assert.deepEqual([bench.upstream.requests.length, bench.upstream.connections], [2, 1]);
        await bench.recovers();
    });
}
test('B09 a hang', () => bench.refusesWith(() => {}, 504, 'upstream_timeout'));
test('B10 an answer after the timeout is dropped', async () => {
    await bench.refusesWith((exchange) => {
        sleep(patient(1500)).then(() => exchange.json({ late: true }));
    }, 504, 'upstream_timeout', { operations: ['chat'] });
    await sleep(patient(800));
    await bench.recovers();
});
test('B11 100 Continue, then a hang', () => bench.refusesWith(says('HTTP/1.1 100 Continue\r\n\r\n'), 504, 'upstream_timeout'));
test('B12 interim answers are skipped', async () => {
    bench.upstream.play(says('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n' + counted()));
    const answer = await bench.call();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), WHOLE);
    await bench.recovers();
});
test('B12 endless interim answers are not', () =>
    bench.refusesWith(says('HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)), 502, ['upstream_protocol', 'upstream_header']));
for (const [name, text] of [['101', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'],
    ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], ['an HTTP/2 frame', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0d'.padEnd(64, '\0')]]) {
    test(`B13 ${name} in place of an answer`, () => bench.refusesWith(says(text), 502, 'upstream_protocol', { outcome: 'switched_protocol' }));
}
