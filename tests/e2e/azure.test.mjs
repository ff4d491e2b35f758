// SPDX-License-Identifier: Apache-2.0
// Azure OpenAI and Bedrock as a server of theirs sees us: path, query, key; and what becomes of their
// answers and errors.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, until } from './lib/wire.mjs';

requireBinary();

const PRICES = `version: 1
prices:
  - { provider: dated, model: gpt-known, input: 1, output: 10, source: "made up" }
  - { provider: dated, model: gpt-mapped, input: 2, output: 20, source: "made up" }
`;
const KEY = CANARY.provider;

let upstream;
let second;
let third; // of its own, as there are only so many failovers to one place in a minute
let dir;
let state;
let headgate;

before(async () => {
    dir = temporary();
    state = path.join(dir, 'state');
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    second = (await Upstream.start()).play(healthy);
    third = (await Upstream.start()).play(healthy);
    const azure = (more = {}) => ({ kind: 'azure_openai', base_url: upstream.origin, ...more });
    headgate = await Headgate.start({
        state_dir: state,
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            now: azure(),
            preview: azure({ base_url: `${upstream.origin}/openai/`, api_version: 'preview' }),
            dated: azure({ base_url: `${upstream.origin}/openai/v1`, api_version: '2024-10-21',
                deployments: { fast: 'gpt-mapped' } }),
            mantle: { kind: 'bedrock', base_url: `${upstream.origin}/openai/v1` },
            other: { kind: 'openai', base_url: `${second.origin}/v1`, credential: CANARY.anthropic },
            another: { kind: 'openai', base_url: `${third.origin}/v1`, credential: CANARY.anthropic },
        },
        routes: {
            smart: { targets: [{ provider: 'dated', model: 'fast' }, { provider: 'other', model: 'm' }] },
            cloud: { targets: [{ provider: 'mantle', model: 'openai.gpt' }, { provider: 'another', model: 'm' }] },
        },
    }, { env: { AZURE_OPENAI_API_KEY: KEY, AWS_BEARER_TOKEN_BEDROCK: CANARY.app }, resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    await second?.stop();
    await third?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
    await headgate.reset();
    upstream.play(healthy).forget();
    second.forget();
    third.forget();
});

const call = (model, more = {}, extra = {}) => ask(headgate.port, good('chat', { model, ...more }, extra), 10000);
const seen = () => upstream.requests.map((request) => request.target);
const whole = (model) => ({ id: 'x', object: 'chat.completion', model,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop', content_filter_results: {} }],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
    usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } });
const named = (id) => ({ headers: { 'X-Request-Id': id } });
async function record(id) {
    const find = () => recordsIn(state).find((one) => one.request_id === id);
    await until(() => find() !== undefined, 3000, `the record of ${id}`);
    return find();
}

describe('where a request goes', () => {
    test('v1: the deployment stays in the body, and no version is in the query', async () => {
        assert.equal((await call('now/my-gpt')).status, 200);
        const [request] = upstream.requests;
        assert.equal(request.target, '/openai/v1/chat/completions');
        assert.equal(header(request, 'api-key'), KEY);
        assert.equal(header(request, 'authorization'), undefined);
        assert.equal(request.json().model, 'my-gpt');
    });
    test('preview: the version is in the query, in place of what an app says', async () => {
        assert.equal((await call('preview/my-gpt', {}, { target: '/v1/chat/completions?api-version=2023-05-15&x=1' })).status, 200);
        assert.deepEqual(seen(), ['/openai/v1/chat/completions?api-version=preview&x=1']);
    });
    test('classic: the deployment is in the path', async () => {
        assert.equal((await call('dated/fast')).status, 200);
        assert.equal((await call('dated/a b%2f..', { stream: true })).status, 200);
        assert.equal((await ask(headgate.port, good('responses', { model: 'dated/fast' }), 10000)).status, 200);
        assert.equal((await ask(headgate.port, good('embeddings', { model: 'dated/fast' }), 10000)).status, 200);
        assert.deepEqual(seen(), [
            '/openai/deployments/fast/chat/completions?api-version=2024-10-21',
            '/openai/deployments/a%20b%252f../chat/completions?api-version=2024-10-21',
            '/openai/responses?api-version=2024-10-21',
            '/openai/deployments/fast/embeddings?api-version=2024-10-21']);
        assert.deepEqual(upstream.requests[1].json().stream_options, { include_usage: true });
    });
    test('a message of Anthropic\'s is told to a deployment', async () => {
        const answer = await ask(headgate.port, good('messages', { model: 'smart' }), 10000);
        assert.equal(answer.status, 200, answer.body.toString());
        assert.deepEqual(seen(), ['/openai/deployments/fast/chat/completions?api-version=2024-10-21']);
        assert.equal(upstream.requests[0].json().model, 'fast');
        assert.equal(JSON.parse(answer.body).type, 'message');
    });
    test('Bedrock: a bearer key, and the path of its form of OpenAI', async () => {
        assert.equal((await call('mantle/openai.gpt')).status, 200);
        const [request] = upstream.requests;
        assert.equal(request.target, '/openai/v1/chat/completions');
        assert.equal(header(request, 'authorization'), `Bearer ${CANARY.app}`);
    });
});

