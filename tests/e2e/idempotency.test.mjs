// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key (docs/idempotency.md): one of many same calls runs, the others wait, are refused, or
// get the kept answer; and what is kept for whom.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { begun, complete, DONE, errors, providerError, ROLE, STOP, streams } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, request, until } from './lib/wire.mjs';

requireBinary();

const PRICES = `version: 1
prices:
  - { provider: openai, model: m, input: 1, output: 10, source: "made up" }
`;
const BREAKER = { failures: 1000, ratio: '100%', silence: 'off' };

let upstream;
let headgate;
let dir;
let keys = 0;

const at = (more = {}) => ({ kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider, breaker: BREAKER, ...more });
const settings = (more = {}) => ({
    prices: { files: [path.join(dir, 'prices.yaml')] },
    providers: { openai: at(), passed: at({ credential: 'passthrough', forward_headers: ['idempotency-key'] }), drained: at({ on_abort: 'drain' }),
        anthropic: at({ kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic }) },
    routes: Object.fromEntries(['openai', 'passed', 'drained', 'anthropic'].map((provider) =>
        [provider, { targets: [{ provider, model: 'm' }], retry: { attempts: 1 } }])),
    budgets: [{ name: 'poor', scope: 'tag:poor', limit: '0.000000001 USD', window: 'day' }],
    ...more,
});

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    headgate = await Headgate.start(settings(), { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
    upstream.forget();
    upstream.play(healthy);
});
afterEach(async () => {
    upstream.check();
    await headgate.reset();
    headgate.check();
});

const newKey = () => `key-${(keys += 1)}`;
const modelOf = (operation) => (operation === 'messages' ? 'anthropic' : 'openai');
// A call with this key; more: of its body; headers: beside.
const keyed = (key, { operation = 'chat', more = {}, headers = {}, target } = {}) =>
    good(operation, { model: modelOf(operation), ...more }, { headers: { 'Idempotency-Key': key, ...headers }, ...(target ? { target } : {}) });
const call = (key, what = {}, port = headgate.port) => ask(port, keyed(key, what), 12000);
const runs = () => upstream.requests.length;
const codeOf = (answer) => JSON.parse(answer.body.toString()).error.code;
const isReplay = (answer) => header(answer, 'x-headgate-replayed') === 'true';

function refused(answer, status, code, operation = 'chat') {
    assert.equal(answer.status, status, answer.body.toString());
    assert.equal(isReplay(answer), false);
    const body = JSON.parse(answer.body.toString());
    if (operation === 'messages') {
        assert.equal(body.type, 'error');
        assert.equal(body.error.type, 'invalid_request_error');
    } else {
        assert.equal(body.error.code, code);
    }
    assert.match(body.error.message, /Idempotency-Key/);
    assert.equal(header(answer, 'retry-after'), status === 409 ? '1' : undefined);
    assert.equal(header(answer, 'x-should-retry'), status === 409 ? undefined : 'false');
}

// Until the script is let go, requests wait at the provider.
function gate(then = healthy) {
    let open;
    const opened = new Promise((resolve) => { open = resolve; });
    upstream.play(async (exchange) => {
        await opened;
        return then(exchange);
    });
    return open;
}

