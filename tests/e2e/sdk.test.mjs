// SPDX-License-Identifier: Apache-2.0
// Official SDKs, unmodified but for their base URL, through headgate: against its fixtures
// providers, a scripted provider over plain sockets, and the same over TLS with a CA of its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { after, before, describe } from './lib/test.mjs';
import Anthropic from '@anthropic-ai/sdk';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import Anthropic0 from 'anthropic0';
import OpenAI from 'openai';
import OpenAI4 from 'openai4';
import OpenAI6 from 'openai6';
import { makeCertificates } from './lib/certs.mjs';
import { CANARY, Headgate, providersAt, requireBinary, temporary } from './lib/headgate.mjs';
import { KEY_SECRET, newKey, ringOf } from './lib/keys.mjs';
import { healthy } from './lib/samples.mjs';
import { wantsTool } from './lib/tool_answers.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, until } from './lib/wire.mjs';

requireBinary();

const SAID = [{ role: 'user', content: 'Say hello.' }];
const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const CHAT_TOOLS = [{ type: 'function', function: { name: 'weather', description: 'The weather of a city', parameters: PARAMETERS } }];
const RESPONSE_TOOLS = [{ type: 'function', name: 'weather', description: 'The weather of a city', parameters: PARAMETERS, strict: true }];
const CLAUDE_TOOLS = [{ name: 'weather', description: 'The weather of a city', input_schema: PARAMETERS }];

let dir;
const stops = [];
after(async () => {
    for (const stop of stops.reverse()) {
        await stop();
    }
    fs.rmSync(dir, { recursive: true, force: true });
});

// The three worlds. `upstream` is null where headgate answers by itself.
const worlds = { fixtures: {}, plain: {}, tls: {} };
before(async () => {
    dir = temporary();
    const certificates = makeCertificates(dir);
    worlds.fixtures.headgate = await Headgate.start({
        providers: {
            openai: { kind: 'fixtures', fixtures: { dialect: 'openai' } },
            anthropic: { kind: 'fixtures', fixtures: { dialect: 'anthropic' } },
            paced: { kind: 'fixtures', fixtures: { dialect: 'openai', tokens_per_second: 5 } },
        },
    });
    worlds.plain.upstream = await Upstream.start();
    // Routes that ask once: whoever asks again is the SDK.
    const once = (provider) => ({ targets: [{ provider }], retry: { attempts: 1 } });
    const routes = { once: once('openai'), 'once-claude': once('anthropic') };
    worlds.plain.headgate = await Headgate.start({ providers: providersAt(worlds.plain.upstream), routes }, { resets: true });
    worlds.tls.upstream = await Upstream.start({ tls: certificates.good });
    worlds.tls.headgate = await Headgate.start(
        { providers: providersAt(worlds.tls.upstream, { ca_file: certificates.caFile }), routes }, { resets: true });
    for (const { upstream, headgate } of Object.values(worlds)) {
        upstream?.play(healthy);
        stops.push(() => upstream?.stop(), () => headgate.stop());
    }
});

const origin = (world) => `http://127.0.0.1:${world.headgate.port}`;

// For tool calls the scripted provider is told to want one; the fixtures do so by themselves.
async function wantingTools(world, act) {
    world.upstream?.play(wantsTool);
    try {
        await act();
    } finally {
        world.upstream?.play(healthy);
    }
}

function checkArguments(text) {
    assert.equal(typeof (typeof text === 'string' ? JSON.parse(text) : text), 'object');
}

// ---- openai ----

const OPENAI = { '7.55.0': OpenAI, '6.49.0': OpenAI6, '4.104.0': OpenAI4 };

