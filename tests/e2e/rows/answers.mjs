// SPDX-License-Identifier: Apache-2.0
// faults.md C: answers, whole.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { HEAD, WHOLE, counted, saysAndEnds } from '../lib/faults.mjs';
import { DEPLOYMENT, ENDPOINT, NEITHER, QUICK, cools, parks, passed, refused, rescued, row, served } from '../lib/lab.mjs';
import { claudeError, errors, firstBody, goodBytes, html, providerError, typeOf, isClaude } from '../lib/plays.mjs';
import { healthy } from '../lib/samples.mjs';
import { chunk, header, patient } from '../lib/wire.mjs';

const both = (chat, messages) => ({ body: { chat, messages }, chat, messages });
const plays = (status, bodies, headers) => ({ body: bodies.body, play: errors(status, bodies, headers) });
const either = (type, code, claudeType = type, message = undefined, more = {}) =>
    both(providerError(type, code, message), claudeError(claudeType, message, more));

// The provider's own no, about the request: it goes back, and nobody else is asked.
const own = (id, title, status, bodies, word = 'request') => row(id, title, { ...plays(status, bodies), alone: passed(status, word) });
// Parked: the second serves, alone the app gets our word.
const parked = (id, title, status, bodies, outcome, code, told, marks, headers = {}) => row(id, title, { ...plays(status, bodies, headers),
    alone: refused(told, code, outcome), pair: rescued(outcome), marks, alarm: `${marks.park.scope}_parked` });
const RATE = either('requests', 'rate_limit_exceeded', 'rate_limit_error');
// Throttled: alone it is asked once more when the wait is short, then the 429 goes back with the wait.
const throttled = (id, title, headers, wait, cool, { again = true, bodies = RATE } = {}) => row(id, title, {
    body: bodies.body,
    play: (exchange) => errors(429, bodies, headers instanceof Function ? headers() : headers)(exchange),
    alone: passed(429, ...(again ? ['throttled', 'throttled'] : ['throttled'])), pair: rescued('throttled'), marks: cools(...cool),
    also({ answer }, site, which) {
        if (which === 'alone' && wait !== null) {
            assert.match(header(answer, 'retry-after'), wait);
        }
    },
});
const bad = (id, title, play, more = {}) => row(id, title, { play, marks: DEPLOYMENT,
    alone: refused(502, 'upstream_bad_body', 'bad_body', 'bad_body'), pair: rescued('bad_body'), ...more });
const bytesOf = (text) => ({ play: saysAndEnds(text) });
const broken = (id, title, text, code, outcome, more = {}) => row(id, title, { ...bytesOf(text),
    alone: refused(502, code, outcome), pair: rescued(outcome), marks: ENDPOINT, ...more });
const odd = (id, title, change, more = {}) => row(id, title, {
    play: (exchange) => exchange.answer({ headers: { 'Content-Type': typeOf(exchange.request.json().stream === true) },
        body: change(firstBody(isClaude(exchange) ? 'messages' : 'chat', exchange.request.json().stream === true)) }),
    arrives: (operation, isStream) => change(firstBody(operation, isStream)), alone: served(), ...more });

// The seconds to the first of the next month, 00:00 UTC.
const toNextMonth = () => {
    const now = new Date();
    const left = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - now.getTime()) / 1000;
    return [left - 60, left + 60];
};

const asc = (date) => {
    const [day, dd, month, year, time] = date.toUTCString().replace(',', '').split(' ');
    return `${day} ${month} ${String(Number(dd)).padStart(2, ' ')} ${time} ${year}`;
};
const rfc850 = (date) => {
    const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
    const [, dd, month, year, time] = date.toUTCString().replace(',', '').split(' ');
    return `${days[date.getUTCDay()]}, ${dd}-${month}-${year.slice(2)} ${time} GMT`;
};
const later = (form, ms) => () => ({ 'Retry-After': form(new Date(Date.now() + ms)) });
const utc = (date) => date.toUTCString();

