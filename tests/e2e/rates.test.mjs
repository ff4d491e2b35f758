// SPDX-License-Identifier: Apache-2.0
// How fast apps may call (docs/rates.md): refused with the wait that it takes and not a moment more, told
// in the fields that SDKs read, and given back at every kind of end. Each test has a route of its own, and
// a rate of that route.
import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { KEY_SECRET, bearer, ringOf } from './lib/keys.mjs';
import { begun, DONE, ROLE, STOP, twenty } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const RATES = {
    burst: { limit: '60 requests', per: 'minute', burst: 2 },
    exact: { limit: '2 requests', per: 'second', burst: 1 },
    daily: { limit: '1 requests', per: 'day' },
    told: { limit: '60 requests', per: 'minute' },
    tighter: { limit: '60 requests', per: 'minute' },
    claude: { limit: '60 requests', per: 'minute', burst: 2 },
    refund: { limit: '600 tokens', per: 'minute' },
    held: { limit: '600 tokens', per: 'minute' },
    more: { limit: '600 tokens', per: 'minute' },
    none: { limit: '600 tokens', per: 'minute' },
    broke: { limit: '1 concurrent' },
    nobody: { limit: '1 concurrent' },
    gone: { limit: '1 concurrent' },
    drained: { limit: '1 concurrent' },
};
const SHORT = { connect: '700ms', head: '900ms', first_content: '900ms', idle: '900ms', total: '4s', stream_total: '4s' };

let upstream;
let headgate;

before(async () => {
    upstream = await Upstream.start();
    const at = (more = {}) => ({ kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider,
        breaker: { failures: 1000, ratio: '100%', silence: 'off' }, ...more });
    const providers = { openai: at(), drained: at({ on_abort: 'drain' }), nobody: at({ base_url: 'http://127.0.0.1:1/v1' }),
        claude: at({ kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic }) };
    const of = (name) => (name in providers ? name : 'openai');
    const routes = Object.fromEntries([...Object.keys(RATES), 'free'].map((name) => [name,
        { targets: [{ provider: of(name), model: 'gpt-4o-mini' }], timeouts: SHORT, retry: { attempts: 2, base: '10ms' } }]));
    headgate = await Headgate.start({
        providers, routes,
        budgets: [{ name: 'one', scope: 'route:broke', limit: '1 requests', window: 'total' }],
        rates: Object.entries(RATES).map(([name, rate]) => ({ name, scope: `route:${name}`, ...rate })),
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
});
afterEach(async () => {
    upstream.check();
    await headgate.reset();
    headgate.check();
});

const call = (model, more = {}, operation = 'chat') => ask(headgate.port, good(operation, { model, ...more }), patient(8000));
const errorOf = (answer) => JSON.parse(answer.body).error;
const number = (answer, name) => Number(header(answer, name));

// Refused by its rate: { ms, error }.
function denied(answer, type, name) {
    assert.equal(answer.status, 429, answer.body.toString());
    const error = errorOf(answer);
    const ms = number(answer, 'retry-after-ms');
    const seconds = number(answer, 'retry-after');
    assert.deepEqual([error.type, error.code], [type, 'rate_limit_exceeded']);
    assert.equal(seconds, Math.ceil(ms / 1000));
    assert.ok(seconds >= 1 && seconds <= 60);
    assert.match(error.message, new RegExp(`^headgate: .*: ${name}; try again in \\d+ seconds?$`));
    assert.doesNotMatch(error.message, /quota|billing|credit/i);
    return { ms, seconds, error };
}
const served = (answer) => assert.equal(answer.status, 200, answer.body.toString());

// A whole answer that tells of so many tokens.
const whole = (input, output, headers = {}) => (exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } }, 200, headers);

// Answers when it is told to.
function gate(script) {
    const waiting = [];
    upstream.play((exchange) => { waiting.push(exchange); });
    return { waiting, open: () => Promise.all(waiting.splice(0).map((exchange) => script(exchange))) };
}

// "6m0s", "1.5s", "12ms" in milliseconds.
function durationOf(text) {
    assert.match(text, /^((\d+h)?(\d+m)?\d+(\.\d{1,3})?s|\d+ms)$/);
    const units = { h: 3600000, m: 60000, s: 1000, ms: 1 };
    return [...text.matchAll(/([\d.]+)(ms|h|m|s)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit], 0);
}