function openaiSuite(version, Client, world) {
    const client = (more = {}) => new Client({ apiKey: CANARY.app, baseURL: `${origin(world)}/v1`, ...more });

    test('chat', async () => {
        const { data, response } = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: SAID }).withResponse();
        assert.ok(data.choices[0].message.content.length > 0);
        assert.equal(data.choices[0].finish_reason, 'stop');
        assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
        assert.equal(data._request_id, response.headers.get('x-request-id'));
        assert.match(response.headers.get('x-headgate-target'), /^openai\//);
    });
    test('chat, base URL without /v1', async () => {
        const answer = await client({ baseURL: origin(world) }).chat.completions.create({ model: 'gpt-4o-mini', messages: SAID });
        assert.ok(answer.choices[0].message.content.length > 0);
    });
    for (const include_usage of [undefined, true]) {
        test(`chat stream, usage asked: ${include_usage}`, async () => {
            const stream = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: SAID, stream: true,
                ...(include_usage ? { stream_options: { include_usage } } : {}) });
            const chunks = [];
            for await (const chunk of stream) {
                chunks.push(chunk);
            }
            assert.ok(chunks.flatMap((c) => c.choices).map((c) => c.delta.content ?? '').join('').length > 0);
            assert.ok(chunks.flatMap((c) => c.choices).some((c) => c.finish_reason === 'stop'));
            assert.equal(chunks.some((c) => c.usage), include_usage === true);
            assert.ok(include_usage || chunks.every((c) => c.choices.length > 0), 'no chunk the app did not ask for');
        });
    }
    test('chat stream helper', async () => {
        const chat = version.startsWith('4') ? client().beta.chat : client().chat;
        const helper = chat.completions.stream({ model: 'gpt-4o-mini', messages: SAID });
        let text = '';
        helper.on('content', (delta) => { text += delta; });
        const final = await helper.finalChatCompletion();
        assert.equal(final.choices[0].message.content, text);
        assert.ok(text.length > 0);
    });
    test('chat tools, whole and streamed', () => wantingTools(world, async () => {
        const whole = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: SAID, tools: CHAT_TOOLS });
        const [call] = whole.choices[0].message.tool_calls;
        assert.equal(call.function.name, 'weather');
        checkArguments(call.function.arguments);
        assert.equal(whole.choices[0].finish_reason, 'tool_calls');
        const chat = version.startsWith('4') ? client().beta.chat : client().chat;
        const final = await chat.completions.stream({ model: 'gpt-4o-mini', messages: SAID, tools: CHAT_TOOLS }).finalChatCompletion();
        assert.equal(final.choices[0].message.tool_calls[0].function.name, 'weather');
        checkArguments(final.choices[0].message.tool_calls[0].function.arguments);
    }));
    test('responses, whole and streamed', async () => {
        const whole = await client().responses.create({ model: 'gpt-4o-mini', input: 'Say hello.' });
        assert.equal(whole.status, 'completed');
        assert.ok(whole.output_text.length > 0);
        assert.ok(whole.usage.output_tokens > 0);
        const helper = client().responses.stream({ model: 'gpt-4o-mini', input: 'Say hello.' });
        let text = '';
        for await (const event of helper) {
            text += event.type === 'response.output_text.delta' ? event.delta : '';
        }
        const final = await helper.finalResponse();
        assert.equal(final.status, 'completed');
        assert.equal(final.output.find((item) => item.type === 'message').content[0].text, text);
    });
    test('responses tools, whole and streamed', () => wantingTools(world, async () => {
        const whole = await client().responses.create({ model: 'gpt-4o-mini', input: 'Weather?', tools: RESPONSE_TOOLS });
        checkArguments(whole.output.find((item) => item.type === 'function_call').arguments);
        const final = await client().responses.stream({ model: 'gpt-4o-mini', input: 'Weather?', tools: RESPONSE_TOOLS }).finalResponse();
        const call = final.output.find((item) => item.type === 'function_call');
        assert.equal(call.name, 'weather');
        checkArguments(call.arguments);
    }));
    test('embeddings', async () => {
        const answer = await client().embeddings.create({ model: 'text-embedding-3-small', input: 'hello' });
        assert.ok(answer.data[0].embedding.length > 0 && answer.data[0].embedding.every(Number.isFinite));
        assert.ok(answer.usage.total_tokens > 0);
    });
    test('model list', async () => {
        const all = [];
        for await (const model of client().models.list()) {
            all.push(model);
        }
        assert.ok(all.length > 0 && all.every((model) => model.object === 'model' && model.id.length > 0));
    });
    test('a refusal of ours is the right class, told once', async () => {
        const refused = client().chat.completions.create({ model: '', messages: SAID });
        await assert.rejects(refused, (error) => {
            assert.ok(error instanceof Client.BadRequestError, error.constructor.name);
            assert.equal(error.status, 400);
            assert.equal(error.code, 'invalid_model');
            assert.equal(error.param, 'model');
            assert.match(error.message, /headgate: /);
            return true;
        });
    });
}