describe('E10', () => {
    for (const operation of ['chat', 'responses', 'embeddings', 'messages']) {
        test(`${operation}: at once 409, later the same bytes, other bytes 422`, async () => {
            const key = newKey();
            const open = gate();
            const first = call(key, { operation });
            await upstream.request();
            refused(await call(key, { operation }), 409, 'idempotency_in_progress', operation);
            refused(await call(key, { operation, more: { user: 'other' } }), 422, 'idempotency_mismatch', operation);
            open();
            const answer = await first;
            assert.equal(answer.status, 200);
            assert.equal(isReplay(answer), false);
            for (let i = 0; i < 3; i += 1) {
                const again = await call(key, { operation });
                assert.equal(again.status, 200);
                assert.deepEqual(again.body, answer.body);
                assert.equal(header(again, 'content-type'), header(answer, 'content-type'));
                assert.ok(isReplay(again));
                assert.notEqual(header(again, 'x-headgate-call-id'), header(answer, 'x-headgate-call-id'));
                assert.equal(header(again, 'x-headgate-target'), undefined, 'nobody was asked');
                assert.equal(Number(header(again, 'x-headgate-cost-usd')), 0);
            }
            refused(await call(key, { operation, more: { user: 'other' } }), 422, 'idempotency_mismatch', operation);
            refused(await call(key, { operation, target: `${good(operation).target}?x=1` }), 422, 'idempotency_mismatch', operation);
            assert.equal(runs(), 1);
            assert.equal(header(upstream.requests[0], 'idempotency-key'), undefined, 'it stays here');
        });
    }

    test('on a path that is only passed through', async () => {
        for (const framing of ['length', 'chunked']) {
            const key = newKey();
            const what = { target: '/v1/images/generations' };
            const body = Buffer.from(Array.from({ length: 300000 }, (_, i) => i % 251));
            const open = gate((exchange) => exchange.answer({ status: 201, framing, body, size: 7000, headers: { 'Content-Type': 'image/png' } }));
            upstream.forget();
            const first = call(key, what);
            await upstream.request();
            refused(await call(key, what), 409, 'idempotency_in_progress');
            open();
            assert.deepEqual((await first).body, body);
            const again = await call(key, what);
            assert.equal(again.status, 201);
            assert.equal(header(again, 'content-type'), 'image/png');
            assert.deepEqual(again.body, body);
            assert.ok(isReplay(again));
            assert.equal(runs(), 1);
        }
    });

    test('an empty one, too', async () => {
        const key = newKey();
        upstream.play((exchange) => exchange.answer({ body: '' }));
        for (const is of [false, true]) {
            const answer = await call(key, { target: '/v1/batches/1/cancel' });
            assert.deepEqual([answer.status, answer.body.length, isReplay(answer)], [200, 0, is]);
        }
    });

    test('another path is another request', async () => {
        const key = newKey();
        assert.equal((await call(key)).status, 200);
        refused(await call(key, { operation: 'responses' }), 422, 'idempotency_mismatch');
        refused(await call(key, { operation: 'messages' }), 422, 'idempotency_mismatch', 'messages');
    });

    test('of 50 at once one runs', async () => {
        const key = newKey();
        const open = gate();
        const apps = await Promise.all(Array.from({ length: 50 }, () => App.connect(headgate.port)));
        apps.forEach((app) => app.send(request(keyed(key))));
        const answers = apps.map((app) => app.answer(10000));
        await until(() => headgate.callLines().filter(({ reason }) => reason === 'idempotency_in_progress').length >= 49, 8000, '49 refusals');
        open();
        const all = await Promise.all(answers);
        assert.deepEqual(all.map(({ status }) => status).sort(), [200, ...Array(49).fill(409)]);
        assert.equal(runs(), 1);
        apps.forEach((app) => app.close());
    });

    test('a replay is a record of its own that costs nothing', async () => {
        const key = newKey();
        const first = await call(key, { headers: { 'x-headgate-tags': 'rich' } });
        const again = await call(key, { headers: { 'x-headgate-tags': 'rich' } });
        assert.ok(isReplay(again));
        const recordOf = (answer) => until(() => recordsIn(path.join(headgate.dir, 'state'))
            .find(({ call_id: id }) => id === header(answer, 'x-headgate-call-id')), 4000, 'the record');
        const paid = await recordOf(first);
        const record = await recordOf(again);
        assert.ok(BigInt(paid.cost_pusd) > 0n);
        assert.equal(record.charge, 'replayed');
        assert.deepEqual(record.flags, ['replayed']);
        assert.equal(record.cost_pusd, '0');
        assert.equal(record.charged_nusd, 0);
        assert.equal(record.attempt, 0);
        assert.equal(record.status, 200);
        assert.equal(record.model_asked, 'openai');
        assert.deepEqual(record.tags, ['rich']);
        assert.equal(record.hold_nusd, undefined, 'nothing was set aside');
        assert.equal(record.reason, undefined);
        const line = await headgate.callLine(again);
        assert.equal(line.replayed, true);
        assert.equal(line.status, 200);
        assert.equal(line.attempts, undefined);
        assert.equal(Number(line.cost_usd), 0);
        assert.equal((await headgate.callLine(first)).replayed, undefined);
    });
});

