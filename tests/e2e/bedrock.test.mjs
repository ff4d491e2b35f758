// SPDX-License-Identifier: Apache-2.0
// Bedrock's Converse as Amazon sees us: signed requests in its grammar; answers and framed streams of it, told to apps
// of other dialects; its failures, and failover from there and to there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import * as aws from './lib/aws.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { chunk, header, request as wireRequest, until } from './lib/wire.mjs';

requireBinary();

const MODEL = 'us.anthropic.claude-opus-4-8-v1:0';
const KEYS = { id: 'AKIDTESTCANARY000001', secret: CANARY.provider, token: CANARY.anthropic, region: 'us-east-1' };
const PRICES = `version: 1
prices:
  - { provider: aws, model: "${MODEL}", input: 1, cache_read: 0.1, cache_write_5m: 1.25, cache_write_1h: 2, output: 10, context: 200000, max_output: 128000, source: "made up" }
  - { provider: low, model: "${MODEL}", input: 1, cache_read: 0.1, cache_write_5m: 1.25, cache_write_1h: 2, output: 10, context: 200000, max_output: 128000, source: "made up" }
`;

let upstream;
let other;
let another; // of its own, as there are only so many failovers to one place in a minute
let dir;
let state;
let headgate;

before(async () => {
    dir = temporary();
    state = path.join(dir, 'state');
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    other = await Upstream.start();
    another = (await Upstream.start()).play(healthy);
    headgate = await Headgate.start({
        state_dir: state,
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            aws: { kind: 'bedrock', region: 'us-east-1', base_url: upstream.origin, access_key_id: KEYS.id,
                secret_access_key: KEYS.secret, session_token: KEYS.token },
            low: { kind: 'bedrock', region: 'us-east-1', base_url: upstream.origin, access_key_id: KEYS.id,
                secret_access_key: KEYS.secret, session_token: KEYS.token },
            bearer: { kind: 'bedrock', api: 'converse', base_url: `${upstream.origin}/front/`, credential: CANARY.provider },
            other: { kind: 'openai', base_url: `${other.origin}/v1`, credential: CANARY.anthropic },
            another: { kind: 'openai', base_url: `${another.origin}/v1`, credential: CANARY.anthropic },
        },
        budgets: [{ name: 'low', scope: 'provider:low', window: 'day', limit: '0.006 USD' }],
        routes: {
            low: { targets: [{ provider: 'low', model: MODEL }], default_max_output: 4000 },
            claude: { targets: [{ provider: 'aws', model: MODEL }] },
            first: { targets: [{ provider: 'aws', model: MODEL }, { provider: 'other', model: 'gpt-4.1' }] },
            also: { targets: [{ provider: 'aws', model: MODEL }, { provider: 'another', model: 'gpt-4.1' }] },
            second: { targets: [{ provider: 'other', model: 'gpt-4.1' }, { provider: 'aws', model: MODEL }] },
        },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    await other?.stop();
    await another?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
    await headgate.reset();
    upstream.play((exchange) => exchange.json(aws.WHOLE)).forget();
    other.play(healthy).forget();
    another.forget();
});
afterEach(() => headgate.check());

const call = (model, more = {}, extra = {}) => ask(headgate.port, good('chat', { model, ...more }, extra), 10000);
const text = (answer) => answer.body.toString();
const words = (answer) => [...text(answer).matchAll(/"delta":\{[^}]*"content":"([^"]*)"/g)].map((one) => one[1]).join('');
const named = (id) => ({ headers: { 'X-Request-Id': id } });
async function record(id) {
    const find = () => recordsIn(state).find((one) => one.request_id === id);
    await until(() => find() !== undefined, 3000, `the record of ${id}`);
    return find();
}
// 90 fresh at 1 $, 30 read at 0.1 $, 5 written for 5 minutes at 1.25 $, 15 for an hour at 2 $, 7 out at 10 $, a million.
const COST_PUSD = String(90e6 + 30e5 + 5 * 125e4 + 15 * 2e6 + 7 * 10e6);

describe('requests', () => {
    test('a whole call: path, body and a signature that Amazon would find right', async () => {
        const answer = await call('claude', { max_tokens: 99, temperature: 0.5 }, named('whole'));
        assert.equal(answer.status, 200, text(answer));
        const [request] = upstream.requests;
        assert.equal(request.target, '/model/us.anthropic.claude-opus-4-8-v1%3A0/converse');
        assert.equal(aws.signatureFault(request, KEYS), '');
        assert.equal(header(request, 'content-type'), 'application/json');
        assert.deepEqual(request.json().messages.map((turn) => turn.role), ['user']);
        assert.deepEqual(request.json().inferenceConfig, { maxTokens: 99 }, 'this model is not drawn from');
        const told = JSON.parse(answer.body);
        assert.equal(told.choices[0].message.content, 'Hello');
        assert.equal(told.choices[0].finish_reason, 'stop');
        assert.deepEqual([told.usage.prompt_tokens, told.usage.completion_tokens], [140, 7]);
        const one = await record('whole');
        assert.deepEqual([one.input, one.cache_read, one.output, one.cost_pusd], [90, 30, 7, COST_PUSD], JSON.stringify(one));
    });
    test('each attempt is signed anew, for its own body', async () => {
        upstream.play((exchange) => (upstream.requests.length === 1
            ? exchange.json({ message: 'm' }, 500, { 'x-amzn-ErrorType': 'InternalServerException:http://x/' }) : exchange.json(aws.WHOLE)));
        assert.equal((await call('claude', { max_tokens: 99 })).status, 200);
        assert.equal((await call('claude', { max_tokens: 98 })).status, 200);
        assert.equal(upstream.requests.length, 3);
        for (const request of upstream.requests) {
            assert.equal(aws.signatureFault(request, KEYS), '');
        }
        assert.notEqual(header(upstream.requests[1], 'authorization'), header(upstream.requests[2], 'authorization'));
    });
    test('an ARN is one segment of the path, and signed so', async () => {
        const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-8-v1:0';
        assert.equal((await call(`aws/${arn}`)).status, 200);
        const [request] = upstream.requests;
        assert.equal(request.target, `/model/${encodeURIComponent(arn)}/converse`);
        assert.equal(aws.signatureFault(request, KEYS), '');
    });
    test('a key of Bedrock\'s own is worn as it is, under the path of the address', async () => {
        assert.equal((await call(`bearer/${MODEL}`)).status, 200);
        const [request] = upstream.requests;
        assert.equal(request.target, '/front/model/us.anthropic.claude-opus-4-8-v1%3A0/converse');
        assert.equal(header(request, 'authorization'), `Bearer ${CANARY.provider}`);
        assert.equal(header(request, 'x-amz-date'), undefined);
    });
    test('what a request asks for, in the words of Converse', async () => {
        const answer = await ask(headgate.port, good('messages', { model: 'claude', max_tokens: 4000, stop_sequences: ['END'],
            system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
            tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: { q: { type: 'string' } } } }],
            tool_choice: { type: 'any' },
            messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0=' } },
                { type: 'text', text: 'What is it?' }] },
            { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { q: 'x' } }] },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a cat', is_error: true }] }] }), 10000);
        assert.equal(answer.status, 200, text(answer));
        assert.deepEqual(upstream.requests[0].json(), {
            inferenceConfig: { maxTokens: 4000, stopSequences: ['END'] },
            toolConfig: { tools: [{ toolSpec: { name: 'look', description: 'Looks.',
                inputSchema: { json: { type: 'object', properties: { q: { type: 'string' } } } } } }], toolChoice: { any: {} } },
            system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
            messages: [{ role: 'user', content: [{ image: { format: 'png', source: { bytes: 'iVBORw0=' } } }, { text: 'What is it?' }] },
                { role: 'assistant', content: [{ toolUse: { toolUseId: 'toolu_1', name: 'look', input: { q: 'x' } } }] },
                { role: 'user', content: [{ toolResult: { toolUseId: 'toolu_1', content: [{ text: 'a cat' }], status: 'error' } }] }],
        });
        assert.equal(header(answer, 'x-headgate-dropped'), undefined);
    });
    test('no app is served in it', async () => {
        for (const target of ['/model/x/converse', '/converse', '/bedrock/converse', '/v1/converse', '/bedrock/v1/chat/completions']) {
            const answer = await ask(headgate.port, { target, body: '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}' });
            assert.equal(answer.status, 404, `${target}: ${text(answer)}`);
        }
        assert.equal(upstream.requests.length, 0);
    });
    test('nothing else is asked of it', async () => {
        const answer = await ask(headgate.port, good('embeddings', { model: 'claude' }), 10000);
        assert.ok(answer.status >= 400 && answer.status < 500, text(answer));
        assert.equal(upstream.requests.length, 0);
    });
});

