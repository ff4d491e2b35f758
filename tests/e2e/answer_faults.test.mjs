// SPDX-License-Identifier: Apache-2.0
// Faults in whole answers (faults.md C), as one target asked once shows them. Each row names
// its catalogue id.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultBench, HEAD, WHOLE, counted, says, saysAndEnds } from './lib/faults.mjs';
import { requireBinary } from './lib/headgate.mjs';
import { HTML, claudeError, html, providerError } from './lib/plays.mjs';
import { checkRefusal, checkWait } from './lib/rows.mjs';
import { upstreamFile } from './lib/samples.mjs';
import test, { after, before } from './lib/test.mjs';
import { chunk, header, patient } from './lib/wire.mjs';

requireBinary();

let bench;
before(async () => { bench = await FaultBench.start(); });
after(() => bench?.stop());

for (const [id, status, type, code] of [['C01', 400, 'invalid_request_error', 'bad_thing'], ['C02', 400, 'invalid_request_error', 'context_length_exceeded'],
    ['C07', 404, 'invalid_request_error', 'model_not_found'], ['C09', 409, 'invalid_request_error', 'conflict'], ['C10', 413, 'invalid_request_error', 'request_too_large'],
    ['C11', 422, 'invalid_request_error', 'x']]) {
    test(`${id} a provider's own ${status} goes back as it is`, async () => {
        for (const [operation, body] of [['chat', providerError(type, code)], ['messages', claudeError(type)]]) {
            for (const stream of [false, true]) {
                // What the provider thinks of asking again is for us alone.
                await bench.row((exchange) => exchange.answer({ status, body, headers: { 'x-should-retry': 'true' } }));
                const answer = await bench.call(operation, { stream });
                assert.equal(answer.status, status);
                assert.equal(answer.body.toString(), body);
                assert.match(header(answer, 'content-type'), /^application\/json/);
                assert.equal(header(answer, 'x-should-retry'), status === 409 ? 'false' : undefined);
            }
        }
        await bench.recovers();
    });
}
// A failure of the provider is told in our words, whatever the provider wrote.
const withBody = (openai, claude, status, headers = {}) => (exchange) =>
    exchange.answer({ status, headers, body: exchange.request.target.includes('messages') ? claude : openai });
