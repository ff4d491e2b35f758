// SPDX-License-Identifier: Apache-2.0
// Translation inside the life of a call: what is learned, held back, told late, read on without its app, and
// counted here instead of being asked for. What is said in which words is shown by sdk_translate.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { messages, provider } from './lib/foreign.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import test, { after, afterEach, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, request, until } from './lib/wire.mjs';

requireBinary();

const BREAKER = { failures: 1000, ratio: '100%', silence: 'off' };

let upstream;
let headgate;
let dir;

before(async () => {
    dir = temporary();
    upstream = await Upstream.start();
    const at = (kind, more = {}) => ({ kind, base_url: kind === 'openai' ? `${upstream.origin}/v1` : upstream.origin, credential: CANARY.provider, breaker: BREAKER, ...more });
    const route = (one, model, more = {}) => ({ targets: [{ provider: one, model }], retry: { attempts: 1 }, ...more });
    headgate = await Headgate.start({
        state_dir: path.join(dir, 'state'),
        providers: { openai: at('openai'), anthropic: at('anthropic'), learned: at('anthropic'), gemini: at('gemini'), drained: at('anthropic', { on_abort: 'drain' }), passed: at('anthropic', { credential: 'passthrough' }) },
        routes: {
            openai: route('openai', 'gpt-4o-mini'), anthropic: route('anthropic', 'claude-sonnet-4-5'), gemini: route('gemini', 'gemini-4-argon'),
            pro: route('openai', 'gpt-5-pro'), learned: route('learned', 'claude-sonnet-4-5'), drained: route('drained', 'claude-sonnet-4-5'),
            many: { targets: Array.from({ length: 12 }, (_, i) => ({ provider: 'anthropic', model: `claude-${i}` })) },
            closed: route('anthropic', 'claude-sonnet-4-5', { translate: 'off' }), passed: route('passed', 'claude-sonnet-4-5'),
            held: route('gemini', 'gemini-4-argon', { commit: { tokens: 1000000 } }),
            waiting: route('gemini', 'gemini-4-argon', { retry: { attempts: 2, wait: '2s' } }),
        },
        rates: [{ name: 'few', scope: 'task:few', limit: '1 requests', per: 'minute', burst: 1 }],
        tasks: { few: 'openai' },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
    await headgate.reset();
    upstream.forget();
});
afterEach(() => headgate.check());

const post = (target, body, headers = {}) => ({ target, headers: { 'content-type': 'application/json', authorization: `Bearer ${CANARY.app}`, ...headers }, body: JSON.stringify(body) });
const asChat = (model, more = {}) => post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Say hello.' }], ...more });
const asMessages = (model, more = {}) => post('/v1/messages', { model, max_tokens: 64, messages: [{ role: 'user', content: 'Say hello.' }], ...more });
const asResponse = (model, more = {}) => post('/v1/responses', { model, input: 'Say hello.', ...more });
const recordOf = (answer) => until(() => recordsIn(path.join(dir, 'state')).find((one) => one.call_id === header(answer, 'x-headgate-call-id')), 5000, 'the record');
const eventsOf = (answer) => answer.body.toString().split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
const stream = (...pieces) => async (exchange) => {
    await exchange.streamHead();
    for (const piece of pieces) {
        await exchange.event(piece);
    }
    await exchange.streamEnd();
};

test('what a provider was sent teaches its estimates, not what the app wrote', async () => {
    upstream.play(provider(messages, () => ({ text: 'Hi' })).play);
    const metadata = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`note${i}`, 'x'.repeat(500)]));
    for (let i = 0; i < 8; i += 1) {
        assert.equal((await ask(headgate.port, asChat('learned', { metadata }))).status, 200);
    }
    const own = await recordOf(await ask(headgate.port, asMessages('learned')));
    assert.ok(own.input_estimate > 15 && own.input_estimate < 60, `${own.input_estimate} tokens for 29`);
});

test('an answer that grows in another dialect is held all the same', async () => {
    const args = { text: '"\\'.repeat(195000) }; // escaped once more inside a string
    const event = (part, more = {}) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [part], role: 'model' }, index: 0, ...more }], modelVersion: 'lab', responseId: 'g1' })}\r\n\r\n`;
    upstream.play(stream(event({ text: 'x'.repeat(240000) }), event({ functionCall: { name: 'say', args }, thoughtSignature: 'c2ln' }, { finishReason: 'STOP' })));
    const answer = await ask(headgate.port, asResponse('held', { stream: true, tools: [{ type: 'function', name: 'say', parameters: { type: 'object', properties: {} } }] }), 20000);
    assert.equal(answer.status, 200, answer.body.toString().slice(0, 300));
    const last = eventsOf(answer).at(-1);
    assert.equal(last.type, 'response.completed');
    assert.deepEqual(JSON.parse(last.response.output.find(({ type }) => type === 'function_call').arguments), args);
});

describe('events of Responses that repeat the request', () => {
    const event = (type, response) => `event: response.${type}\ndata: ${JSON.stringify({ type: `response.${type}`, response: { id: 'resp_1', object: 'response', model: 'gpt-5-pro', ...response } })}\n\n`;
    const begun = (instructions) => event('created', { status: 'in_progress', instructions }) + event('in_progress', { status: 'in_progress', instructions });
    const text = `event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hi' })}\n\n`;
    const usage = { input_tokens: 300000, output_tokens: 7, total_tokens: 300007 };
    const echo = 'i'.repeat(1.5 * 1024 * 1024);

    for (const [name, first] of [['all of them', echo], ['the last one', '']]) {
        test(`1.5 MB in ${name}`, async () => {
            upstream.play(stream(begun(first), text, event('completed', { status: 'completed', instructions: echo, output: [], usage })));
            const answer = await ask(headgate.port, asMessages('pro', { stream: true }), 20000);
            assert.equal(answer.status, 200, answer.body.toString().slice(0, 300));
            assert.equal(eventsOf(answer).map(({ delta }) => delta?.text ?? '').join(''), 'Hi');
            assert.deepEqual(eventsOf(answer).slice(-2).map(({ type, delta }) => delta?.stop_reason ?? type), ['end_turn', 'message_stop']);
            const { outcome, input, output } = await recordOf(answer);
            assert.deepEqual([outcome, input, output], ['ok', 300000, 7]);
        });
    }
    test('nothing has begun for the app by them', async () => {
        upstream.play(stream(begun(echo), event('failed', { status: 'failed', error: { code: 'server_error', message: 'no' } })));
        const answer = await ask(headgate.port, asMessages('pro', { stream: true }), 20000);
        assert.equal(answer.status, 502, answer.body.toString().slice(0, 300));
        assert.notEqual((await recordOf(answer)).outcome, 'too_large');
    });
    test('one that is too large', async () => {
        upstream.play(stream(begun('i'.repeat(33 * 1024 * 1024))));
        const answer = await ask(headgate.port, asMessages('pro', { stream: true }), 20000);
        assert.equal(answer.status, 502);
        assert.match(JSON.parse(answer.body).error.message, /one event of it than 32 MiB/);
    });
});