describe('BS23', () => {
    const cases = [
        ['empty', ''], ['256 characters', 'k'.repeat(256)], ['a blank', 'a b'], ['a tab', 'a\tb'], ['no ASCII', 'k\xe9y'],
    ];
    for (const [name, value] of cases) {
        test(`${name}: 400 and nothing is asked`, async () => {
            for (const operation of ['chat', 'messages']) {
                refused(await call(value, { operation }), 400, 'invalid_idempotency_key', operation);
            }
            assert.equal(runs(), 0);
        });
    }

    test('control characters are no header at all', async () => {
        for (const value of ['a\x01b', 'a\x7fb', 'a\x00']) {
            const answer = await call(value);
            assert.equal(answer.status, 400, JSON.stringify(value));
        }
        assert.equal(runs(), 0);
    });

    test('two of them: 400, also of the same', async () => {
        const { headers, ...rest } = keyed('x');
        for (const second of ['x', 'y']) {
            const answer = await ask(headgate.port, { ...rest, headers: [...Object.entries(headers), ['idempotency-key', second]] });
            refused(answer, 400, 'invalid_idempotency_key');
        }
        assert.equal(runs(), 0);
    });

    test('255 characters and quotes are a key', async () => {
        for (const key of [`"${'q'.repeat(253)}"`, '!~,;=']) {
            assert.equal(isReplay(await call(key)), false);
            assert.ok(isReplay(await call(key)));
        }
        assert.equal(runs(), 2);
    });

    test('nothing is begun where the request itself is refused', async () => {
        const key = newKey();
        const { body, ...rest } = keyed(key);
        const broken = await ask(headgate.port, { ...rest, body: body.slice(0, -1) });
        assert.equal(codeOf(broken), 'invalid_json');
        assert.equal(codeOf(await call(key, { more: { model: 'openai/x'.repeat(100) } })), 'invalid_model');
        assert.equal(isReplay(await call(key)), false);
        assert.equal(runs(), 1);
    });
});