for (const stream of [false, true]) {
    const how = stream ? ', asked for a stream' : '';
    test(`C08 408${how}`, () => bench.refusesWith(withBody(providerError('timeout', null), claudeError('timeout_error'), 408), 504, 'upstream_timeout', { stream }));
    test(`C23 500 with a body${how}`, () => bench.refusesWith(withBody(providerError('server_error', null), claudeError('api_error'), 500), 502, 'upstream_error', { stream }));
    test(`C23 500 that says x-should-retry${how}`, () => bench.refusesWith(withBody(providerError('server_error', null), claudeError('api_error'), 500, { 'x-should-retry': 'true' }), 502, 'upstream_error', { stream }));
    for (const status of [502, 504]) {
        test(`C24 ${status} with a body${how}`, () => bench.refusesWith(withBody(providerError('server_error', null), claudeError('api_error'), status), 502, 'upstream_error', { stream }));
    }
    for (const status of [503, 529]) {
        test(`C25 C26 ${status} with a body${how}`, async () => {
            const script = withBody(providerError('server_error', null), claudeError('overloaded_error'), status);
            await bench.refusesWith(script, 503, 'upstream_overloaded', { stream, operations: ['chat'] });
            await bench.refusesWith(script, 529, undefined, { stream, operations: ['messages'] });
        });
    }
}
test('C23 500 always: the breaker opens at the fifth, then nothing is sent and the wait is told', async () => {
    await bench.recovers();
    bench.upstream.forget();
    await bench.row((exchange) => exchange.answer({ status: 500, body: providerError('server_error', null) }));
    for (let i = 0; i < 5; i += 1) {
        checkRefusal(await bench.call(), { status: 502, code: 'upstream_error' });
    }
    // One more may go as the least bad choice.
    const later = [await bench.call(), await bench.call()];
    assert.ok(bench.upstream.requests.length <= 6, `${bench.upstream.requests.length} requests`);
    checkRefusal(later[1], { status: 503, code: 'no_healthy_target' });
    assert.match(header(later[1], 'retry-after'), /^[1-9]$/);
    await bench.recovers();
});
test('C25 503 with Retry-After: 120', async () => {
    await bench.row((exchange) => exchange.answer({ status: 503, body: providerError('server_error', null), headers: { 'Retry-After': '120' } }));
    const answer = await bench.call();
    checkRefusal(answer, { status: 503, code: 'upstream_overloaded' });
    assert.equal(header(answer, 'retry-after'), '60');
    assert.equal(header(answer, 'x-should-retry'), 'false');
    assert.equal(header(answer, 'x-headgate-upstream-retry-after'), '120');
    await bench.recovers();
});
test('C17 the hint of an account without credit is not told', async () => {
    await bench.row((exchange) => exchange.answer({ status: 429, body: providerError('insufficient_quota', 'insufficient_quota'), headers: { 'Retry-After': '1' } }));
    for (let i = 0; i < 2; i += 1) { // the second one meets the park
        const answer = await bench.call();
        checkRefusal(answer, { status: 503, code: 'upstream_quota' });
        assert.equal(header(answer, 'retry-after'), '60');
        assert.equal(header(answer, 'x-should-retry'), 'false');
    }
    await bench.recovers();
});
for (const [id, status, code, body] of [['C03', 400, 'upstream_quota', providerError('invalid_request_error', 'billing_hard_limit_reached')],
    ['C04', 401, 'upstream_auth', providerError('authentication_error', 'invalid_api_key')],
    ['C05', 403, 'upstream_auth', providerError('permission_error', 'unsupported_country')],
    ['C06', 402, 'upstream_quota', providerError('billing_error', 'billing')],
    ['C17', 429, 'upstream_quota', providerError('insufficient_quota', 'insufficient_quota')]]) {
    test(`${id} ${status} of our own credential`, () =>
        bench.refusesWith((exchange) => exchange.answer({ status, body }), code === 'upstream_auth' ? 502 : 503, code, { operations: ['chat'] }));
    test(`${id} ${status} of the app's own credential goes back as it is`, async () => {
        await bench.row((exchange) => exchange.answer({ status, body }));
        const answer = await bench.call('chat', { model: 'quick-own' });
        assert.equal(answer.status, status);
        assert.equal(answer.body.toString(), body);
        await bench.recovers();
    });
}
test('C04 C06 the same on the Anthropic dialect', async () => {
    await bench.refusesWith((exchange) => exchange.answer({ status: 401, body: claudeError('authentication_error') }), 502, undefined, { operations: ['messages'] });
    await bench.refusesWith((exchange) => exchange.answer({ status: 402, body: claudeError('billing_error') }), 503, undefined, { operations: ['messages'] });
});
for (const [id, hint, told] of [['C12', { 'Retry-After': '3' }, '3'], ['C14', { 'retry-after-ms': '250', 'Retry-After': '9' }, '1'],
    ['C13', () => ({ 'Retry-After': new Date(Date.now() + 10000).toUTCString() }), /^(8|9|10|11)$/], ['C15', { 'Retry-After': '7200' }, '60'],
    ['C15', { 'Retry-After': 'soon' }, '1'], ['C15', { 'Retry-After': '-3' }, '1'], ['C15', { 'Retry-After': '0' }, '1'], ['C15', { 'Retry-After': '90000' }, '1'],
    ['C16', { 'x-ratelimit-reset-tokens': '6m0s' }, '60'], ['C16', { 'x-should-retry': 'true' }, '1']]) {
    test(`${id} 429 with ${JSON.stringify(typeof hint === 'function' ? 'a date' : hint)}`, async () => {
        const body = providerError('requests', 'rate_limit_exceeded');
        const headers = typeof hint === 'function' ? hint() : hint;
        await bench.row((exchange) => exchange.answer({ status: 429, body, headers }));
        const answer = await bench.call();
        assert.equal(answer.status, 429);
        assert.equal(answer.body.toString(), body);
        checkWait(answer);
        assert.match(header(answer, 'retry-after') ?? 'none', typeof told === 'string' ? new RegExp(`^${told}$`) : told);
        if (told === '60') {
            assert.equal(header(answer, 'x-should-retry'), 'false');
            assert.equal(header(answer, 'x-headgate-upstream-retry-after'), headers['Retry-After'] ?? '360');
        }
        // The next call is not made, and is told what is left.
        if (Number(told) > 2) {
            const next = await bench.call();
            checkRefusal(next, { status: 429, code: 'rate_limit_exceeded' });
            assert.ok(Number(header(next, 'retry-after')) <= Number(told) && Number(header(next, 'retry-after')) >= Number(told) - 1);
        }
        await bench.recovers();
    });
}
for (const status of [502, 503, 504, 520, 521, 524, 525, 526]) {
    test(`C24 C27 ${status} of an edge`, () => bench.refusesWith(html(status), 502, 'upstream_error'));
}
test('C24 an empty 503', () => bench.refusesWith((exchange) => exchange.answer({ status: 503 }), 502, 'upstream_error'));
// Errors without JSON: our words in the app's dialect, the provider's hint kept.
for (const [name, status, headers, body, wanted, code, wait] of [
    ['C16 429 with a page', 429, { 'Content-Type': 'text/html', 'Retry-After': '3' }, HTML, 429, 'rate_limit_exceeded', '3'],
    ['C16 429 without a body', 429, { 'Retry-After': '3' }, '', 429, 'rate_limit_exceeded', '3'],
    ['C24 503 with a page', 503, { 'Content-Type': 'text/html', 'Retry-After': '7' }, HTML, 502, 'upstream_error', '7'],
    ['C08 404 with a page', 404, { 'Content-Type': 'text/html' }, HTML, 404, undefined, undefined]]) {
    test(`${name}${wait ? ' and Retry-After' : ''}`, async () => {
        for (const [operation, dialect] of [['chat', 'openai'], ['messages', 'anthropic']]) {
            for (const stream of [false, true]) {
                await bench.row((exchange) => exchange.answer({ status, headers, body }));
                const answer = await bench.call(operation, { stream });
                checkRefusal(answer, { status: wanted, code, dialect });
                assert.equal(header(answer, 'retry-after'), wait);
                assert.ok(!answer.body.includes('login'), 'nothing of the page');
            }
        }
        await bench.recovers();
    });
}
// The provider's own id of a failed attempt is what its support asks for.
for (const [name, status, answering] of [
    ['our credential was refused', 502, { status: 401, body: providerError('authentication_error', 'invalid_api_key') }],
    ['a page of an edge', 502, { status: 503, headers: { 'Content-Type': 'text/html' }, body: HTML }],
    ['a redirect', 502, { status: 302, headers: { Location: 'http://127.0.0.1:1/' } }],
    ['no usable answer', 502, { body: '' }]]) {
    test(`an error of ours names the provider's request: ${name}`, async () => {
        for (const [operation, dialect, field] of [['chat', 'openai', 'x-request-id'], ['messages', 'anthropic', 'request-id']]) {
            await bench.row((exchange) => exchange.answer({ ...answering, headers: { ...answering.headers, [field]: 'req_theirs_1' } }));
            const answer = await bench.call(operation);
            checkRefusal(answer, { status, dialect });
            assert.equal(header(answer, 'x-headgate-upstream-request-id'), 'req_theirs_1');
            assert.notEqual(header(answer, 'x-request-id'), 'req_theirs_1');
        }
        await bench.recovers();
    });
}
for (const status of [301, 302, 307, 308]) {
    test(`C28 ${status}`, () => bench.refusesWith((exchange) =>
        exchange.answer({ status, headers: { Location: 'http://127.0.0.1:1/' } }), 502, 'upstream_redirect'));
}
for (const code of [502, 'server_error']) {
    test(`C29 200 with an error inside, ${code}`, () => bench.refusesWith((exchange) =>
        exchange.json({ error: { message: 'inner', type: 'server_error', param: null, code } }), 502, 'upstream_error', { operations: ['chat'] }));
}
test('C29 200 with an overload inside', () => bench.refusesWith((exchange) =>
    exchange.json({ type: 'error', error: { type: 'overloaded_error', message: 'inner' } }), 529, undefined, { operations: ['messages'] }));