describe('streams', () => {
    for (const size of [0, 1, 7]) {
        test(`told to an app as its own, in pieces of ${size} bytes`, async () => {
            upstream.play(aws.stream(aws.HELLO, { size }));
            const answer = await call('claude', { stream: true, stream_options: { include_usage: true } }, named(`stream-${size}`));
            assert.equal(answer.status, 200, text(answer));
            assert.equal(upstream.requests[0].target, '/model/us.anthropic.claude-opus-4-8-v1%3A0/converse-stream');
            assert.equal(aws.signatureFault(upstream.requests[0], KEYS), '');
            assert.equal(upstream.requests[0].json().stream, undefined);
            assert.equal(words(answer), 'Hello');
            assert.match(text(answer), /"finish_reason":"stop"[^]*"prompt_tokens":140[^]*data: \[DONE\]\n\n$/);
            assert.equal(header(answer, 'x-headgate-upstream-request-id'), 'req-of-amazon');
            assert.equal((await record(`stream-${size}`)).cost_pusd, COST_PUSD);
        });
    }
    test('to an app of Anthropic\'s: blocks that Converse does not open, a call, the reason, the figures', async () => {
        upstream.play(aws.stream([aws.start, aws.delta('So '), aws.stop(),
            aws.event('contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'tooluse_a', name: 'look' } } }),
            aws.event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{"q":' } } }),
            aws.event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '"x"}' } } }),
            aws.stop(1), aws.end('tool_use'), aws.metadata()], { size: 50 }));
        const answer = await ask(headgate.port, good('messages', { model: 'claude', stream: true,
            tools: [{ name: 'look', input_schema: { type: 'object' } }] }), 10000);
        const events = [...text(answer).matchAll(/data: (.*)\n/g)].map((one) => JSON.parse(one[1]));
        assert.deepEqual(events.map((one) => one.type).filter((type) => type !== 'ping'), ['message_start', 'content_block_start',
            'content_block_delta', 'content_block_stop', 'content_block_start', 'content_block_delta', 'content_block_delta',
            'content_block_stop', 'message_delta', 'message_stop']);
        assert.equal(events.at(-2).delta.stop_reason, 'tool_use');
        assert.equal(events.at(-2).usage.output_tokens, 7);
        assert.equal(events.filter((one) => one.delta?.partial_json).map((one) => one.delta.partial_json).join(''), '{"q":"x"}');
    });
    test('messages of a kind that nobody knows are passed by', async () => {
        upstream.play(aws.stream([aws.message({ ':message-type': 'hint' }, '?'), ...aws.HELLO]));
        assert.equal(words(await call('claude', { stream: true })), 'Hello');
    });
    test('without figures: the answer is whole all the same', async () => {
        upstream.play(aws.stream(aws.HELLO.slice(0, -1)));
        const answer = await call('claude', { stream: true });
        assert.match(text(answer), /"finish_reason":"stop"[^]*data: \[DONE\]\n\n$/);
    });
});