describe('BA18', () => {
    test('without keys, whoever sends another credential is another caller', async () => {
        const key = newKey();
        const mine = await call(key, { headers: { Authorization: 'Bearer sk-test-mine-1111111111' } });
        upstream.play((exchange) => exchange.json({ id: 'another', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'not yours' }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
        const theirs = await call(key, { headers: { Authorization: 'Bearer sk-test-theirs-222222222' } });
        assert.equal(theirs.status, 200);
        assert.equal(isReplay(theirs), false);
        assert.notDeepEqual(theirs.body, mine.body);
        assert.deepEqual((await call(key, { headers: { Authorization: 'Bearer sk-test-mine-1111111111' } })).body, mine.body);
        assert.deepEqual((await call(key, { headers: { Authorization: 'Bearer sk-test-theirs-222222222' } })).body, theirs.body);
        assert.equal(runs(), 2);
    });

    test('nor does another one learn that a call runs', async () => {
        const key = newKey();
        const open = gate();
        const mine = call(key, { headers: { Authorization: 'Bearer sk-test-mine-1111111111' } });
        await upstream.request();
        const theirs = call(key, { more: { user: 'else' }, headers: { Authorization: 'Bearer sk-test-theirs-222222222' } });
        await upstream.request(2);
        open();
        assert.deepEqual([(await mine).status, (await theirs).status], [200, 200]);
    });

    test('tags and traces make no other caller', async () => {
        const key = newKey();
        await call(key, { headers: { 'x-headgate-tags': 'a', 'x-headgate-trace': 't1' } });
        assert.ok(isReplay(await call(key, { headers: { 'x-headgate-tags': 'b', 'x-headgate-trace': 't2' } })));
    });

    test('a provider that wants the header gets it beside the app\'s own credential', async () => {
        const key = newKey();
        assert.equal((await call(key, { more: { model: 'passed' } })).status, 200);
        assert.equal(header(upstream.requests[0], 'idempotency-key'), key);
        assert.ok(isReplay(await call(key, { more: { model: 'passed' } })));
        assert.equal(runs(), 1);
    });
});

describe('what is not kept', () => {
    test('a stream: only one at a time', async () => {
        const key = newKey();
        const what = { more: { stream: true } };
        let finish;
        const finished = new Promise((resolve) => { finish = resolve; });
        upstream.play(streams(() => begun('chat'), async (exchange) => {
            await finished;
            await exchange.event(STOP);
            await exchange.event(DONE);
            return exchange.streamEnd();
        }));
        const app = await App.connect(headgate.port);
        app.send(request(keyed(key, what)));
        await app.head();
        refused(await call(key, what), 409, 'idempotency_in_progress');
        refused(await call(key), 422, 'idempotency_mismatch');
        finish();
        assert.equal((await app.answer()).status, 200);
        app.close();
        upstream.play(streams(() => complete('chat')));
        const again = await call(key, what);
        assert.equal(again.status, 200);
        assert.equal(isReplay(again), false);
        assert.equal(runs(), 2);
    });

    test('a stream whose provider answers whole, or breaks off', async () => {
        const key = newKey();
        const what = { more: { stream: true } };
        upstream.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
        assert.equal(header(await call(key, what), 'content-type'), 'text/event-stream');
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(ROLE);
            exchange.reset();
        });
        assert.equal((await call(key, what)).status >= 500, true);
        upstream.play(healthy);
        assert.equal((await call(key)).status, 200, 'the key is free for any request');
        assert.equal(runs(), 3);
    });

    const failures = {
        'a 500': { play: errors(500, { chat: providerError('server_error', null) }), status: 502 },
        'a 400': { play: errors(400, { chat: providerError('invalid_request_error', 'bad') }), status: 400 },
        'a 429': { play: errors(429, { chat: providerError('rate_limit_error', null) }), status: 429 },
        'a 200 with an error in it': { play: (exchange) => exchange.json({ error: { message: 'no', type: 'server_error', code: null, param: null } }), status: 502 },
        'a 200 without an answer in it': { play: (exchange) => exchange.json({}), status: 502 },
        'half an answer': { play: async (exchange) => {
            await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"id":');
            exchange.end();
        }, status: 502 },
        'a reset': { play: (exchange) => exchange.reset(), status: 502 },
    };
    for (const [name, { play, status }] of Object.entries(failures)) {
        test(`${name}: a repeat runs again`, async () => {
            const key = newKey();
            upstream.play(play);
            const failed = await call(key);
            assert.equal(failed.status, status, failed.body.toString());
            await headgate.reset();
            upstream.play(healthy);
            const again = await call(key);
            assert.equal(again.status, 200, again.body.toString());
            assert.equal(isReplay(again), false);
            assert.ok(isReplay(await call(key)));
        });
    }

    test('refusals of ours: no such model, no money', async () => {
        const key = newKey();
        assert.equal((await call(key, { headers: { 'x-headgate-route': 'nowhere' } })).status, 404);
        const what = { more: { max_tokens: 10 }, headers: { 'x-headgate-tags': 'poor' } };
        const denied = await call(key, what);
        assert.equal(denied.status, 402, denied.body.toString());
        assert.equal(runs(), 0);
        assert.equal(isReplay(await call(key, { ...what, headers: {} })), false);
        const again = await call(key, what);
        assert.ok(isReplay(again), 'what was paid for needs no money');
        assert.equal(header(again, 'x-headgate-budget'), undefined);
        assert.equal(runs(), 1);
    });

    test('an answer over 1 MiB', async () => {
        const key = newKey();
        const of = (size) => (exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'z'.repeat(size) }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } });
        upstream.play(of(1024 * 1024));
        assert.equal((await call(key)).status, 200);
        assert.equal(isReplay(await call(key)), false);
        upstream.play(of(1024 * 1024 - 1000));
        const last = await call(key);
        const again = await call(key);
        assert.ok(isReplay(again));
        assert.deepEqual(again.body, last.body);
        assert.equal(runs(), 3);
    });

    const unkept = {
        'a stream': { headers: { 'Content-Type': 'text/event-stream' }, body: 'data: 1\n\n' },
        'what ends with its connection': { framing: 'close', body: '{}' },
        'more than 1 MiB': { body: 'z'.repeat(1024 * 1024 + 1) },
        'an error': { status: 400, body: providerError('invalid_request_error', 'bad') },
        'no content': { status: 204 },
        'a type of 81 letters': { headers: { 'Content-Type': `text/${'t'.repeat(76)}` }, body: 'x' },
    };
    for (const [name, answer] of Object.entries(unkept)) {
        test(`on a path that is only passed through: ${name}`, async () => {
            const key = newKey();
            upstream.play((exchange) => exchange.answer(answer));
            for (let i = 1; i <= 2; i += 1) {
                const got = await call(key, { target: '/v1/images/generations' });
                assert.equal(got.status, answer.status ?? 200);
                assert.equal(isReplay(got), false);
                assert.equal(runs(), i);
            }
        });
    }

    test('what only reads', async () => {
        const key = newKey();
        for (let i = 0; i < 2; i += 1) {
            const answer = await ask(headgate.port, { method: 'GET', target: '/v1/files', headers: { 'Idempotency-Key': key, Authorization: `Bearer ${CANARY.app}` } });
            assert.equal(answer.status, 200);
            assert.equal(isReplay(answer), false);
        }
        assert.equal((await call(key)).status, 200, 'nor do they take the key');
        assert.equal(runs(), 3);
    });
});

