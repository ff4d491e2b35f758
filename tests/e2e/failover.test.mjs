// SPDX-License-Identifier: Apache-2.0
// Failover as an operator configures it: commit modes, early head, hedging, tasks, waiting, sessions,
// active probes. One headgate, providers that do what a script says.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, freePort, requireBinary } from './lib/headgate.mjs';
import { checkRefusal } from './lib/rows.mjs';
import { good, healthy, upstreamFile } from './lib/samples.mjs';
import test, { after, afterEach, before } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token';
const STREAM = upstreamFile('openai-chat.sse').toString();
const EVENTS = STREAM.split('\n\n').filter(Boolean).map((event) => `${event}\n\n`);
const ms = (value) => `${patient(value)}ms`;
const TIMEOUTS = { connect: ms(700), head: ms(1000), first_content: ms(1000), idle: ms(1000), total: ms(10000), stream_total: ms(12000) };

let first;
let second;
let headgate;
const target = (provider, more = {}) => ({ provider, model: 'm', ...more });
const pair = [target('first'), target('second')];

before(async () => {
    first = (await Upstream.start()).play(healthy);
    second = (await Upstream.start()).play(healthy);
    const at = (upstream, more = {}) => ({ kind: 'openai', base_url: `${upstream.origin}/v1`,
        credential: CANARY.provider, breaker: { open: '1s' }, ...more });
    headgate = await Headgate.start({
        providers: { first: at(first), second: at(second, { credential: CANARY.anthropic }),
            inner: { kind: 'fixtures' }, broken: { kind: 'fixtures', fixtures: { fail: [{ status: 503 }] } } },
        routes: {
            plain: { targets: pair, timeouts: TIMEOUTS },
            complete: { targets: pair, timeouts: TIMEOUTS, commit: 'complete' },
            tokens: { targets: pair, timeouts: TIMEOUTS, commit: { tokens: 20 } },
            later: { targets: pair, timeouts: TIMEOUTS, commit: { after: ms(400) } },
            early: { targets: pair, timeouts: { ...TIMEOUTS, first_content: ms(900) }, early_head: ms(200) },
            hedged: { targets: pair, timeouts: { ...TIMEOUTS, first_content: '8s' }, hedge: { after: ms(300) } },
            waits: { targets: pair, timeouts: TIMEOUTS, retry: { wait: '2s' } },
            large: { targets: [target('first', { context: 1000 }), target('second', { context: 9000 })], timeouts: TIMEOUTS },
            inward: { targets: [target('first'), target('inner')], timeouts: TIMEOUTS },
            outward: { targets: [target('broken'), target('first')], timeouts: TIMEOUTS },
            spread: { targets: pair, strategy: 'round_robin', timeouts: TIMEOUTS },
            canary: { targets: [target('second', { share: '30%' }), target('first')], timeouts: TIMEOUTS },
        },
        tasks: { draft: 'plain', repair: 'complete' },
    }, { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
});
after(async () => {
    await headgate?.stop();
    await first?.stop();
    await second?.stop();
});
// Nothing of one test is remembered in the next: as an operator would do it.
const reset = () => ask(headgate.admin, { method: 'POST', target: '/admin/v1/targets/*/reset',
    headers: { Authorization: `Bearer ${TOKEN}` } }, 5000);
afterEach(async () => {
    assert.equal((await reset()).status, 200);
    headgate.check();
    first.check();
    second.check();
    first.forget();
    second.forget();
    first.play(healthy);
    second.play(healthy);
});

const call = (model, more = {}, extra = {}) => ask(headgate.port, good('chat', { model, ...more }, extra), 15000);
const stream = (model, more = {}, extra = {}) => call(model, { stream: true, ...more }, extra);
const cutAfter = (count, how = 'reset') => async (exchange) => {
    await exchange.streamHead();
    for (const event of EVENTS.slice(0, count)) {
        await exchange.event(event);
    }
    await sleep(30);
    exchange[how]();
};
const whole = (answer) => {
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal(answer.body.toString(), STREAM, 'one whole stream and nothing of the failed one');
};

test('a stream cut before its first content fails over without a trace', async () => {
    first.play(cutAfter(1));
    const answer = await stream('plain');
    whole(answer);
    assert.equal(header(answer, 'x-headgate-target'), 'second/m');
    assert.equal(header(answer, 'x-headgate-attempts'), '2');
    assert.match(header(answer, 'x-headgate-failover'), /^(reset|truncated)$/);
    const line = await headgate.callLine(answer);
    assert.match(line.tries, /^first\/m (reset|truncated) \d+ms, other_target; second\/m ok \d+ms$/);
});

test('from a provider to a built-in one, and from there to a provider', async () => {
    first.play((exchange) => exchange.json({ error: { message: 'no' } }, 503));
    const inward = await call('inward');
    assert.equal(inward.status, 200, inward.body.toString());
    assert.equal(header(inward, 'x-headgate-target'), 'inner/m');
    assert.ok(first.requests.length > 0 && first.requests.length <= 2, 'asked for its own attempts alone');
    first.forget();
    first.play(healthy);
    const outward = await call('outward');
    assert.equal(outward.status, 200, outward.body.toString());
    assert.equal(header(outward, 'x-headgate-target'), 'first/m');
    assert.equal(first.requests.length, 1, 'it was really asked');
});

test('commit: complete rescues a stream that is cut after its content', async () => {
    first.play(cutAfter(EVENTS.length - 2));
    whole(await stream('complete'));
    first.play(cutAfter(EVENTS.length - 2, 'end'));
    whole(await stream('complete'));
});

test('commit: tokens rescues a stream that is cut early, and not one that is cut late', async () => {
    first.play(cutAfter(3));
    whole(await stream('tokens'));
});

test('commit: after holds for so long and then shows', async () => {
    first.play(cutAfter(4));
    whole(await stream('later'));
    first.play(async (exchange) => {
        await exchange.streamHead();
        for (const event of EVENTS.slice(0, -1)) {
            await exchange.event(event);
        }
        await sleep(patient(900));
        await exchange.event(EVENTS.at(-1));
        await exchange.streamEnd();
    });
    const app = await App.connect(headgate.port);
    app.send(request(good('chat', { model: 'later', stream: true })));
    await app.head(5000);
    assert.ok(!app.answers.length, 'shown before the end');
    whole(await app.answer(8000));
    app.close();
});

test('an early head gives up no failover and names nobody', async () => {
    first.play((exchange) => exchange.streamHead({ 'x-ratelimit-remaining-requests': '7' }));
    const answer = await stream('early');
    assert.equal(answer.status, 200);
    assert.ok(answer.body.toString().startsWith(': keep-alive\n\n'), answer.body.toString().slice(0, 40));
    assert.equal(answer.body.toString().replaceAll(': keep-alive\n\n', ''), STREAM);
    assert.equal(header(answer, 'x-headgate-target'), undefined);
    assert.equal(header(answer, 'x-ratelimit-remaining-requests'), undefined);
    assert.equal((await headgate.callLine(answer)).target, 'second/m');
});

test('a hedge answers when the first is late; the loser is let go', async () => {
    for (let i = 0; i < 25; i += 1) { // a hedge is one call in twenty of the route
        assert.equal((await stream('hedged')).status, 200);
    }
    first.forget();
    let lost;
    first.play((exchange) => { lost = exchange.closed(8000); });
    const answer = await stream('hedged');
    whole(answer);
    assert.equal(header(answer, 'x-headgate-target'), 'second/m');
    await lost;
    const line = await headgate.callLine(answer);
    assert.match(line.tries, /first\/m hedge_lost \d+ms.*second\/m ok/);
    assert.equal(line.attempts, 2);
});

test('the first may win although a hedge was sent', async () => {
    for (let i = 0; i < 25; i += 1) {
        assert.equal((await stream('hedged')).status, 200);
    }
    first.play(async (exchange) => {
        await sleep(patient(600));
        return healthy(exchange);
    });
    let lost;
    second.play(async (exchange) => { lost = exchange.closed(8000); await exchange.streamHead(); });
    const answer = await stream('hedged');
    whole(answer);
    assert.equal(header(answer, 'x-headgate-target'), 'first/m');
    await lost;
    assert.match((await headgate.callLine(answer)).tries, /first\/m ok.*second\/m hedge_lost/);
});

test('no more than one call in twenty is hedged', async () => {
    first.play(async (exchange) => {
        await sleep(patient(500));
        return healthy(exchange);
    });
    second.forget();
    const answers = await Promise.all(Array.from({ length: 20 }, () => stream('hedged')));
    answers.forEach(whole);
    assert.ok(second.requests.length <= 4, `${second.requests.length} hedges`);
});

test('a task chooses its route by header and by name', async () => {
    for (const [model, headers] of [['anything', { 'x-headgate-task': 'draft' }], ['draft', {}]]) {
        const answer = await call(model, {}, { headers });
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'x-headgate-route'), 'plain');
    }
    const line = await headgate.callLine(await call('x', {}, { headers: { 'x-headgate-task': 'repair', 'x-headgate-trace': 'unit-1' } }));
    assert.equal(line.route, 'complete');
    assert.equal(line.task, 'repair');
    assert.equal(line.trace, 'unit-1');
    assert.equal(header(await call('x', {}, { headers: { 'x-headgate-route': 'spread' } }), 'x-headgate-route'), 'spread');
    const wrong = await call('x', {}, { headers: { 'x-headgate-task': 'drafts' } });
    checkRefusal(wrong, { status: 404, code: 'task_not_found', dialect: 'openai' });
    assert.match(wrong.body.toString(), /did you mean draft\?/);
    checkRefusal(await call('x', {}, { headers: { 'x-headgate-route': 'nowhere' } }), { status: 404, code: 'route_not_found', dialect: 'openai' });
});