// 429 on one model only: another model of the same credential goes on.
async function oneModelOnly(lab, site) {
    site.first.play((exchange) => (exchange.request.json().model === 'other-model' ? healthy(exchange)
        : exchange.answer({ status: 429, headers: { 'Retry-After': '30' }, body: RATE.chat })));
    const first = await lab.call(site, 'alone', 'chat', false);
    assert.equal(first.answer.status, 429);
    const other = await lab.call(site, 'other', 'chat', false);
    assert.equal(other.answer.status, 200, 'another model of the credential');
    assert.equal((await lab.standing(site, 'chat', 'other-model')).state, 'ok');
    assert.equal((await lab.standing(site, 'chat')).state, 'cooldown');
    site.forget();
    const again = await lab.call(site, 'alone', 'chat', false);
    assert.equal(again.answer.status, 429, 'a known cooldown');
    assert.equal(site.first.heads.length, 0, 'nothing is sent into a known cooldown');
    await lab.heals(site, 'chat', false);
}

// 429 from all: attempts are bounded, later calls make none, the earliest reset is told.
async function allThrottled(lab, site) {
    const limit = (seconds) => (exchange) => exchange.answer({ status: 429, headers: { 'Retry-After': String(seconds) }, body: RATE.chat });
    site.first.play(limit(50));
    site.second.play(limit(600));
    const first = await lab.call(site, 'pair', 'chat', false);
    assert.equal(first.answer.status, 429);
    assert.ok(first.line.attempts <= 3);
    assert.equal(site.first.heads.length + site.second.heads.length, first.line.attempts);
    for (const isStream of [false, true]) {
        site.forget();
        const next = await lab.call(site, 'pair', 'chat', isStream);
        assert.equal(next.answer.status, 429);
        assert.match(header(next.answer, 'retry-after'), /^(4\d|50)$/, 'the earliest reset');
        assert.equal(site.first.heads.length + site.second.heads.length, 0, 'later calls make no attempt');
    }
    await lab.heals(site, 'chat', false);
}

const nowAndThen = (first) => {
    let count = 0;
    return { before: () => { count = 0; }, play: (exchange) => ((count += 1) === 1 ? first(exchange) : healthy(exchange)) };
};

const redirect = (status) => row('C28', `${status} to another host`, {
    play: (exchange) => exchange.answer({ status, headers: { Location: `${exchange.upstream.site.second.origin}/v1/chat/completions` } }),
    alone: refused(502, 'upstream_redirect', 'redirect'), pair: rescued('redirect'), marks: DEPLOYMENT });

const SERVER = either('server_error', null, 'api_error');
const inner = (status, outcome, code) => both(
    JSON.stringify({ error: { message: 'inner', type: outcome, param: null, code } }),
    JSON.stringify({ type: 'error', error: { type: status === 429 ? 'rate_limit_error' : 'api_error', message: 'inner' } }));