describe('an app that leaves', () => {
    const leave = async (key, what) => {
        const app = await App.connect(headgate.port);
        app.send(request(keyed(key, what)));
        await upstream.request();
        app.close();
        return app;
    };

    test('its call is given up, and the next one runs', async () => {
        const key = newKey();
        gate();
        const lines = headgate.callLines().length;
        await leave(key, {});
        await until(() => headgate.callLines().length > lines, 4000, 'its line');
        upstream.play(healthy);
        const again = await call(key);
        assert.equal(again.status, 200);
        assert.equal(isReplay(again), false);
        assert.equal(runs(), 2);
    });

    test('where the provider is read on, the answer waits for it', async () => {
        const key = newKey();
        const what = { more: { model: 'drained' } };
        const open = gate();
        await leave(key, what);
        await sleep(100);
        refused(await call(key, what), 409, 'idempotency_in_progress');
        open();
        const again = await until(async () => {
            const answer = await call(key, what);
            return answer.status === 409 ? null : answer;
        }, 4000, 'the kept answer');
        assert.equal(again.status, 200);
        assert.ok(isReplay(again));
        assert.equal(runs(), 1);
    });

    const noAnswers = {
        chat: { error: { message: 'no', type: 'server_error', code: null, param: null } },
        responses: { id: 'r', object: 'response', status: 'failed', error: { code: 'server_error', message: 'no' }, model: 'm', output: [] },
    };
    for (const [operation, body] of Object.entries(noAnswers)) {
        test(`and what it is read on to is no answer: the next one runs (${operation})`, async () => {
            const key = newKey();
            const what = { operation, more: { model: 'drained' } };
            const open = gate((exchange) => exchange.json(body));
            const lines = headgate.callLines().length;
            await leave(key, what);
            await sleep(100);
            open();
            await until(() => headgate.callLines().length > lines, 4000, 'its line');
            upstream.play(healthy);
            assert.equal(isReplay(await call(key, what)), false);
            assert.equal(runs(), 2);
        });
    }
});

describe('in other settings', () => {
    let other;
    afterEach(async () => {
        other?.check();
        await other?.stop();
        other = null;
    });

    test('kept answers take an eighth of limits.memory at most, the oldest goes first', async () => {
        other = await Headgate.start(settings({ limits: { memory: '16MiB' } }));
        upstream.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'z'.repeat(500 * 1024) }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
        for (let i = 0; i < 40; i += 1) {
            assert.equal((await call(`many-${i}`, {}, other.port)).status, 200, `call ${i}`);
        }
        const kept = [];
        for (let i = 39; i >= 35; i -= 1) {
            kept.push(isReplay(await call(`many-${i}`, {}, other.port)));
        }
        assert.deepEqual(kept, [true, true, true, true, false]);
        other.signal('SIGUSR2');
        const held = await until(() => other.lines().find(({ event }) => event === 'status'), 3000, 'its status');
        assert.ok(held.bytes_held < 6 * 1024 * 1024, `${held.bytes_held} bytes`);
    });

    test('without x-headgate headers a replay says nothing of itself', async () => {
        other = await Headgate.start(settings({ response_headers: false }));
        const first = await call('quiet', {}, other.port);
        const again = await call('quiet', {}, other.port);
        assert.deepEqual(again.body, first.body);
        assert.equal(again.headers.filter(([name]) => name.startsWith('x-headgate-')).length, 0);
        assert.equal(runs(), 1);
    });

    test('a replay waits for the disk as its first answer does', async () => {
        other = await Headgate.start(settings({ journal: { durability: 'power' } }));
        const first = await call('safe', {}, other.port);
        for (let i = 0; i < 3; i += 1) {
            const again = await call('safe', {}, other.port);
            assert.deepEqual(again.body, first.body);
            assert.ok(isReplay(again));
        }
        assert.equal(runs(), 1);
    });

    test('a restart forgets', async () => {
        other = await Headgate.start(settings());
        await call('gone', {}, other.port);
        await other.stop();
        other = await Headgate.start(settings());
        assert.equal(isReplay(await call('gone', {}, other.port)), false);
        assert.equal(runs(), 2);
    });

    test('a drain ends with a call that runs and its repeats told', async () => {
        other = await Headgate.start(settings({ drain: { timeout: '300ms' } }));
        gate();
        const first = call('drain', {}, other.port);
        await upstream.request();
        other.signal('SIGTERM');
        assert.ok((await first).status >= 500);
        await other.ended;
        assert.equal(other.exited.code, 0);
        other = null;
    });
});
