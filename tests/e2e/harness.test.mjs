// SPDX-License-Identifier: Apache-2.0
// The raw app against the scripted upstream with nothing between: what the other tests rely on.
import assert from 'node:assert/strict';
import test from './lib/test.mjs';
import { App, ask } from './lib/app.mjs';
import { makeCertificates } from './lib/certs.mjs';
import { temporary } from './lib/headgate.mjs';
import { capturedRequests, good, healthy, operationOf } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, request } from './lib/wire.mjs';
import fs from 'node:fs';
import tls from 'node:tls';

test('an answer arrives the same in every framing', async () => {
    const upstream = await Upstream.start();
    const body = 'x'.repeat(1000) + '\r\n\u00e4';
    for (const framing of ['length', 'chunked', 'close']) {
        for (const size of [0, 1, 7, 400]) {
            upstream.play((exchange) => exchange.answer({ body, framing, size }));
            const answer = await ask(upstream.port, good());
            assert.equal(answer.body.toString('utf8'), body, `${framing} ${size}`);
            assert.equal(answer.framing, framing);
        }
    }
    await upstream.stop();
});

test('a request is recorded byte for byte and connections are counted', async () => {
    const upstream = await Upstream.start();
    upstream.play(healthy);
    const app = await App.connect(upstream.port);
    const sent = request(good());
    for (let i = 0; i < 2; i += 1) {
        await app.sendPieces([sent.subarray(0, 10), sent.subarray(10, 100), sent.subarray(100)]);
        assert.equal((await app.answer()).status, 200);
    }
    assert.equal(upstream.connections, 1);
    assert.equal(upstream.requests.length, 2);
    const seen = upstream.requests[1];
    assert.ok(Buffer.concat([seen.head, seen.body]).equals(sent));
    app.close();
    await upstream.stop();
});

test('a cut is told from a reset and from a proper end', async () => {
    const upstream = await Upstream.start();
    upstream.play(async (exchange) => {
        await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        exchange.end();
    });
    await assert.rejects(ask(upstream.port, good()), /fin without a complete answer/);
    upstream.play((exchange) => exchange.reset());
    const app = await App.connect(upstream.port);
    app.send(request(good()));
    assert.equal(await app.closed(), 'reset');
    await upstream.stop();
});

test('a malformed answer is a fault of the one who sent it', async () => {
    const upstream = await Upstream.start();
    upstream.play((exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'));
    await assert.rejects(ask(upstream.port, good()), /content length/);
    upstream.play((exchange) => exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'));
    await assert.rejects(ask(upstream.port, good()), /chunk size/);
    await upstream.stop();
});

test('TLS works with the certificates made here, and only with the good one', async () => {
    const dir = temporary();
    const certificates = makeCertificates(dir);
    const ca = fs.readFileSync(certificates.caFile);
    const outcomes = {};
    for (const name of ['good', 'wrong_host', 'expired', 'not_yet', 'foreign', 'common_name_only']) {
        const upstream = await Upstream.start({ tls: certificates[name] });
        upstream.play(healthy);
        outcomes[name] = await new Promise((resolve) => {
            const socket = tls.connect({ host: '127.0.0.1', port: upstream.port, ca, servername: 'localhost' });
            socket.once('secureConnect', () => { resolve('ok'); socket.destroy(); });
            socket.once('error', (error) => resolve(error.code));
        });
        await upstream.stop();
    }
    fs.rmSync(dir, { recursive: true });
    assert.equal(outcomes.good, 'ok');
    assert.equal(outcomes.wrong_host, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.equal(outcomes.expired, 'CERT_HAS_EXPIRED');
    assert.equal(outcomes.not_yet, 'CERT_NOT_YET_VALID');
    assert.match(outcomes.foreign, /UNABLE_TO_VERIFY|SELF_SIGNED/);
    assert.notEqual(outcomes.common_name_only, 'ok');
});

test('every captured request can be rebuilt in its own bytes', () => {
    const all = capturedRequests();
    assert.ok(all.length >= 40, `${all.length} captured requests`);
    for (const one of all) {
        assert.ok(operationOf(one.target), one.target);
        const length = one.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
        assert.equal(one.body === null ? undefined : String(one.body.length), length, one.name);
    }
    assert.equal(header({ headers: [['A', '1'], ['a', '2']] }, 'a'), '1, 2');
});
