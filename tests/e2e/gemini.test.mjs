// SPDX-License-Identifier: Apache-2.0
// The Gemini dialect on native traffic: the model in the path, streams that just end, usage, errors in
// Google's form, and what must never be billed by another name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import test, { after, afterEach, before, beforeEach } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { chunk, header, request, until } from './lib/wire.mjs';

requireBinary();

const BODY = '{"contents": [{"parts":[{"text":"Say hello."}],"role":"user"}],"generationConfig":{"maxOutputTokens":64}}';
const USAGE = { promptTokenCount: 109, cachedContentTokenCount: 9, toolUsePromptTokenCount: 10, candidatesTokenCount: 20, thoughtsTokenCount: 30, totalTokenCount: 169 };
const part = (text, more = {}) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }], modelVersion: 'gemini-2.5-flash-001', responseId: 'g1' });
const WHOLE = JSON.stringify({ ...part('Hello', { finishReason: 'STOP' }), usageMetadata: USAGE }, null, 2);
const event = (value) => `data: ${JSON.stringify(value)}\r\n\r\n`;
const EVENTS = [
    event({ ...part(''), usageMetadata: { promptTokenCount: 109, totalTokenCount: 109 } }),
    event({ ...part('Hel'), usageMetadata: { ...USAGE, candidatesTokenCount: 3, totalTokenCount: 152 } }),
    event({ ...part('lo', { finishReason: 'STOP' }), usageMetadata: USAGE }),
];
const failure = (code, status, message, details = []) => JSON.stringify({ error: { code, message, status, details } });

let first;
let second;
let headgate;
let dir;

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), `version: 1
prices:
  - { provider: one, model: gemini-2.5-flash, input: 1, cache_read: 0.1, output: 10, source: "made up" }
  - { provider: two, model: gemini-2.5-pro, input: 2, cache_read: 0.2, output: 20, source: "made up" }
`);
    first = await Upstream.start();
    second = await Upstream.start();
    headgate = await Headgate.start({
        state_dir: path.join(dir, 'state'),
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            one: { kind: 'gemini', base_url: first.origin, credential: CANARY.provider },
            two: { kind: 'gemini', base_url: second.origin, credential: CANARY.provider },
        },
        routes: {
            flash: { targets: [{ provider: 'one', model: 'gemini-2.5-flash' }, { provider: 'two', model: 'gemini-2.5-pro' }] },
        },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await first?.stop();
    await second?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
    await headgate.reset();
    first.forget();
    second.forget();
    first.play((exchange) => exchange.json({ error: 'unexpected' }, 418));
    second.play((exchange) => exchange.json({ error: 'unexpected' }, 418));
});
afterEach(() => headgate.check());

const call = (target, more = {}) => ask(headgate.port, { target, body: BODY, ...more, headers: { 'x-goog-api-key': CANARY.app, ...more.headers } });
const text = (answer) => answer.body.toString();
const whole = (exchange) => exchange.answer({ body: WHOLE });
const stream = (events = EVENTS) => async (exchange) => {
    await exchange.streamHead();
    for (const one of events) {
        await exchange.event(one);
    }
    await exchange.streamEnd();
};
async function lastRecord(count) {
    await until(() => recordsIn(path.join(dir, 'state')).length >= count, 5000, 'a record');
    return recordsIn(path.join(dir, 'state')).at(-1);
}
const records = () => recordsIn(path.join(dir, 'state')).length;

test('a whole answer, byte for byte, metered', async () => {
    const count = records();
    first.play(whole);
    const answer = await call('/v1beta/models/gemini-2.5-flash:generateContent');
    assert.equal(answer.status, 200, text(answer));
    assert.equal(text(answer), WHOLE);
    const sent = first.requests[0];
    assert.equal(sent.target, '/v1beta/models/gemini-2.5-flash:generateContent');
    assert.equal(sent.body.toString(), BODY);
    assert.equal(header(sent, 'x-goog-api-key'), CANARY.provider);
    assert.equal(header(sent, 'authorization'), undefined);
    const record = await lastRecord(count + 1);
    // 100 fresh and 10 of tools at 1 $, 9 cached at 0.1 $, 20 and 30 out at 10 $, per million.
    assert.equal(record.charged_nusd, 110 * 1000 + 9 * 100 + 50 * 10000, JSON.stringify(record));
    assert.equal(record.dialect, 'gemini');
    assert.equal(record.reasoning, 30, JSON.stringify(record));
});