describe('requests', () => {
    test('a burst is let in, then one a second', async () => {
        upstream.play(healthy);
        served(await call('burst'));
        served(await call('burst'));
        upstream.forget();
        const answer = await call('burst');
        const { seconds, error } = denied(answer, 'requests', 'burst');
        assert.equal(seconds, 1);
        assert.equal(error.param, null);
        assert.equal(header(answer, 'x-should-retry'), undefined);
        assert.equal(header(answer, 'x-ratelimit-limit-requests'), '60');
        assert.equal(header(answer, 'x-ratelimit-remaining-requests'), '0');
        assert.ok(durationOf(header(answer, 'x-ratelimit-reset-requests')) <= 2000);
        assert.equal(upstream.requests.length, 0, 'nothing was sent');
        const line = await headgate.callLine(answer);
        assert.deepEqual([line.reason, line.rate, line.status], ['rate_limit_exceeded', 'burst', 429]);
        const record = await until(() => recordsIn(path.join(headgate.dir, 'state'))
            .find(({ call_id }) => call_id === header(answer, 'x-headgate-call-id')), 4000, 'its record');
        assert.deepEqual([record.attempt, record.status, record.reason, record.decision, record.budget, record.route],
            [0, 429, 'rate_limit_exceeded', 'deny', 'burst', 'burst']);
    });
    test('the wait is exact', async () => {
        upstream.play(healthy);
        served(await call('exact'));
        const began = Date.now();
        const { ms } = denied(await call('exact'), 'requests', 'exact');
        assert.ok(ms > 300 && ms <= 500, `${ms}`);
        await sleep(ms - 150);
        const left = denied(await call('exact'), 'requests', 'exact').ms;
        assert.ok(Math.abs(Date.now() - began + left - ms) <= 60, `${left} of ${ms} left`);
        await sleep(left + 1);
        served(await call('exact'));
    });
    test('a wait that is longer than a minute is told as one, and not to ask again', async () => {
        upstream.play(healthy);
        served(await call('daily'));
        const answer = await call('daily');
        const { ms, error } = denied(answer, 'requests', 'daily');
        assert.equal(ms, 60000);
        assert.equal(header(answer, 'x-should-retry'), 'false');
        assert.match(error.message, /try again in 86\d{3} seconds$/);
        assert.match(header(answer, 'x-ratelimit-reset-requests'), /^23h59m5\d(\.\d+)?s$/);
    });
    test('what counts is the call, not its attempts; lists of models and routes without a rate are free', async () => {
        upstream.play((exchange) => (upstream.requests.length % 2 === 1 ? exchange.json({ error: { message: 'x' } }, 500) : healthy(exchange)));
        upstream.forget();
        const answer = await call('told');
        served(answer);
        assert.equal(upstream.requests.length, 2);
        assert.equal(header(answer, 'x-ratelimit-remaining-requests'), '59');
        upstream.play(healthy);
        for (let i = 0; i < 3; i += 1) {
            served(await ask(headgate.port, request({ method: 'GET', target: '/v1/models', headers: { Authorization: `Bearer ${CANARY.app}` } })));
        }
        const free = await call('free');
        served(free);
        assert.equal(header(free, 'x-ratelimit-remaining-requests'), undefined);
        assert.equal(header(await call('told'), 'x-ratelimit-remaining-requests'), '58');
    });
});