test('an error that is told when its stream is long gone', async () => {
    let other;
    upstream.play(async (exchange) => {
        if (exchange.request.body.includes('Wait.')) {
            other = exchange;
            return undefined;
        }
        const error = { error: { code: 429, message: 'Only so much of the first one.', status: 'RESOURCE_EXHAUSTED', details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '0.3s' }] } };
        return stream(`data: ${JSON.stringify(error)}\r\n\r\n`)(exchange);
    });
    const second = ask(headgate.port, asChat('gemini', { messages: [{ role: 'user', content: 'Wait.' }] }));
    await until(() => other !== undefined, 5000, 'the second call');
    const first = ask(headgate.port, asChat('waiting', { stream: true }));
    await until(() => upstream.requests.length === 2, 5000, 'the first call');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.json({ error: { code: 429, message: `#${'#'.repeat(900)}`, status: 'RESOURCE_EXHAUSTED' } }, 429, { 'retry-after': '60' });
    await second;
    const answer = await first;
    assert.equal(answer.status, 429, answer.body.toString());
    assert.match(JSON.parse(answer.body).error.message, /Only so much of the first one\./);
});

test('a stream whose app has left is read on, and paid for as told', async () => {
    let finish;
    upstream.play(async (exchange) => {
        const events = messages.stream({ text: 'Once upon a time' }).split(/(?<=\n\n)/);
        await exchange.streamHead();
        await exchange.event(events.slice(0, 4).join(''));
        await new Promise((resolve) => { finish = resolve; });
        await exchange.event(events.slice(4).join(''));
        await exchange.streamEnd();
    });
    const app = await App.connect(headgate.port);
    app.send(request({ ...asChat('drained', { stream: true }), method: 'POST' }));
    await until(() => app.received.includes('Once'), 5000, 'the first words');
    const [, id] = /x-headgate-call-id: (\S+)/.exec(app.received.toString());
    app.socket.destroy();
    await until(() => finish !== undefined, 5000, 'the provider');
    await new Promise((resolve) => setTimeout(resolve, 50));
    finish();
    const record = await until(() => recordsIn(path.join(dir, 'state')).find((one) => one.call_id === id), 5000, 'the record');
    assert.equal(record.output, 11, JSON.stringify(record));
    assert.ok(record.flags.includes('drained'), JSON.stringify(record));
});

test('tokens that are counted here are calls like others for rates; and without a model nothing is counted', async () => {
    const count = (more = {}) => post('/v1/messages/count_tokens', { model: 'openai', messages: [{ role: 'user', content: 'Say hello.' }], ...more }, { 'x-headgate-task': 'few' });
    const counted = await ask(headgate.port, count());
    assert.equal(counted.status, 200, counted.body.toString());
    assert.equal(header(counted, 'x-headgate-estimated'), 'input_tokens');
    assert.equal((await ask(headgate.port, count())).status, 429);
    const nameless = await ask(headgate.port, { ...count({ model: undefined }), headers: { 'content-type': 'application/json' } });
    assert.ok(nameless.status >= 400, `${nameless.status}`);
    assert.equal(upstream.requests.length, 0);
});

test('a route of many targets that cannot be told ends in a 400, and not in an end of the program', async () => {
    const answer = await ask(headgate.port, asChat('many', { n: 3 }));
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).error.param, 'n');
    assert.equal((await ask(headgate.port, { method: 'GET', target: '/livez' })).status, 200);
});

test('a route that serves another dialect alone says what keeps it from this one', async () => {
    const said = async (what) => {
        const answer = await ask(headgate.port, what);
        const { error } = JSON.parse(answer.body);
        assert.equal(error.code, 'dialect_not_served');
        return error.message;
    };
    assert.match(await said(asChat('closed')), /translate: off/);
    assert.match(await said(asChat('passed')), /give that one a credential/);
    assert.match(await said(post('/v1/embeddings', { model: 'closed', input: 'x' })), /only conversations/);
});