test('a stream, byte for byte, with no terminal event; the last figures count', async () => {
    const count = records();
    first.play(stream());
    const answer = await call('/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
    assert.equal(answer.status, 200, text(answer));
    assert.equal(text(answer), EVENTS.join(''));
    assert.equal(first.requests[0].target, '/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse');
    const record = await lastRecord(count + 1);
    assert.equal(record.charged_nusd, 110 * 1000 + 9 * 100 + 50 * 10000, JSON.stringify(record));
});

test('version and query go up as they came, key= does not', async () => {
    first.play(whole);
    for (const [from, to] of [
        ['/v1alpha/models/gemini-2.5-flash:generateContent?$alt=json&key=secret-of-the-app', '/v1alpha/models/gemini-2.5-flash:generateContent?$alt=json'],
        ['/gemini/v1/models/gemini-2.5-flash:generateContent', '/v1/models/gemini-2.5-flash:generateContent'],
        ['/v1beta/v1/models/gemini-2.5-flash:generateContent', '/v1/models/gemini-2.5-flash:generateContent'],
        ['/models/gemini-2.5-flash:generateContent', '/v1beta/models/gemini-2.5-flash:generateContent'],
    ]) {
        first.forget();
        const answer = await call(from);
        assert.equal(answer.status, 200, text(answer));
        assert.equal(first.requests[0].target, to);
    }
    assert.ok(!headgate.stderr.includes('secret-of-the-app'));
});

test('another target, another model in the path', async () => {
    first.play((exchange) => exchange.answer({ status: 503, body: failure(503, 'UNAVAILABLE', 'The model is overloaded.') }));
    second.play(whole);
    const answer = await call('/v1beta/models/flash:generateContent');
    assert.equal(answer.status, 200, text(answer));
    assert.equal(first.requests[0].target, '/v1beta/models/gemini-2.5-flash:generateContent');
    assert.equal(second.requests[0].target, '/v1beta/models/gemini-2.5-pro:generateContent');
    assert.equal(second.requests[0].body.toString(), BODY);
    assert.equal(header(answer, 'x-headgate-target'), 'two/gemini-2.5-pro');
});

test('the same for embeddings, whose bodies repeat the name', async () => {
    second.play((exchange) => exchange.answer({ body: '{"embeddings":[{"values":[0.5]}]}' }));
    first.play((exchange) => exchange.answer({ status: 503, body: failure(503, 'UNAVAILABLE', 'no') }));
    const body = (model) => `{"requests":[{"content":{"parts":[{"text":"x"}]},"model":"models/${model}"}]}`;
    const answer = await call('/v1/models/flash:batchEmbedContents', { body: body('flash') });
    assert.equal(answer.status, 200, text(answer));
    assert.equal(second.requests[0].body.toString(), body('gemini-2.5-pro'));
});

test('a failure before content fails over; in a stream it is told in Google\'s form', async () => {
    first.play(stream([event({ error: { code: 503, message: 'upstream died', status: 'UNAVAILABLE' } })]));
    second.play(stream());
    const answer = await call('/v1beta/models/flash:streamGenerateContent?alt=sse');
    assert.equal(text(answer), EVENTS.join(''));
    first.play(stream(EVENTS.slice(0, 2)));
    second.forget();
    const cut = await call('/v1beta/models/flash:streamGenerateContent?alt=sse');
    assert.ok(text(cut).startsWith(EVENTS.slice(0, 2).join('')));
    const told = JSON.parse(text(cut).slice(EVENTS.slice(0, 2).join('').length).replace(/^data: /, ''));
    assert.ok(told.error.code >= 400 && told.error.code < 600);
    assert.match(told.error.message, /^headgate: /);
    assert.equal(typeof told.error.status, 'string');
    assert.equal(second.requests.length, 0);
});

test('a blocked prompt is an answer', async () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } };
    first.play((exchange) => exchange.json(blocked));
    const answer = await call('/v1beta/models/flash:generateContent');
    assert.deepEqual([answer.status, JSON.parse(text(answer))], [200, blocked]);
    first.play(stream([event(blocked)]));
    const events = await call('/v1beta/models/flash:streamGenerateContent?alt=sse');
    assert.deepEqual([events.status, text(events)], [200, event(blocked)]);
    assert.equal(second.requests.length, 0);
});