describe('fields', () => {
    test('ours where a limit of ours leaves less, the provider\'s where that does', async () => {
        const theirs = (remaining) => whole(1, 1, { 'x-ratelimit-limit-requests': '5000', 'X-RateLimit-Remaining-Requests': String(remaining),
            'x-ratelimit-reset-requests': '12ms', 'x-ratelimit-remaining-tokens': '77', 'x-ratelimit-limit-tokens': '99' });
        upstream.play(theirs(4999));
        const ours = await call('tighter');
        assert.deepEqual(ours.headers.filter(([name]) => /requests/i.test(name)).map(([name, value]) => [name, name.includes('reset') ? '' : value]),
            [['x-ratelimit-limit-requests', '60'], ['x-ratelimit-remaining-requests', '59'], ['x-ratelimit-reset-requests', '']]);
        assert.ok(durationOf(header(ours, 'x-ratelimit-reset-requests')) <= 1000);
        assert.equal(header(ours, 'x-ratelimit-remaining-tokens'), '77', 'of which we have no limit');
        upstream.play(theirs(3));
        const provider = await call('tighter');
        assert.deepEqual(['limit', 'remaining', 'reset'].map((name) => header(provider, `x-ratelimit-${name}-requests`)), ['5000', '3', '12ms']);
        upstream.play(async (exchange) => {
            await exchange.streamHead({ 'x-ratelimit-remaining-requests': '4999' });
            await exchange.event(ROLE + twenty + STOP + DONE);
            await exchange.streamEnd();
        });
        assert.equal(header(await call('tighter', { stream: true }), 'x-ratelimit-remaining-requests'), '57');
        upstream.play((exchange) => exchange.json({ error: { message: 'no', type: 'invalid_request_error' } }, 400, { 'x-ratelimit-remaining-requests': '4999' }));
        const failed = await call('tighter');
        assert.equal(failed.status, 400);
        assert.equal(header(failed, 'x-ratelimit-remaining-requests'), '56');
    });
    test('on the Anthropic dialect in its own names, with moments', async () => {
        upstream.play((exchange) => exchange.answer({ headers: { 'anthropic-ratelimit-requests-limit': '1000', 'anthropic-ratelimit-requests-remaining': '999',
            'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:00Z', 'anthropic-ratelimit-input-tokens-remaining': '5' },
        body: JSON.stringify({ id: 'm', type: 'message', role: 'assistant', model: 'c', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } }) }));
        const answer = await call('claude', {}, 'messages');
        served(answer);
        assert.deepEqual(answer.headers.filter(([name]) => /ratelimit/i.test(name)).map(([name]) => name).sort(),
            ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-requests-limit', 'anthropic-ratelimit-requests-remaining', 'anthropic-ratelimit-requests-reset']);
        assert.equal(header(answer, 'anthropic-ratelimit-requests-limit'), '60');
        assert.equal(header(answer, 'anthropic-ratelimit-requests-remaining'), '1');
        const reset = header(answer, 'anthropic-ratelimit-requests-reset');
        assert.match(reset, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.ok(Math.abs(Date.parse(reset) - Date.now() - 1000) < patient(700), reset);
        await call('claude', {}, 'messages');
        const refused = await call('claude', {}, 'messages');
        assert.equal(refused.status, 429);
        const body = JSON.parse(refused.body);
        assert.deepEqual([body.type, body.error.type], ['error', 'rate_limit_error']);
        assert.match(body.error.message, /try again in 1 second$/);
        assert.equal(header(refused, 'anthropic-ratelimit-requests-remaining'), '0');
        assert.ok(number(refused, 'retry-after-ms') > 0);
    });
});

describe('tokens', () => {
    test('what was estimated too high comes back', async () => {
        upstream.play(whole(4, 1));
        for (let i = 0; i < 5; i += 1) {
            const answer = await call('refund', { max_tokens: 500 });
            served(answer);
            assert.equal(header(answer, 'x-ratelimit-limit-tokens'), '600');
        }
        const { waiting, open } = gate(whole(4, 1));
        const first = call('refund', { max_tokens: 500 });
        await until(() => waiting.length === 1, 4000, 'the first at the provider');
        const second = await call('refund', { max_tokens: 500 });
        const { ms } = denied(second, 'tokens', 'refund');
        assert.ok(ms > 30000 && ms <= 60000, `${ms}: some 560 tokens, 10 a second`);
        assert.ok(number(second, 'x-ratelimit-remaining-tokens') < 100);
        await open();
        served(await first);
        upstream.play(whole(4, 1));
        served(await call('refund', { max_tokens: 500 }));
    });
    test('what was used beyond the estimate counts against those that come later', async () => {
        upstream.play(whole(700, 100));
        served(await call('more', { max_tokens: 10 }));
        const answer = await call('more', { max_tokens: 10 });
        const { ms } = denied(answer, 'tokens', 'more');
        assert.ok(ms > 20000 && ms <= 30000, `${ms}: 200 more than there were, and its own`);
        assert.equal(header(answer, 'x-ratelimit-remaining-tokens'), '0');
    });
    test('a call larger than the limit is let in when all of it is free', async () => {
        upstream.play(whole(5, 5));
        served(await call('held', { max_tokens: 100000 }));
        served(await call('held', { max_tokens: 500 }));
    });
    test('a call that costs nothing takes nothing', async () => {
        upstream.play((exchange) => exchange.json({ error: { message: 'no', type: 'invalid_request_error' } }, 400));
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call('none', { max_tokens: 550 })).status, 400);
        }
        upstream.play((exchange) => exchange.reset());
        assert.equal((await call('none', { max_tokens: 550 })).status, 502);
    });
});