function openaiFaults(Client, world) {
    const client = (more = {}) => new Client({ apiKey: CANARY.app, baseURL: `${origin(world)}/v1`, ...more });
    const error = (message, code = null) => ({ error: { message, type: 'x', param: null, code } });
    const ask = (more) => client(more).chat.completions.create({ model: 'once', messages: SAID });

    // Answers in order, the last one again and again; gives how many requests came.
    async function counting(answers, act) {
        const { upstream } = world;
        upstream.forget();
        upstream.play((exchange) => answers[Math.min(upstream.requests.length, answers.length) - 1](exchange));
        try {
            await act();
            return upstream.requests.length;
        } finally {
            upstream.play(healthy);
            await world.headgate.reset();
        }
    }
    const rejects = (status, name) => () => assert.rejects(ask(), (thrown) => {
        assert.equal(thrown.status, status, String(thrown));
        assert.ok(thrown instanceof Client[name], thrown.constructor.name);
        return true;
    });

    test('the provider\'s 401 is a 502 of ours, asked once', async () => {
        assert.equal(await counting([(e) => e.json(error('no'), 401)], rejects(502, 'InternalServerError')), 1);
    });
    test('a broken answer is a 502 of ours, asked once', async () => {
        assert.equal(await counting([(e) => e.end()], rejects(502, 'InternalServerError')), 1);
    });
    test('a 429 with a wait is slept out and asked again', async () => {
        const begun = Date.now();
        const count = await counting([(e) => e.json(error('slow', 'rate_limit_exceeded'), 429, { 'Retry-After': '1' }), healthy], ask);
        assert.equal(count, 2);
        assert.ok(Date.now() - begun >= 900);
    });
    test('a 400 of the provider goes back as it is', async () => {
        assert.equal(await counting([(e) => e.json(error('bad thing', 'odd'), 400)], () => assert.rejects(ask(), (thrown) =>
            thrown instanceof Client.BadRequestError && thrown.code === 'odd' && /bad thing/.test(thrown.message))), 1);
    });
    test('a 500 of the provider is a 502 of ours, asked once', async () => {
        assert.equal(await counting([(e) => e.json(error('died'), 500)], rejects(502, 'InternalServerError')), 1);
    });
    test('a stream that breaks is an error, not an end', async () => {
        await counting([async (e) => {
            await e.streamHead();
            await e.event('data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}\n\n');
            e.end();
        }], async () => {
            const stream = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: SAID, stream: true });
            let text = '';
            await assert.rejects(async () => {
                for await (const chunk of stream) {
                    text += chunk.choices[0].delta.content;
                }
            }, (thrown) => thrown instanceof Client.APIError);
            assert.equal(text, 'Hel');
        });
    });
    test('abort mid-stream closes the provider\'s connection', async () => {
        let exchange = null;
        await counting([async (e) => {
            exchange = e;
            await e.streamHead();
            await e.event('data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}\n\n');
        }], async () => {
            const stream = await client().chat.completions.create({ model: 'gpt-4o-mini', messages: SAID, stream: true });
            for await (const chunk of stream) {
                assert.equal(chunk.choices[0].delta.content, 'Hel');
                break;
            }
            stream.controller.abort();
            await exchange.closed(2000);
        });
    });
}

// ---- @anthropic-ai/sdk ----

const ANTHROPIC = { '1.11.0': Anthropic, '0.137.0': Anthropic0 };
const CLAUDE = { model: 'claude-lab', max_tokens: 200, messages: SAID };