test('CONTINUATION passes, and so does its token on the way up', async () => {
    const events = [event(part('Hel', { finishReason: 'CONTINUATION', continuationToken: 'c1' }))];
    const body = BODY.replace('{', '{"continuationToken":"c1",');
    first.play(stream(events));
    const answer = await call('/v1beta/models/flash:streamGenerateContent?alt=sse', { body });
    assert.equal(text(answer), events.join(''));
    assert.equal(first.requests[0].body.toString(), body);
    // The token is worth nothing elsewhere: a failure is told.
    first.play((exchange) => exchange.answer({ status: 503, body: failure(503, 'UNAVAILABLE', 'The model is overloaded.') }));
    assert.equal((await call('/v1beta/models/flash:generateContent', { body })).status, 503);
    assert.equal(second.requests.length, 0);
});

test('waits that only a body tells, and errors wrapped in a list', async () => {
    const busy = failure(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted', [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17s' }]);
    for (const body of [busy, `[${busy}]`]) {
        first.play((exchange) => exchange.answer({ status: 429, body }));
        const answer = await call('/v1beta/models/gemini-2.5-flash:generateContent', { headers: { 'x-headgate-no-failover': 'true' } });
        assert.equal(answer.status, 429, text(answer));
        assert.equal(header(answer, 'retry-after'), '17');
    }
});

test('our own refusals', async () => {
    const array = await call('/v1beta/models/flash:streamGenerateContent');
    assert.equal(array.status, 400);
    assert.match(JSON.parse(text(array)).error.message, /alt=sse/);
    const lost = await call('/v1beta/models/unheard-of:generateContent', { body: '{"contents":[]}' });
    assert.deepEqual([lost.status, JSON.parse(text(lost)).error.status], [400, 'INVALID_ARGUMENT']);
    const vertex = await call('/v1beta1/publishers/google/models/m:generateContent');
    assert.equal(vertex.status, 404);
    // Nothing that another reader decodes into a method gets through as something else.
    for (const target of ['/v1beta/models/m%3AgenerateContent', '/v1beta/models/m:generate%43ontent', '/v1beta/models/m/../x:generateContent']) {
        assert.equal((await call(target)).status, 404, target);
    }
    assert.equal(first.requests.length + second.requests.length, 0);
});

test('counting is free, files pass, models are listed', async () => {
    const count = records();
    const plain = (exchange) => exchange.answer({ body: exchange.request.target.includes(':countTokens') ? '{"totalTokens":7}'
        : exchange.request.target.startsWith('/v1beta/models') ? '{"models":[{"name":"models/gemini-x"}]}' : '{"file":{}}' });
    first.play(plain);
    second.play(plain);
    const counted = await call('/v1beta/models/flash:countTokens');
    assert.deepEqual([counted.status, text(counted)], [200, '{"totalTokens":7}']);
    const file = await call('/v1beta/files/f1?alt=media', { method: 'GET', body: '' });
    assert.deepEqual([file.status, text(file)], [200, '{"file":{}}']);
    assert.equal(first.requests.at(-1).target, '/v1beta/files/f1?alt=media');
    const list = await call('/v1beta/models?pageSize=2', { method: 'GET', body: '' });
    assert.deepEqual(JSON.parse(text(list)).models.map(({ name }) => name), ['models/flash', 'models/gemini-x']);
    assert.equal(first.requests.at(-1).target, '/v1beta/models?pageSize=1000');
    // By the header alone: the same path is everybody's.
    const mine = JSON.parse(text(await call('/v1/models', { method: 'GET', body: '' })));
    assert.ok(Array.isArray(mine.models));
    const theirs = JSON.parse(text(await ask(headgate.port, { target: '/v1/models', method: 'GET' })));
    assert.ok(Array.isArray(theirs.data));
    assert.ok(records() >= count);
});