// The answer of Responses to a call that failed has its form, and is a failure all the same.
const failedResponse = (code) => (exchange) => exchange.json({ id: 'resp_1', object: 'response', status: 'failed',
    error: { code, message: 'inner' }, incomplete_details: null, output: [], usage: null });
test('C29 a response of status failed', () => bench.refusesWith(failedResponse('server_error'), 502, 'upstream_error', { operations: ['responses'] }));
test('C30 a response of status failed by a rate limit', async () => {
    await bench.row(failedResponse('rate_limit_exceeded'));
    const answer = await bench.call('responses');
    assert.equal(answer.status, 429);
    assert.equal(JSON.parse(answer.body).error.code, 'rate_limit_exceeded');
    checkWait(answer);
    await bench.recovers();
});
test('C30 200 with a rate limit inside', async () => {
    const error = { error: { message: 'slow down', type: 'rate_limit_error', code: 429 } };
    await bench.row((exchange) => exchange.json(error));
    const answer = await bench.call();
    assert.equal(answer.status, 429);
    assert.deepEqual(JSON.parse(answer.body), error);
    assert.equal(header(answer, 'retry-after'), '1');
    checkWait(answer);
    await bench.recovers();
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
    test(name, () => bench.refusesWith(script, 502, 'upstream_bad_body'));
}
test('C33 cut before Content-Length', () => bench.refusesWith(saysAndEnds(counted().slice(0, -5)), 502, 'upstream_truncated'));
test('C33 reset before Content-Length', () => bench.refusesWith(async (exchange) => {
    await exchange.send(counted().slice(0, -5));
    await sleep(50);
    exchange.reset();
}, 502, ['upstream_truncated', 'upstream_reset']));
test('C34 no last chunk', () => bench.refusesWith(saysAndEnds(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(WHOLE)}`), 502, 'upstream_truncated'));
test('C35 more bytes than told are dropped and the connection is not reused', async () => {
    await bench.recovers();
    bench.upstream.forget();
    bench.upstream.play(says(`${counted()}surplus`));
    for (let i = 0; i < 3; i += 1) {
        const answer = await bench.call();
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(), WHOLE);
    }
    assert.ok(bench.upstream.connections >= 2, `${bench.upstream.connections} connections`);
    await bench.recovers();
});
for (const lines of ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'Transfer-Encoding: chunked, gzip\r\n',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: +5\r\n', 'Content-Length: 99999999999999999999\r\n', 'Transfer-Encoding: xchunked\r\n']) {
    test(`C36 ${JSON.stringify(lines)}`, () => bench.refusesWith(saysAndEnds(`${HEAD}${lines}\r\n5\r\nhello\r\n0\r\n\r\n`), 502, 'upstream_framing'));
}
test('C40 more than limits.response', () => bench.refusesWith((exchange) =>
    exchange.answer({ body: JSON.stringify({ choices: [], pad: 'p'.repeat(2 << 20) }) }), 502, 'upstream_too_large'));
test('C40 the same in chunks without end', () => bench.refusesWith(async (exchange) => {
    await exchange.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 400 && exchange.isOpen; i += 1) {
        await exchange.event('x'.repeat(65536));
    }
}, 502, 'upstream_too_large', { operations: ['chat'] }));
test('C41 a head of 1 MiB', () => bench.refusesWith(says(counted(`X-A: ${'b'.repeat(1 << 20)}\r\n`)), 502, 'upstream_header'));
test('C41 10,000 lines', () => bench.refusesWith(says(counted('X-A: b\r\n'.repeat(10000))), 502, 'upstream_header'));
for (const line of ['X-A: b\0c', 'X-A: b\rX: c', 'X A: b', ': b', 'no colon', 'X-A : b', ' folded: x']) {
    test(`C42 ${JSON.stringify(line)}`, () => bench.refusesWith(says(counted(`${line}\r\n`)), 502, 'upstream_header'));
}
for (const line of ['HTTP/1.1 999999 X', 'HTTP/1.1 000 X', 'HTTP/1.1 2x0 OK', 'HTTP/3.0 200 OK', 'garbage', '{"choices":[]}', 'HTTP/1.1  200 OK', 'ICY 200 OK', 'HTTP/1.1 99 X']) {
    test(`C43 status line ${JSON.stringify(line)}`, () => bench.refusesWith(saysAndEnds(`${line}\r\n${counted().split('\r\n').slice(1).join('\r\n')}`), 502, 'upstream_protocol'));
}
test('C43 status 999', () => bench.refusesWith((exchange) => exchange.answer({ status: 999, body: '{}' }), 502, undefined));
for (const status of [204, 205, 304]) {
    test(`C44 ${status} unasked`, () => bench.refusesWith(saysAndEnds(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n{}`), 502, undefined));
}
test('C45 a slow drip ends at the deadline', () => bench.refusesWith(async (exchange) => {
    await exchange.send(`${HEAD}Content-Length: ${WHOLE.length}\r\n\r\n`);
    for (let i = 0; exchange.isOpen && i < WHOLE.length; i += 1) {
        await exchange.send(WHOLE[i]);
        await sleep(patient(300));
    }
}, 504, 'upstream_timeout', { operations: ['chat'] }));
for (const [id, body] of [['C47', WHOLE.replace('Hello from the mock.', '')],
    ['C49', WHOLE.replace('lab-model', 'another-model')], ['C48', WHOLE.replace('mock', '\\ud800')]]) {
    test(`${id} an odd but usable answer passes unchanged`, async () => {
        bench.upstream.play((exchange) => exchange.answer({ body }));
        const answer = await bench.call();
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(answer.body.toString(), body);
        await bench.recovers();
    });
}
test('C51 trailers are ignored', async () => {
    bench.upstream.play(says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(WHOLE)}0\r\nContent-Length: 3\r\nSet-Cookie: a=b\r\n\r\n`));
    const answer = await bench.call();
    assert.equal(answer.body.toString(), WHOLE);
    assert.equal(header(answer, 'set-cookie'), undefined);
    await bench.recovers();
});