function anthropicSuite(Client, world) {
    const client = (more = {}) => new Client({ apiKey: CANARY.app, baseURL: origin(world), ...more });

    test('messages', async () => {
        const { data, response } = await client().messages.create(CLAUDE).withResponse();
        assert.ok(data.content[0].text.length > 0);
        assert.ok(data.usage.input_tokens > 0 && data.usage.output_tokens > 0);
        assert.equal(data._request_id, response.headers.get('request-id'));
    });
    test('messages, base URL with /v1', async () => {
        assert.ok((await client({ baseURL: `${origin(world)}/v1` }).messages.create(CLAUDE)).content[0].text.length > 0);
    });
    test('beta messages', async () => {
        assert.ok((await client().beta.messages.create({ ...CLAUDE, betas: ['unknown-beta-2026-01-01'] })).content[0].text.length > 0);
    });
    test('stream and stream helper', async () => {
        const events = [];
        for await (const event of await client().messages.create({ ...CLAUDE, stream: true })) {
            events.push(event.type);
        }
        assert.equal(events[0], 'message_start');
        assert.equal(events.at(-1), 'message_stop');
        const helper = client().messages.stream(CLAUDE);
        let text = '';
        helper.on('text', (delta) => { text += delta; });
        const final = await helper.finalMessage();
        assert.ok(text.length > 0);
        assert.equal(final.content[0].text, text);
        assert.equal(final.stop_reason, 'end_turn');
        assert.ok(final.usage.output_tokens > 0);
    });
    test('tools, whole and streamed', () => wantingTools(world, async () => {
        const whole = await client().messages.create({ ...CLAUDE, tools: CLAUDE_TOOLS });
        assert.equal(whole.stop_reason, 'tool_use');
        assert.equal(whole.content.find((block) => block.type === 'tool_use').name, 'weather');
        const final = await client().messages.stream({ ...CLAUDE, tools: CLAUDE_TOOLS }).finalMessage();
        checkArguments(final.content.find((block) => block.type === 'tool_use').input);
    }));
    test('count tokens', async () => {
        const { input_tokens } = await client().messages.countTokens({ model: CLAUDE.model, messages: SAID });
        assert.ok(input_tokens > 0);
    });
    test('model list', async () => {
        const all = [];
        for await (const model of client().models.list()) {
            all.push(model);
        }
        assert.ok(all.length > 0 && all.every((model) => model.type === 'model' && model.id.length > 0));
    });
    test('a refusal of ours', () => assert.rejects(client().messages.create({ ...CLAUDE, messages: [] }), (error) => {
        assert.ok(error instanceof Client.BadRequestError, error.constructor.name);
        assert.equal(error.error.error.type, 'invalid_request_error');
        assert.ok(error.requestID?.length > 0);
        return true;
    }));
}

