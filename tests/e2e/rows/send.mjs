// SPDX-License-Identifier: Apache-2.0
// faults.md B: sending and waiting.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { says } from '../lib/faults.mjs';
import { DEPLOYMENT, ENDPOINT, QUICK, parks, passed, refused, rescued, row, served } from '../lib/lab.mjs';
import { claudeError, goodBytes, isClaude, providerError } from '../lib/plays.mjs';
import { healthy } from '../lib/samples.mjs';
import { patient } from '../lib/wire.mjs';

// A body that the kernel cannot hold for a provider that does not read.
const BIG = { more: { zz: 'b'.repeat(8 << 20) }, heavy: true };
const hangs = (id, title, play) => row(id, title, { play, timeouts: QUICK, alone: refused(504, 'upstream_timeout', 'head_timeout'), pair: rescued('head_timeout'), marks: DEPLOYMENT });

const early = (status, bodies) => ({ head: async (exchange) => {
    await exchange.answer({ status, body: isClaude(exchange) ? bodies.messages : bodies.chat });
    await sleep(300);
    exchange.end();
} });
const LARGE = { chat: providerError('invalid_request_error', 'request_too_large', 'too large'), messages: claudeError('request_too_large', 'too large') };
const WRONG = { chat: providerError('authentication_error', 'invalid_api_key'), messages: claudeError('authentication_error') };

// A connection that was kept warm, and what its provider does with the next request on it; on any
// other connection the provider is well.
async function warm(lab, site, operation, isStream) {
    await lab.reset(site, operation);
    site.first.dropConnections();
    await sleep(20);
    site.first.play(healthy);
    const { answer } = await lab.call(site, 'alone', operation, isStream);
    assert.equal(answer.status, 200);
    await sleep(20);
    assert.equal(site.first.open.size, 1, 'one warm connection');
    site.forget();
}
const cells = async (site, act) => {
    for (const operation of site.row.operations) {
        for (const isStream of [false, true]) {
            for (const which of ['alone', 'pair']) {
                await act(operation, isStream, which);
            }
        }
    }
};
const neutral = async (lab, site, operation) => {
    const seen = await lab.standing(site, operation);
    assert.deepEqual([seen.endpoint.breaker, seen.deployment.breaker, seen.state], ['closed', 'closed', 'ok']);
};
const diesIdle = (lab, site) => cells(site, async (operation, isStream, which) => {
    await warm(lab, site, operation, isStream);
    site.first.dropConnections();
    await sleep(50);
    const got = await lab.call(site, which, operation, isStream);
    lab.check(site, served('ok'), got);
    await neutral(lab, site, operation);
});
const diesUnderRequest = (how) => (lab, site) => cells(site, async (operation, isStream, which) => {
    await warm(lab, site, operation, isStream);
    let died = 0;
    site.first.play((exchange) => {
        if (site.first.connections > 0) {
            return healthy(exchange);
        }
        died += 1;
        return exchange[how]();
    });
    const got = await lab.call(site, which, operation, isStream);
    lab.check(site, served('stale_connection', 'ok'), got);
    assert.equal(died, 1, 'a POST is never sent twice by one attempt');
    assert.equal(site.first.connections, 1, 'the second attempt has a new connection');
    await neutral(lab, site, operation);
});
// Five of these in a row say nothing of the provider.
const fiveTimes = (how) => async (lab, site) => {
    await diesUnderRequest(how)(lab, site);
    for (let i = 0; i < 5; i += 1) {
        await warm(lab, site, 'chat', false);
        site.first.play((exchange) => exchange[how]());
        await lab.call(site, 'once', 'chat', false);
    }
    await neutral(lab, site, 'chat');
};

const broken = (id, title, text, outcome, marks) => row(id, title, { play: says(text), alone: refused(502, 'upstream_protocol', outcome), pair: rescued(outcome), marks });
// HTTP/2 is not spoken: what comes in place of an answer is B13, and A20 shows that it is not offered.
const h2 = (id, title, frame) => broken(id, `${title}: HTTP/2 in place of an answer`, frame, 'switched_protocol', DEPLOYMENT);
const frame = (kind, length = 64) => `\0\0${String.fromCharCode(length - 9)}${String.fromCharCode(kind)}\0\0\0\0\0`.padEnd(length, '\0');

export const rows = [
    row('B01', 'stops reading half-way', { ...BIG, timeouts: { write: QUICK.write }, play: { head: () => false }, marks: ENDPOINT,
        alone: refused(504, 'upstream_write_timeout', 'write_timeout', 'write_timeout'), pair: rescued('write_timeout') }),
    row('B02', 'a reset while the body is written', { ...BIG, play: { head: (exchange) => exchange.reset() }, marks: ENDPOINT,
        alone: refused(502, 'upstream_reset', 'reset', 'reset'), pair: rescued('reset') }),
    row('B03', 'an early 413, then close', { ...BIG, body: LARGE, play: early(413, LARGE), alone: passed(413, 'request') }),
    row('B04', 'an early 401', { ...BIG, body: WRONG, play: early(401, WRONG), alone: refused(502, 'upstream_auth', 'auth'), pair: rescued('auth'),
        marks: parks('credential', 'auth', 280, 300) }),
    row('B05', 'the whole body read, then close', { play: (exchange) => exchange.end(), marks: ENDPOINT,
        alone: refused(502, 'upstream_closed', 'closed', 'closed'), pair: rescued('closed') }),
    row('B06', 'an idle connection closed before the request', { run: diesIdle }),
    row('B07', 'a reused connection: body read, then RST', { run: fiveTimes('reset') }),
    row('B08', 'a reused connection: body read, then FIN', { run: fiveTimes('end') }),
    hangs('B09', 'a hang after the body', () => {}),
    hangs('B10', 'an answer after the timeout', (exchange) => { sleep(patient(QUICK.head + 300)).then(() => healthy(exchange)); }),
    hangs('B11', '100 Continue, then a hang', says('HTTP/1.1 100 Continue\r\n\r\n')),
    row('B12', '102, 103, then 200', { alone: served(), play: (exchange) =>
        exchange.send(Buffer.concat([Buffer.from('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), goodBytes(exchange)])) }),
    broken('B13', '101 unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n', 'switched_protocol', DEPLOYMENT),
    hangs('B14', 'nobody reads any more, the connection stays', (exchange) => { exchange.socket.pause(); }),
    h2('B15', 'GOAWAY before our stream', frame(7)),
    h2('B16', 'GOAWAY that covers our stream', frame(7)),
    h2('B17', 'RST_STREAM REFUSED_STREAM', frame(3)),
    h2('B18', 'RST_STREAM INTERNAL_ERROR', frame(3)),
    h2('B19', 'a window that never opens', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    h2('B20', 'a flood of SETTINGS', frame(4).repeat(1000)),
];