test('what the official SDK sends arrives byte for byte', async () => {
    const { requests } = JSON.parse(fs.readFileSync(new URL('../data/requests/google-genai-node-3.1.0.json', import.meta.url)));
    second.play((exchange) => exchange.json({ error: 'unexpected' }, 418));
    for (const one of requests.filter(({ method, target }) => method === 'POST' && !target.includes('publishers'))) {
        first.forget();
        first.play(one.target.includes('stream') ? stream() : (exchange) => exchange.answer({ body: one.target.includes('Embed')
            ? '{"embeddings":[]}' : one.target.includes('count') ? '{"totalTokens":1}' : WHOLE }));
        const body = JSON.stringify(one.body);
        const told = one.headers.filter(([name]) => !/^(host|connection|content-length|x-server-timeout)$/i.test(name));
        const answer = await ask(headgate.port, { target: one.target.replace(/models\/[^:]+/, 'models/one/$&').replace('one/models/', 'one/'), headers: told, body });
        assert.equal(answer.status, 200, `${one.name}: ${text(answer)}`);
        const [seen] = first.requests;
        assert.equal(seen.target, one.target.replace(/^\/gemini|^\/v1beta(?=\/v1\/)/, ''), one.name);
        assert.equal(seen.body.toString(), body, one.name);
        assert.equal(header(seen, 'x-goog-api-client'), header({ headers: one.headers }, 'x-goog-api-client'));
        assert.equal(header(seen, 'x-goog-api-key'), CANARY.provider);
    }
});

test('a budget: what may be spent is written into generationConfig, and a no is Google\'s', async () => {
    const small = await Headgate.start({
        state_dir: path.join(dir, 'small'),
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { one: { kind: 'gemini', base_url: first.origin, credential: CANARY.provider } },
        budgets: [{ name: 'tiny', scope: 'provider', limit: '0.005 USD', window: 'total', on_low: 'clamp' }],
    });
    try {
        first.play(whole);
        const body = '{"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":100000}}';
        const target = '/v1beta/models/gemini-2.5-flash:generateContent';
        const answer = await ask(small.port, { target, body });
        assert.equal(answer.status, 200, text(answer));
        const { maxOutputTokens } = JSON.parse(first.requests[0].body.toString()).generationConfig;
        assert.ok(maxOutputTokens < 500 && maxOutputTokens >= 256, String(maxOutputTokens));
        assert.equal(header(answer, 'x-headgate-max-output-clamped'), String(maxOutputTokens));
        first.play((exchange) => exchange.answer({ body: WHOLE.replace('"candidatesTokenCount": 20', '"candidatesTokenCount": 400000') }));
        await ask(small.port, { target, body });
        const over = await ask(small.port, { target, body });
        assert.equal(over.status, 402, text(over));
        const { error } = JSON.parse(text(over));
        assert.deepEqual([error.code, error.status, error.details[0].reason], [402, 'RESOURCE_EXHAUSTED', 'budget_exceeded']);
    } finally {
        await small.stop();
    }
});

test('what a call would cost is told', async () => {
    const question = (target, body) => ask(headgate.admin, { target: `/admin/v1/estimate?${target}`, host: `127.0.0.1:${headgate.admin}`, body,
        headers: { Authorization: 'Bearer test-token-of-operators' } });
    const answer = await question('path=/v1beta/models/flash:generateContent', BODY);
    assert.equal(answer.status, 200, text(answer));
    assert.equal(JSON.parse(text(answer)).operation, 'generate_content');
    const other = await question('dialect=gemini&model=flash', BODY);
    assert.equal(other.status, 200, text(other));
    assert.equal((await question('dialect=gemini', BODY)).status, 400);
});

test('a bad key comes as a 400 and parks the credential', async () => {
    first.play((exchange) => exchange.answer({ status: 400, body: failure(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.',
        [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' }]) }));
    second.play(whole);
    const answer = await call('/v1beta/models/flash:generateContent');
    assert.equal(answer.status, 200, text(answer));
    assert.equal(header(answer, 'x-headgate-target'), 'two/gemini-2.5-pro');
});