function anthropicFaults(Client, world) {
    const ONCE = { ...CLAUDE, model: 'once-claude' };
    const client = () => new Client({ apiKey: CANARY.app, baseURL: origin(world) });
    const error = (type) => ({ type: 'error', error: { type, message: 'from the provider' }, request_id: 'req_x' });
    const rejects = (status, type) => assert.rejects(client().messages.create(ONCE), (thrown) => {
        assert.equal(thrown.status, status, String(thrown));
        assert.equal(thrown.error.error.type, type);
        return true;
    });
    async function counting(script, act) {
        world.upstream.forget();
        world.upstream.play(script);
        try {
            await act();
            return world.upstream.requests.length;
        } finally {
            world.upstream.play(healthy);
            await world.headgate.reset();
        }
    }

    test('the provider\'s 401 is a 502 of ours, asked once', async () => {
        assert.equal(await counting((e) => e.json(error('authentication_error'), 401), () => rejects(502, 'api_error')), 1);
    });
    test('a 429 with a wait is slept out', async () => {
        const script = (e) => (world.upstream.requests.length === 1
            ? e.json(error('rate_limit_error'), 429, { 'retry-after': '1' }) : healthy(e));
        assert.equal(await counting(script, () => client().messages.create(ONCE)), 2);
    });
    test('a stream that breaks is an error', async () => {
        const start = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
            + 'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
            + 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n';
        await counting(async (e) => {
            await e.streamHead();
            await e.event(start);
            e.reset();
        }, async () => {
            const helper = client().messages.stream(ONCE);
            let text = '';
            helper.on('text', (delta) => { text += delta; });
            await assert.rejects(helper.finalMessage(), (thrown) => thrown instanceof Client.APIError);
            assert.equal(text, 'Hel');
        });
    });
    test('abort mid-stream closes the provider\'s connection', async () => {
        let exchange = null;
        await counting(async (e) => {
            exchange = e;
            await e.streamHead();
            await e.event('event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
                + 'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
                + 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n');
        }, async () => {
            const stream = await client().messages.create({ ...ONCE, stream: true });
            for await (const event of stream) {
                if (event.type === 'content_block_delta') {
                    break;
                }
            }
            stream.controller.abort();
            await exchange.closed(2000);
        });
    });
}

// ---- ai (Vercel) ----

function vercelSuite(world) {
    const openai = () => createOpenAI({ apiKey: CANARY.app, baseURL: `${origin(world)}/v1` });
    const anthropic = () => createAnthropic({ apiKey: CANARY.app, baseURL: `${origin(world)}/v1` });
    const MODELS = {
        'openai responses': () => openai()('gpt-4o-mini'),
        'openai chat': () => openai().chat('gpt-4o-mini'),
        anthropic: () => anthropic()('claude-lab'),
        'anthropic without /v1': () => createAnthropic({ apiKey: CANARY.app, baseURL: origin(world) })('claude-lab'),
    };
    const tools = { weather: tool({ description: 'The weather of a city', inputSchema: jsonSchema(PARAMETERS) }) };

    for (const [name, model] of Object.entries(MODELS)) {
        test(`${name}: generateText`, async () => {
            const { text, usage } = await generateText({ model: model(), prompt: 'Say hello.' });
            assert.ok(text.length > 0);
            assert.ok(usage.inputTokens > 0 && usage.outputTokens > 0);
        });
        test(`${name}: streamText`, async () => {
            const errors = [];
            const result = streamText({ model: model(), prompt: 'Say hello.', onError: ({ error }) => errors.push(error) });
            let text = '';
            for await (const part of result.textStream) {
                text += part;
            }
            assert.deepEqual(errors, []);
            assert.ok(text.length > 0);
            assert.equal(await result.finishReason, 'stop');
            assert.ok((await result.usage).outputTokens > 0);
        });
        test(`${name}: tools`, () => wantingTools(world, async () => {
            const whole = await generateText({ model: model(), prompt: 'Weather?', tools });
            assert.equal(whole.toolCalls[0].toolName, 'weather');
            const streamed = streamText({ model: model(), prompt: 'Weather?', tools });
            assert.equal((await streamed.toolCalls)[0].toolName, 'weather');
        }));
    }
    test('embeddings', async () => {
        const { embed } = await import('ai');
        const { embedding } = await embed({ model: openai().embedding('text-embedding-3-small'), value: 'hello' });
        assert.ok(embedding.length > 0);
    });
}

// ---- @langchain/openai ----

function langchainSuite(world) {
    const chat = (more = {}) => new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: CANARY.app, maxRetries: 0,
        configuration: { baseURL: `${origin(world)}/v1` }, ...more });

    test('invoke', async () => {
        const answer = await chat().invoke('Say hello.');
        assert.ok(String(answer.content).length > 0);
        assert.ok(answer.usage_metadata.output_tokens > 0);
    });
    test('stream', async () => {
        let text = '';
        let usage = null;
        for await (const chunk of await chat().stream('Say hello.')) {
            text += chunk.content;
            usage = chunk.usage_metadata ?? usage;
        }
        assert.ok(text.length > 0);
        assert.ok(usage.output_tokens > 0);
    });
    test('tools', () => wantingTools(world, async () => {
        const answer = await chat().bindTools(CHAT_TOOLS).invoke('Weather?');
        assert.equal(answer.tool_calls[0].name, 'weather');
    }));
    test('the Responses API', async () => {
        assert.ok((await chat({ useResponsesApi: true }).invoke('Say hello.')).content.length > 0);
    });
    test('embeddings', async () => {
        const embeddings = new OpenAIEmbeddings({ model: 'text-embedding-3-small', apiKey: CANARY.app,
            configuration: { baseURL: `${origin(world)}/v1` } });
        assert.ok((await embeddings.embedQuery('hello')).length > 0);
    });
}