export const rows = [
    own('C01', '400 request\'s own fault', 400, either('invalid_request_error', 'bad_thing')),
    own('C02', '400 context length', 400, both(providerError('invalid_request_error', 'context_length_exceeded'),
        claudeError('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum')), 'context'),
    row('C02', '400 context length, and the route has a larger target', {
        ...plays(400, both(providerError('invalid_request_error', 'context_length_exceeded'),
            claudeError('invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum'))),
        targets: [{ context: 100000 }, { context: 1000000 }], alone: passed(400, 'context'), pair: rescued('context') }),
    parked('C03', '400 credit balance too low', 400, both(providerError('invalid_request_error', 'billing_hard_limit_reached', 'Billing hard limit has been reached'),
        claudeError('invalid_request_error', 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.')),
        'quota', 'upstream_quota', 503, { ...parks('credential', 'quota', 1, 31 * 86400) }),
    parked('C04', '401 wrong key', 401, either('authentication_error', 'invalid_api_key', 'authentication_error'), 'auth', 'upstream_auth', 502, parks('credential', 'auth', 280, 300)),
    parked('C05', '403 permission', 403, either('permission_error', 'unsupported_country_region_territory', 'permission_error'), 'permission', 'upstream_auth', 502,
        parks('target', 'permission', 280, 300)),
    parked('C06', '402 billing', 402, either('billing_error', 'billing', 'billing_error'), 'billing', 'upstream_quota', 503, parks('credential', 'billing', 880, 900)),
    row('C07', '404 model not found', { ...plays(404, either('invalid_request_error', 'model_not_found', 'not_found_error', 'model: lab-model')),
        alone: passed(404, 'model'), pair: rescued('model'), marks: parks('target', 'model', 580, 600) }),
    row('C08', '408', { ...plays(408, either('timeout', 'timeout', 'timeout_error')),
        alone: refused(504, 'upstream_timeout', 'timed_out', 'timed_out'), pair: rescued('timed_out', 'timed_out') }),
    row('C09', '409', { ...plays(409, either('invalid_request_error', 'conflict')),
        alone: passed(409, 'conflict', 'conflict'), pair: rescued('conflict', 'conflict') }),
    own('C10', '413', 413, either('invalid_request_error', 'request_too_large', 'request_too_large')),
    own('C11', '422', 422, either('invalid_request_error', 'invalid_value')),
    throttled('C12', '429 Retry-After: 3', { 'Retry-After': '3' }, /^[123]$/, [1, 3]),
    throttled('C13', '429 an RFC 1123 date', later(utc, 3000), /^[123]$/, [1, 4]),
    throttled('C13', '429 an RFC 850 date', later(rfc850, 3000), /^[123]$/, [1, 4]),
    throttled('C13', '429 an asctime date', later(asc, 3000), /^[123]$/, [1, 4]),
    throttled('C14', '429 retry-after-ms beside Retry-After', { 'retry-after-ms': '250', 'Retry-After': '9' }, /^1$/, [0, 1]),
    ...[['a date in the past', () => new Date(Date.now() - 60000).toUTCString()], ['a negative', () => '-5'], ['soon', () => 'soon'], ['more than a day', () => '90000']]
        .map(([what, value]) => throttled('C15', `429 ${what}`, () => ({ 'Retry-After': value() }), /^\d+$/, [1, 60])),
    throttled('C15', '429 two hours', { 'Retry-After': '7200' }, /^60$/, [290, 300], { again: false }),
    throttled('C16', '429 x-ratelimit-reset-tokens alone', { 'x-ratelimit-reset-tokens': '6m0s' }, /^60$/, [290, 300], { again: false }),
    parked('C17', '429 insufficient_quota', 429, either('insufficient_quota', 'insufficient_quota', 'billing_error'), 'quota', 'upstream_quota', 503,
        parks('credential', 'quota', 880, 900), { 'Retry-After': '2' }),
    parked('C18', '429 enforced spend limit', 429, both(providerError('rate_limit_error', 'enforced_spend_limit_reached'),
        claudeError('rate_limit_error', 'spend limit', { code: 'enforced_spend_limit_reached' })), 'quota', 'upstream_quota', 503,
        { ...NEITHER, park: { scope: 'credential', reason: 'quota', left: toNextMonth } }),
    row('C20', '429 on one model only', { run: oneModelOnly }),
    row('C21', '429 from all targets', { run: allThrottled }),
    row('C22', '500 once, then fine', { ...nowAndThen(errors(500, SERVER)), body: SERVER.body,
        alone: served('provider_error', 'ok'), pair: served('provider_error', 'ok') }),
    row('C23', '500 always', { ...plays(500, SERVER), alone: refused(502, 'upstream_error', 'provider_error', 'provider_error'),
        pair: rescued('provider_error', 'provider_error'), marks: DEPLOYMENT }),
    ...[502, 503, 504].map((status) => row('C24', `${status} of an edge`, { play: html(status),
        alone: refused(502, 'upstream_error', 'edge_error', 'edge_error'), pair: rescued('edge_error'), marks: ENDPOINT })),
    row('C25', '503 with Retry-After: 120', { ...plays(503, SERVER, { 'Retry-After': '120' }),
        alone: refused({ chat: 503, messages: 529 }, 'upstream_overloaded', 'overloaded'), pair: rescued('overloaded'), marks: cools(110, 120, DEPLOYMENT),
        also({ answer }, site, which) {
            if (which === 'alone') {
                assert.equal(header(answer, 'retry-after'), '60');
                assert.equal(header(answer, 'x-should-retry'), 'false');
            }
        } }),
    row('C26', '529 overloaded', { ...plays(529, either('overloaded_error', null, 'overloaded_error')),
        alone: refused({ chat: 503, messages: 529 }, 'upstream_overloaded', 'overloaded', 'overloaded'), pair: rescued('overloaded'), marks: DEPLOYMENT }),
    ...[520, 521, 522, 523, 524].map((status) => row('C27', `${status}`, { play: html(status), modes: [status % 2 === 0], operations: [status % 2 ? 'chat' : 'messages'],
        alone: refused(502, 'upstream_error', 'edge_error', 'edge_error'), pair: rescued('edge_error'), marks: ENDPOINT })),
    ...[525, 526].map((status) => row('C27', `${status}`, { play: html(status),
        alone: refused(502, 'upstream_error', 'edge_verify'), pair: rescued('edge_verify'), marks: ENDPOINT })),
    ...[301, 302, 307, 308].map(redirect),
    row('C28', '307, and what may have run is not sent again', { play: (exchange) => exchange.answer({ status: 307, headers: { Location: 'http://127.0.0.1:1/' } }),
        rules: { retry: { ambiguous: 'never' } }, alone: refused(502, 'upstream_redirect', 'redirect'), pair: rescued('redirect'), marks: DEPLOYMENT }),
    row('C29', '200 with an error inside, its code 502', { modes: [false], operations: ['chat'], ...plays(200, inner(502, 'server_error', 502)),
        alone: refused(502, 'upstream_error', 'gateway_error', 'gateway_error'), pair: rescued('gateway_error'), marks: DEPLOYMENT }),
    row('C29', '200 with an error inside, api_error', { modes: [false], operations: ['messages'], ...plays(200, inner(502, 'server_error', 502)),
        alone: refused(502, 'upstream_error', 'provider_error', 'provider_error'), pair: rescued('provider_error', 'provider_error'), marks: DEPLOYMENT }),
    row('C30', '200 with a rate limit inside', { modes: [false], ...plays(200, inner(429, 'rate_limit_error', 429)),
        alone: passed(429, 'throttled', 'throttled'), pair: rescued('throttled'), marks: cools(1, 60) }),
    bad('C31', '200 a login page', html(200)),
    bad('C31', '200 text that is no JSON', (exchange) => exchange.answer({ headers: { 'Content-Type': 'text/plain' }, body: 'hello' })),
    bad('C32', '200 an empty body', (exchange) => exchange.answer({ headers: {} })),
    row('C33', '200 cut before Content-Length', { modes: [false], play: saysAndEnds(counted().slice(0, -5)),
        alone: refused(502, 'upstream_truncated', 'truncated', 'truncated'), pair: rescued('truncated'), marks: DEPLOYMENT }),
    bad('C33', '200 JSON that stops', (exchange) => exchange.answer({ body: WHOLE.slice(0, -20) }), { modes: [false] }),
    row('C33', '200 reset before Content-Length', { modes: [false],
        play: async (exchange) => { await exchange.send(counted().slice(0, -5)); await sleep(50); exchange.reset(); },
        alone: refused(502, ['upstream_truncated', 'upstream_reset'], ['truncated', 'reset'], ['truncated', 'reset']),
        pair: { kind: 'rescued', tries: [['truncated', 'reset'], 'ok'] }, marks: DEPLOYMENT }),
    row('C34', '200 without the last chunk', { modes: [false], play: saysAndEnds(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${chunk(WHOLE)}`),
        alone: refused(502, 'upstream_truncated', 'truncated', 'truncated'), pair: rescued('truncated'), marks: DEPLOYMENT }),
    row('C35', '200 longer than Content-Length', { play: (exchange) => exchange.send(Buffer.concat([goodBytes(exchange), Buffer.from('surplus')])), alone: served(),
        async also(got, site) {
            const before = site.first.connections;
            site.first.play(healthy);
            assert.equal(before, 1);
        } }),
    ...['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'Transfer-Encoding: chunked, gzip\r\n']
        .map((lines) => broken('C36', JSON.stringify(lines), `${HEAD}${lines}\r\n5\r\nhello\r\n0\r\n\r\n`, 'upstream_framing', 'framing')),
    bad('C37', '200 in gzip', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'gzip' }, body: Buffer.from('1f8b0800', 'hex') })),
    bad('C38', '200 a gzip bomb', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'gzip' }, body: Buffer.alloc(200000, 0x1f) })),
    bad('C39', '200 in an unknown coding', (exchange) => exchange.answer({ headers: { 'Content-Encoding': 'x-odd' }, body: WHOLE })),
    row('C40', '200 larger than limits.response', { modes: [false], alone: refused(502, 'upstream_too_large', 'too_large'), pair: rescued('too_large'), marks: DEPLOYMENT,
        play: async (exchange) => {
            await exchange.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
            for (let i = 0; i < 400 && exchange.isOpen; i += 1) {
                await exchange.event('x'.repeat(65536));
            }
        } }),
    broken('C41', 'a head of 1 MiB', counted(`X-A: ${'b'.repeat(1 << 20)}\r\n`), 'upstream_header', 'header'),
    broken('C41', 'a head of 10,000 lines', counted('X-A: b\r\n'.repeat(10000)), 'upstream_header', 'header'),
    ...['X-A: b\0c', 'X-A: b\rX: c', 'X A: b'].map((line) => broken('C42', JSON.stringify(line), counted(`${line}\r\n`), 'upstream_header', 'header')),
    ...['HTTP/1.1 999999 X', 'HTTP/1.1 000 X', 'garbage', '{"choices":[]}'].map((line) =>
        broken('C43', `status line ${line}`, `${line}\r\n${counted().split('\r\n').slice(1).join('\r\n')}`, 'upstream_protocol', 'protocol')),
    broken('C43', 'status 999', `HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\n{}`, 'upstream_protocol', 'protocol'),
    ...[204, 205].map((status) => bad('C44', `${status} with a body`, saysAndEnds(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\n{}`))),
    row('C44', '304 unasked', { play: saysAndEnds('HTTP/1.1 304 X\r\nContent-Length: 2\r\n\r\n{}'),
        alone: refused(502, 'upstream_redirect', 'redirect'), pair: rescued('redirect'), marks: DEPLOYMENT }),
    row('C45', 'a slow drip', { modes: [false], timeouts: { ...QUICK, total: 3000 }, marks: DEPLOYMENT,
        alone: refused(504, 'upstream_timeout', 'deadline'), pair: refused(504, 'upstream_timeout', 'deadline'),
        play: async (exchange) => {
            await exchange.send(`${HEAD}Content-Length: ${WHOLE.length}\r\n\r\n`);
            for (let i = 0; exchange.isOpen && i < WHOLE.length; i += 1) {
                await exchange.send(WHOLE[i]);
                await sleep(patient(300));
            }
        } }),
    bad('C46', '200 without choices, without content', (exchange) => exchange.json({ id: 'x', object: 'chat.completion' }), { modes: [false] }),
    odd('C47', 'empty content, usage there', (body) => body.replace('Hello from the mock.', ''), { modes: [false] }),
    odd('C48', 'a lone surrogate escape', (body) => body.replace('mock', '\\ud800').replace('"lo"', '"\\ud800"')),
    odd('C49', 'the answer of another model', (body) => body.replaceAll('lab-model', 'another-model').replaceAll('lab-claude', 'another-model')),
    row('C50', 'headers that are not for the app', { alone: served(),
        play: (exchange) => exchange.send(goodBytes(exchange, [['Set-Cookie', 'a=b'], ['Clear-Site-Data', '"*"'], ['Alt-Svc', 'h3=":443"'], ['x-auth', 'secret'],
            ['Connection', 'x-auth'], ['Content-Type', typeOf(exchange.request.json().stream === true)]])),
        also({ answer }) {
            for (const name of ['set-cookie', 'clear-site-data', 'alt-svc', 'x-auth']) {
                assert.equal(header(answer, name), undefined, name);
            }
        } }),
    row('C51', 'trailers', { alone: served(),
        play: (exchange) => exchange.send(Buffer.concat([goodBytes(exchange, {}, 'chunked').subarray(0, -2), Buffer.from('Content-Length: 3\r\nAuthorization: x\r\n\r\n')])),
        also({ answer }) { assert.equal(header(answer, 'authorization'), undefined); } }),
];