test('retry.wait waits for a short hint instead of failing over', async () => {
    let seen = 0;
    first.play((exchange) => (seen++ === 0
        ? exchange.json({ error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } }, 429, { 'retry-after-ms': '300' })
        : healthy(exchange)));
    const began = Date.now();
    const answer = await call('waits');
    assert.equal(answer.status, 200);
    assert.equal(header(answer, 'x-headgate-target'), 'first/m');
    assert.equal(header(answer, 'x-headgate-attempts'), '2');
    assert.ok(Date.now() - began >= 300);
    assert.match((await headgate.callLine(answer)).tries, /throttled \d+ms, waited_hint after \d+ms/);
});

test('a target that was throttled is left alone until its time has come', async () => {
    first.play((exchange) => exchange.json({ error: { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' } }, 429, { 'retry-after': '1' }));
    assert.equal(header(await call('plain'), 'x-headgate-target'), 'second/m');
    first.forget();
    first.play(healthy);
    assert.equal(header(await call('plain'), 'x-headgate-target'), 'second/m');
    assert.equal(first.requests.length, 0);
    await until(async () => header(await call('plain'), 'x-headgate-target') === 'first/m', 5000, 'the first target is asked again');
});

test('what is too long for one target goes to a larger one', async () => {
    first.play((exchange) => exchange.json({ error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded', param: 'messages' } }, 400));
    const answer = await call('large');
    assert.equal(answer.status, 200);
    assert.equal(header(answer, 'x-headgate-target'), 'second/m');
    second.play((exchange) => exchange.json({ error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded', param: 'messages' } }, 400));
    assert.equal((await call('large')).status, 400);
    assert.equal((await call('plain')).status, 400);
});

test('x-headgate-no-failover asks for one attempt and no more', async () => {
    first.play((exchange) => exchange.json({ error: { message: 'x', type: 'server_error' } }, 500));
    const answer = await call('plain', {}, { headers: { 'x-headgate-no-failover': 'true' } });
    assert.equal(answer.status, 502);
    assert.equal(header(answer, 'x-headgate-attempts'), '1');
    assert.equal(header(answer, 'x-should-retry'), 'false');
    assert.equal(second.requests.length, 0);
});

test('a session stays with its target', async () => {
    const asked = async (session) => header(await call('spread', {}, { headers: { 'x-headgate-session': session } }), 'x-headgate-target');
    for (const session of ['one', 'two', 'three']) {
        const home = await asked(session);
        for (let i = 0; i < 5; i += 1) {
            assert.equal(await asked(session), home);
        }
    }
    const byBody = async () => header(await call('spread', { prompt_cache_key: 'k-1' }), 'x-headgate-target');
    const home = await byBody();
    for (let i = 0; i < 5; i += 1) {
        assert.equal(await byBody(), home);
    }
});

test('a canary takes its share of the sessions, and the same ones each time', async () => {
    const asked = async (i) => header(await call('canary', {}, { headers: { 'x-headgate-session': `s${i}` } }), 'x-headgate-target');
    const homes = [];
    for (let i = 0; i < 60; i += 1) {
        homes.push(await asked(i));
    }
    const taken = homes.filter((home) => home === 'second/m').length;
    assert.ok(taken >= 6 && taken <= 32, `${taken} of 60`);
    for (let i = 0; i < 10; i += 1) {
        assert.equal(await asked(i), homes[i]);
    }
});

test('an endpoint that is open is asked for its model list, never for a completion', async () => {
    const port = await freePort();
    const alone = await Headgate.start({
        providers: { gone: { kind: 'openai', base_url: `http://127.0.0.1:${port}/v1`, credential: CANARY.provider, breaker: { open: '1s' } } },
        routes: { gone: { targets: [target('gone')], timeouts: TIMEOUTS, retry: { attempts: 1 } } },
    });
    try {
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await ask(alone.port, good('chat', { model: 'gone' }), 5000)).status, 502);
        }
        await until(() => alone.lines().some((line) => line.event === 'breaker_opened' && line.scope === 'endpoint'),
            3000, `the endpoint's breaker: ${alone.stderr}`);
        const upstream = await Upstream.start({ port });
        upstream.play(healthy);
        await until(() => upstream.requests.some((one) => one.target === '/v1/models'), 8000, 'the probe');
        await until(() => alone.lines().some((line) => line.event === 'breaker_half_open'), 3000, 'half-open');
        assert.ok(upstream.requests.every((one) => one.method === 'GET'));
        assert.equal((await ask(alone.port, good('chat', { model: 'gone' }), 5000)).status, 200);
        await upstream.stop();
    } finally {
        await alone.stop();
    }
});