for (const [name, world] of Object.entries(worlds)) {
    for (const [version, Client] of Object.entries(OPENAI)) {
        describe(`openai ${version}, ${name}`, () => {
            openaiSuite(version, Client, world);
            if (name !== 'fixtures') {
                openaiFaults(Client, world);
            }
        });
    }
    for (const [version, Client] of Object.entries(ANTHROPIC)) {
        describe(`@anthropic-ai/sdk ${version}, ${name}`, () => {
            anthropicSuite(Client, world);
            if (name !== 'fixtures') {
                anthropicFaults(Client, world);
            }
        });
    }
    describe(`ai 7.0.173, ${name}`, () => vercelSuite(world));
    describe(`@langchain/openai 1.6.0, ${name}`, () => langchainSuite(world));
}

test('abort of a paced fixtures stream ends the call', async () => {
    const { headgate } = worlds.fixtures;
    const client = new OpenAI({ apiKey: CANARY.app, baseURL: `${origin(worlds.fixtures)}/v1` });
    const stream = await client.chat.completions.create({ model: 'paced/gpt-4o-mini', messages: SAID, stream: true });
    for await (const chunk of stream) {
        assert.ok(chunk.id.length > 0);
        break;
    }
    stream.controller.abort();
    await until(() => headgate.callLines().some((line) => line.status === 499 || /gone/.test(JSON.stringify(line))), 3000, 'the line of an abandoned call');
});

describe('with a key of headgate', () => {
    const { texts, keys } = ringOf({ app: { team: 'growth' } });
    let headgate;
    before(async () => {
        headgate = await Headgate.start({ providers: providersAt(worlds.plain.upstream), key_secret: KEY_SECRET, keys });
    });
    after(() => headgate.stop());
    const root = () => `http://127.0.0.1:${headgate.port}`;
    let served = 0;
    const refusals = () => headgate.callLines().filter((line) => line.status === 401).length;
    const rows = [
        ...Object.entries(OPENAI).map(([version, Client]) => [`openai ${version}`, Client,
            (apiKey) => new Client({ apiKey, baseURL: `${root()}/v1` }).chat.completions.create({ model: 'gpt-4o-mini', messages: SAID })]),
        ...Object.entries(ANTHROPIC).map(([version, Client]) => [`@anthropic-ai/sdk ${version}`, Client,
            (apiKey) => new Client({ apiKey, baseURL: root() }).messages.create({ model: 'claude-sonnet-4-5', max_tokens: 64, messages: SAID })]),
    ];
    for (const [name, Client, ask] of rows) {
        test(`${name} is served as its key's owner, and told of another key once`, async () => {
            assert.ok((await ask(texts.app)).id.length > 0);
            const line = await until(() => headgate.callLines().filter(({ status }) => status === 200).at(served), 3000, 'its line');
            served += 1;
            assert.deepEqual([line.key, line.team], ['app', 'growth']);
            const before = refusals();
            await assert.rejects(ask(newKey()), (error) => error instanceof Client.AuthenticationError && /this key is not accepted/.test(error.message));
            await until(() => refusals() > before, 3000, 'its line');
            assert.equal(refusals(), before + 1, 'no SDK asks again');
            assert.ok(!headgate.stderr.includes(texts.app));
        });
    }
});

test('what the SDKs sent arrived with our credential and without theirs', () => {
    for (const { upstream, headgate } of [worlds.plain, worlds.tls]) {
        assert.ok(upstream.requests.length > 0);
        for (const seen of upstream.requests) {
            assert.ok(!seen.head.includes(CANARY.app), seen.line);
            assert.ok([`Bearer ${CANARY.provider}`, undefined].includes(header(seen, 'authorization')));
        }
        headgate.check();
    }
});