describe('calls at a time', () => {
    const sse = (...pieces) => async (exchange) => {
        await exchange.streamHead();
        for (const piece of pieces) {
            await exchange.event(piece);
        }
        await exchange.streamEnd();
    };
    // Begins a call and leaves when the provider, or the app, has seen so much.
    const leaves = (more, when) => async (model) => {
        const app = await App.connect(headgate.port);
        upstream.forget();
        app.send(request(good('chat', { model, ...more })));
        await (when === 'asked' ? upstream.request() : app.text('t3 '));
        denied(await call(model), 'concurrency', model);
        app.reset();
    };
    const answers = (status, more = {}) => async (model) => assert.equal((await call(model, more)).status, status);
    const ENDS = {
        'a whole answer': [healthy, answers(200)],
        'a stream': [sse(ROLE, twenty, STOP, DONE), answers(200, { stream: true })],
        'an error of the provider': [(exchange) => exchange.json({ error: { message: 'x' } }, 500), answers(502)],
        'its refusal': [(exchange) => exchange.json({ error: { message: 'x' } }, 400), answers(400)],
        'a reset': [(exchange) => exchange.reset(), answers(502)],
        'a provider that says nothing': [() => {}, answers(504)],
        'a stream that is cut': [async (exchange) => { await exchange.streamHead(); await exchange.event(ROLE + twenty); exchange.reset(); }, answers(200, { stream: true })],
        'a stream that falls silent': [async (exchange) => { await exchange.streamHead(); await exchange.event(ROLE + twenty); }, answers(200, { stream: true })],
        'an app that leaves before the answer': [() => {}, leaves({}, 'asked')],
        'an app that leaves in mid-stream': [async (exchange) => { await exchange.streamHead(); await exchange.event(begun('chat')); }, leaves({ stream: true }, 'text')],
    };
    for (const [name, [script, act]] of Object.entries(ENDS)) {
        test(`are given back: ${name}`, async () => {
            upstream.play(script);
            await act('gone');
            upstream.play(healthy);
            await until(async () => (await call('gone')).status === 200, patient(500), 'its place');
            served(await call('gone'));
        });
    }
    test('are given back: nobody is there', async () => {
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call('nobody')).status, 502);
        }
    });
    test('are given back: refused by a budget, nothing sent', async () => {
        upstream.play(healthy);
        served(await call('broke'));
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call('broke')).status, 402);
        }
    });
    test('are given back: refused by their request', async () => {
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call('gone', { messages: 'none' })).status, 400);
        }
    });
    test('are kept while the provider is read on without its app', async () => {
        const { waiting } = gate();
        const app = await App.connect(headgate.port);
        app.send(request(good('chat', { model: 'drained', stream: true })));
        await until(() => waiting.length === 1, 4000, 'the call at the provider');
        await waiting[0].streamHead();
        await waiting[0].event(ROLE + twenty);
        await app.text('t3 ');
        app.reset();
        await sleep(100);
        denied(await call('drained'), 'concurrency', 'drained');
        await waiting[0].event(STOP + DONE);
        await waiting[0].streamEnd();
        upstream.play(healthy);
        await until(async () => (await call('drained')).status === 200, patient(500), 'its place');
    });
});

describe('one limit for all', () => {
    test('counts whatever is sent to a provider, and lists of models not', async () => {
        upstream.play(healthy);
        const one = await Headgate.start({ providers: { openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
            anthropic: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic } },
        rates: [{ scope: 'global', limit: '3 requests', per: 'hour' }] });
        const say = (what) => ask(one.port, { headers: { Authorization: `Bearer ${CANARY.app}` }, ...what }, patient(4000));
        const models = { method: 'GET', target: '/v1/models' };
        const files = { method: 'GET', target: '/v1/files' };
        const count = { target: '/v1/messages/count_tokens', body: JSON.stringify({ model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hi' }] }) };
        try {
            for (const what of [models, models, models, models, good(), files, count, models]) {
                served(await say(what));
            }
            for (const what of [good(), files, count]) {
                const answer = await say(what);
                assert.equal(answer.status, 429);
                assert.equal(header(answer, 'x-should-retry'), 'false');
            }
            served(await say(models));
            one.check();
        } finally {
            await one.stop();
        }
    });
});

describe('BT12', () => {
    test('a thousand connections with one key: as many as may, the others are told', async () => {
        const ALL = 1000;
        const RING = ringOf({ one: { team: 'growth' } });
        const asked = request({ ...good(), headers: { ...good().headers, ...bearer(RING.texts.one) } });
        const MAY = 25;
        const crowd = await Headgate.start({
            providers: { openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } },
            key_secret: KEY_SECRET, keys: RING.keys,
            rates: [{ scope: 'key', limit: `${MAY} concurrent` }],
        });
        try {
            const { waiting, open } = gate(healthy);
            const apps = await Promise.all(Array.from({ length: ALL }, () => App.connect(crowd.port)));
            apps.forEach((app) => app.send(asked));
            await until(() => waiting.length === MAY && apps.filter((app) => app.answers.length > 0).length === ALL - MAY,
                patient(8000), 'all but those that may are told');
            for (const [answer] of apps.map((app) => app.answers).filter((answers) => answers.length > 0)) {
                const { ms } = denied(answer, 'concurrency', 'rates\\[0\\]');
                assert.equal(ms, 1000);
                assert.equal(header(answer, 'x-should-retry'), undefined);
            }
            await open();
            await until(() => apps.filter((app) => app.answers[0]?.status === 200).length === MAY, patient(4000), 'their answers');
            upstream.play(healthy);
            const again = await Promise.all(apps.slice(0, MAY).map((app) => {
                app.send(asked);
                return app.answer().then(() => app.answer());
            }));
            again.forEach(served);
            apps.forEach((app) => app.close());
            crowd.check();
        } finally {
            await crowd.stop();
        }
    });
});