describe('what comes back', () => {
    test('a stream whose first chunk has no choice, no id and no model', async () => {
        const chunks = [
            { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] },
            { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-known-2026-03-05', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] },
            { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-known-2026-03-05', choices: [{ index: 0, delta: { content: 'Hello' }, finish_reason: null }] },
            { id: '', object: '', created: 0, model: '', choices: [{ index: 0, finish_reason: null, content_filter_offsets: { check_offset: 0 }, content_filter_results: {} }] },
            { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-known-2026-03-05', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
            { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-known-2026-03-05', choices: [], usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } },
        ].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            for (const chunk of chunks) {
                await exchange.event(chunk);
            }
            await exchange.event('data: [DONE]\n\n');
            await exchange.streamEnd();
        });
        const answer = await call('dated/fast', { stream: true }, named('first-chunk'));
        assert.equal(answer.body.toString(), [...chunks.slice(0, -1), 'data: [DONE]\n\n'].join(''));
        const one = await record('first-chunk');
        assert.deepEqual([one.model, one.model_answered, one.input, one.output], ['fast', 'gpt-known-2026-03-05', 100, 7]);
        assert.equal(one.price, 'dated/gpt-known@', 'the answer names the model: the better key');
    });
    test('an answer that names nothing priced: the model that the settings name', async () => {
        upstream.play((exchange) => exchange.json(whole('fast')));
        assert.equal((await call('dated/fast', {}, named('mapped'))).status, 200);
        const one = await record('mapped');
        assert.deepEqual([one.price, one.cost_pusd], ['dated/gpt-mapped@', String(100 * 2e6 + 7 * 20e6)]);
    });
    const failover = [
        ['429 as a string', 429, { error: { code: '429', message: 'Requests to the API have exceeded the limit' } }],
        ['a front of theirs', 429, { statusCode: 429, message: 'Rate limit is exceeded. Try again in 9 seconds.' }],
        ['a bad key', 401, { error: { code: '401', message: 'Access denied due to invalid subscription key' } }],
        ['no such deployment', 404, { error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist' } }],
        ['a wrong path', 404, { error: { code: '404', message: 'Resource not found' } }],
        ['a wrong path, told by a front', 404, { statusCode: 404, message: 'Resource not found' }],
        ['blocked', 403, { error: { code: 'AccessDenied', message: 'The resource has been temporarily blocked' } }],
        ['a dependency', 424, { error: { code: 'FailedDependency', message: 'm' } }],
        ['500', 500, { error: { code: 'InternalServerError', message: 'm' } }],
    ];
    for (const [what, status, body] of failover) {
        test(`${what}: the next target answers`, async () => {
            upstream.play((exchange) => exchange.json(body, status));
            const answer = await call('smart');
            assert.equal(answer.status, 200, answer.body.toString());
            assert.equal(second.requests.length, 1);
        });
    }
    test('a filtered prompt is the request\'s affair', async () => {
        const body = { error: { message: 'The response was filtered', type: null, param: 'prompt', code: 'content_filter', status: 400,
            innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { violence: { filtered: true, severity: 'high' } } } } };
        upstream.play((exchange) => exchange.json(body, 400));
        const answer = await call('smart');
        assert.equal(answer.status, 400);
        assert.deepEqual(JSON.parse(answer.body), body);
        assert.equal(second.requests.length, 0);
    });
    test('a wait in milliseconds comes before one in seconds', async () => {
        upstream.play((exchange) => exchange.json({ error: { code: '429', message: 'm' } }, 429,
            { 'retry-after': '60', 'retry-after-ms': '400', 'x-ratelimit-reset-tokens': '30' }));
        const answer = await call('now/my-gpt', {}, { headers: { 'x-headgate-no-failover': 'true' } });
        assert.equal(answer.status, 429);
        assert.equal(header(answer, 'retry-after'), '1');
    });
    const bedrock = [
        ['ThrottlingException', 429, 200], ['AccessDeniedException', 403, 200], ['ExpiredTokenException', 400, 200],
        ['ServiceQuotaExceededException:http://internal.amazon.com/', 400, 200], ['ResourceNotFoundException', 404, 200],
        ['ModelErrorException', 424, 200], ['ValidationException', 400, 400],
    ];
    for (const [name, status, told] of bedrock) {
        test(`Bedrock's ${name}: ${told}`, async () => {
            upstream.play((exchange) => exchange.json({ message: 'm' }, status, { 'x-amzn-ErrorType': name }));
            const answer = await call('cloud');
            assert.equal(answer.status, told, answer.body.toString());
            assert.equal(third.requests.length, told === 200 ? 1 : 0);
        });
    }
});

test('check names what is missing', async () => {
    const file = path.join(dir, 'bad.yaml');
    fs.writeFileSync(file, 'version: 1\nproviders:\n  a: { kind: azure_openai, credential: none }\n  b: { kind: bedrock, credential: none }\n');
    const { code, stdout, stderr } = await runToEnd(['-c', file, 'check']);
    assert.equal(code, 78);
    assert.match(stdout + stderr, /providers\.a has no base_url[^]*https:\/\/<resource>\.openai\.azure\.com[^]*providers\.b has no region/);
});