const damaged = () => {
    const all = Buffer.from(aws.delta('Hello'));
    all[all.length - 20] ^= 1;
    return all;
};

describe('failures', () => {
    const goes = [
        ['a tool\'s input that the model garbled', aws.stream([aws.start, aws.end('malformed_tool_use'), aws.metadata()])],
        ['ThrottlingException', (exchange) => exchange.json({ message: 'Too many tokens' }, 429, { 'x-amzn-ErrorType': 'ThrottlingException' })],
        ['a name in the body', (exchange) => exchange.json({ __type: 'com.amazon.coral.service#ServiceQuotaExceededException', Message: 'm' }, 400)],
        ['a signature that Amazon refuses', (exchange) => exchange.json({ message: 'm' }, 403, { 'x-amzn-ErrorType': 'InvalidSignatureException' })],
        ['no such model', (exchange) => exchange.json({ message: 'm' }, 404, { 'x-amzn-ErrorType': 'ResourceNotFoundException' })],
        ['an exception first', aws.stream([aws.exception('throttlingException', 'Too many tokens')])],
        ['an exception behind the beginning', aws.stream([aws.start, aws.exception('modelStreamErrorException', 'm')])],
        ['an error', aws.stream([aws.failure('InternalError', 'It "broke"')])],
        ['a damaged message', aws.stream([aws.start, damaged(), ...aws.HELLO])],
        ['a message cut short', aws.stream([aws.start, aws.delta('Hello').subarray(0, 40)])],
        ['half a message and the end of the connection', aws.stream([aws.start.subarray(0, 9)], { cut: true })],
        ['an empty body', aws.stream([Buffer.alloc(0)])],
        ['ordinary events', async (exchange) => {
            await exchange.streamHead();
            await exchange.event('data: {}\n\n');
            await exchange.streamEnd();
        }],
    ];
    for (const [i, [what, script]] of goes.entries()) {
        test(`${what}: the next target answers`, async () => {
            upstream.play(script);
            const [route, next] = i % 2 === 0 ? ['first', other] : ['also', another];
            const answer = await call(route, { stream: true });
            assert.equal(answer.status, 200, text(answer));
            assert.equal(next.requests.length, 1);
            assert.equal(next.requests[0].json().model, 'gpt-4.1');
            assert.match(text(answer), /data: \[DONE\]\n\n$/);
        });
    }
    test('from OpenAI to Bedrock', async () => {
        other.play((exchange) => exchange.json({ error: { message: 'm', type: 'server_error' } }, 503));
        upstream.play(aws.stream());
        const answer = await call('second', { stream: true });
        assert.equal(words(answer), 'Hello');
        assert.equal(header(answer, 'x-headgate-target'), `aws/${MODEL}`);
    });
    test('a fault of the request is the app\'s, in its words', async () => {
        upstream.play((exchange) => exchange.json({ message: 'The format is wrong' }, 400, { 'x-amzn-ErrorType': 'ValidationException:http://x/' }));
        const answer = await call('first');
        assert.equal(answer.status, 400);
        assert.match(JSON.parse(answer.body).error.message, /The format is wrong/);
        assert.equal(other.requests.length, 0);
    });
    test('too long a prompt, by the code that SDKs know', async () => {
        upstream.play((exchange) => exchange.json({ message: 'Input is too long for requested model.' }, 400, { 'x-amzn-ErrorType': 'ValidationException' }));
        const answer = await call('claude');
        assert.equal(answer.status, 400);
        assert.equal(JSON.parse(answer.body).error.code, 'context_length_exceeded');
        const told = await ask(headgate.port, good('messages', { model: 'claude' }), 10000);
        assert.match(JSON.parse(told.body).error.message, /prompt is too long/);
    });
    test('an exception first, with nobody else: its status and its words', async () => {
        upstream.play(aws.stream([aws.exception('validationException', 'No "such" field')]));
        const answer = await call('claude', { stream: true });
        assert.equal(answer.status, 400);
        assert.match(JSON.parse(answer.body).error.message, /No "such" field/);
    });
    test('secrets that an error repeats are covered', async () => {
        upstream.play((exchange) => exchange.json({ message: `bad ${KEYS.secret} ${KEYS.token} ${KEYS.id}` }, 400, { 'x-amzn-ErrorType': 'ValidationException' }));
        const answer = await call('claude');
        assert.equal(answer.status, 400);
        for (const secret of [KEYS.secret, KEYS.token, KEYS.id]) {
            assert.ok(!text(answer).includes(secret), text(answer));
        }
    });
    const broken = [
        ['an exception', [aws.exception('internalServerException', 'm')], {}],
        ['a damaged message', [damaged()], {}],
        ['the end of the body', [], {}],
        ['half a message', [aws.delta('lo').subarray(0, 30)], { cut: true }],
    ];
    for (const [what, rest, more] of broken) {
        test(`${what} behind content: the stream ends in an error`, async () => {
            upstream.play(aws.stream([aws.start, aws.delta('Hel'), ...rest], more));
            const answer = await call('first', { stream: true });
            assert.equal(answer.status, 200);
            assert.equal(words(answer), 'Hel');
            assert.match(text(answer), /"error":\{/);
            assert.doesNotMatch(text(answer), /"finish_reason":"stop"/);
            assert.equal(other.requests.length, 0);
        });
    }
});

describe('budgets', () => {
    for (const cap of [4000, undefined]) {
        test(`a cap of ${cap} is lowered to what is left, where Converse reads it, and what is sent is signed`, async () => {
            upstream.play(cap === undefined ? aws.stream() : (exchange) => exchange.json(aws.WHOLE));
            const answer = await call('low', { max_tokens: cap, temperature: 0.5, stream: cap === undefined }, named(`low-${cap}`));
            assert.equal(answer.status, 200, text(answer));
            const [request] = upstream.requests;
            const sent = request.json().inferenceConfig.maxTokens;
            assert.ok(sent >= 256 && sent < 600, `${sent}`);
            assert.equal(header(answer, 'x-headgate-max-output-clamped'), String(sent));
            assert.equal(aws.signatureFault(request, KEYS), '');
            const one = await record(`low-${cap}`);
            assert.deepEqual([one.decision, one.provenance, one.cost_pusd], ['clamp', 'provider', COST_PUSD]);
        });
    }
});

test('an app that leaves: the stream is read to its figures', async () => {
    let gone;
    upstream.play(async (exchange) => {
        await aws.stream([aws.start, aws.delta('Hel')], { end: false })(exchange);
        await new Promise((resolve) => { gone = resolve; });
        await exchange.send(chunk(Buffer.concat([aws.delta('lo'), aws.end(), aws.metadata()])));
        await exchange.streamEnd();
    });
    const app = await App.connect(headgate.port);
    app.send(wireRequest(good('chat', { model: 'claude', stream: true }, { headers: { ...good().headers, 'x-request-id': 'left' } })));
    await until(() => app.received.includes('Hel') && gone !== undefined, 3000, 'content');
    app.reset();
    setTimeout(gone, 100);
    const one = await record('left');
    assert.deepEqual([one.charge, one.output, one.cost_pusd], ['drained', 7, COST_PUSD], JSON.stringify(one));
});

test('check names what is missing', async () => {
    const file = path.join(dir, 'bad.yaml');
    fs.writeFileSync(file, 'version: 1\nproviders:\n  a: { kind: bedrock, region: us-east-1, access_key_id: AKID }\n' +
        '  b: { kind: bedrock, base_url: "http://127.0.0.1:1", access_key_id: AKID, secret_access_key: s }\n');
    const { code, stdout, stderr } = await runToEnd(['-c', file, 'check']);
    assert.equal(code, 78);
    assert.match(stdout + stderr, /providers\.a has an access key and no secret_access_key[^]*providers\.b has no region/);
});
