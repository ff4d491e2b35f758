// SPDX-License-Identifier: Apache-2.0
// Providers of each dialect for apps of another one: what they say, spelled by hand as their own pages have it (the
// plain text is that of the captured answers), and what they insist on in a request, as strictly as the
// real ones do. A turn is { text } or { calls: [{ id, name, input }], text? }, with finish and refusal where it ends
// otherwise.
import assert from 'node:assert/strict';
import { upstreamFile } from './samples.mjs';

const sse = (events) => events.map((data) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`).join('');
const named = (events) => events.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join('');
// A text in two pieces, so that a stream has more than one; the cut is inside a pair of surrogates' neighbourhood.
const halves = (text) => [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))].filter((one) => one !== '');
const only = (object, keys, what) => Object.keys(object).forEach((key) => assert.ok(keys.includes(key), `${what} has no member ${key}`));
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

// ---- OpenAI chat completions ----

const CHAT_MEMBERS = ['model', 'messages', 'tools', 'tool_choice', 'parallel_tool_calls', 'max_completion_tokens', 'max_tokens', 'temperature',
    'top_p', 'stop', 'seed', 'n', 'frequency_penalty', 'presence_penalty', 'stream', 'stream_options', 'response_format', 'reasoning_effort',
    'verbosity', 'user', 'safety_identifier', 'metadata', 'store', 'service_tier', 'logprobs', 'top_logprobs', 'prompt_cache_key', 'logit_bias'];

function checkChatMessages(messages) {
    let open = [];
    for (const message of messages) {
        assert.ok(['system', 'developer', 'user', 'assistant', 'tool'].includes(message.role), `role ${message.role}`);
        if (message.role === 'tool') {
            assert.ok(open.includes(message.tool_call_id), `a result for ${message.tool_call_id}, which no call before it has`);
            open = open.filter((id) => id !== message.tool_call_id);
            assert.ok(typeof message.content === 'string' || message.content.every((part) => part.type === 'text'));
            continue;
        }
        assert.deepEqual(open, [], 'each call has its result before anything else is said');
        if (message.role !== 'assistant') {
            assert.ok(typeof message.content === 'string' || message.content.length > 0, 'content is needed');
            continue;
        }
        assert.ok(message.content !== null || message.tool_calls, 'an assistant says something');
        open = (message.tool_calls ?? []).map(({ id, type, function: { name, arguments: text } }) => {
            assert.equal(type, 'function');
            assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
            assert.ok(isObject(JSON.parse(text)));
            return id;
        });
        assert.equal(new Set(open).size, open.length);
    }
    assert.deepEqual(open, []);
}

const chatUsage = { prompt_tokens: 29, completion_tokens: 11, total_tokens: 40, prompt_tokens_details: { cached_tokens: 20 }, completion_tokens_details: { reasoning_tokens: 3 } };
const chatFinish = (turn) => turn.finish ?? (turn.calls ? 'tool_calls' : 'stop');
const chatCalls = (turn) => turn.calls?.map(({ id, name, input }) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }));
const chatHead = { id: 'chatcmpl-lab1', created: 1700000000, model: 'lab-model' };

export const chat = {
    name: 'chat', kind: 'openai', path: '/v1/chat/completions', model: 'gpt-4o-mini',
    usage: { input: 29, cached: 20, output: 11 },
    isStream: (request) => request.json().stream === true,
    check(request) {
        const body = request.json();
        only(body, CHAT_MEMBERS, 'a chat completion');
        assert.ok(body.messages.length > 0);
        checkChatMessages(body.messages);
        body.tools?.forEach((tool) => {
            assert.equal(tool.type, 'function');
            only(tool.function, ['name', 'description', 'parameters', 'strict'], 'a function');
        });
        assert.ok(body.tools || !body.tool_choice, 'tool_choice is only allowed with tools');
        assert.ok(body.stream || !body.stream_options, 'stream_options is only allowed with stream');
    },
    whole: (turn) => (turn.text === 'Hello from the mock.' && !turn.calls && !turn.finish ? JSON.parse(upstreamFile('openai-chat.json')) : {
        ...chatHead, object: 'chat.completion', usage: chatUsage, choices: [{ index: 0, finish_reason: chatFinish(turn), logprobs: null,
            message: { role: 'assistant', content: turn.text ?? null, refusal: turn.refusal ?? null, ...(turn.calls ? { tool_calls: chatCalls(turn) } : {}) } }],
    }),
    stream(turn) {
        const chunk = (delta, finish_reason = null) => ({ ...chatHead, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason, logprobs: null }] });
        const events = [chunk({ role: 'assistant', content: '' })];
        halves(turn.text ?? '').forEach((content) => events.push(chunk({ content })));
        if (turn.refusal) {
            events.push(chunk({ refusal: turn.refusal }));
        }
        turn.calls?.forEach(({ id, name, input }, index) => {
            events.push(chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }));
            halves(JSON.stringify(input)).forEach((text) => events.push(chunk({ tool_calls: [{ index, function: { arguments: text } }] })));
        });
        events.push(chunk({}, chatFinish(turn)), { ...chatHead, object: 'chat.completion.chunk', choices: [], usage: chatUsage }, '[DONE]');
        return sse(events);
    },
    fault: { status: 400, body: { error: { message: 'Invalid thing.', type: 'invalid_request_error', param: 'thing', code: null } } },
    tooLong: { status: 400, body: { error: { message: "This model's maximum context length is 10 tokens.", type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } } },
    cut: () => sse([{ ...chatHead, object: 'chat.completion.chunk', choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }]),
    broken: () => sse([{ ...chatHead, object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'Hel' }, finish_reason: null }] },
        { error: { message: 'The server had an error', type: 'server_error', code: null } }]),
    systemOf: (body) => body.messages.filter(({ role }) => role === 'system' || role === 'developer').map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join(''))),
    resultsOf: (body) => body.messages.filter(({ role }) => role === 'tool').map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join(''))),
    imagesOf: (body) => body.messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter(({ type }) => type === 'image_url').map(({ image_url: { url } }) => url),
    schemaOf: (body) => body.response_format?.json_schema.schema,
};

// ---- Anthropic messages ----

const MESSAGE_MEMBERS = ['model', 'max_tokens', 'messages', 'system', 'stop_sequences', 'stream', 'temperature', 'top_p', 'top_k', 'tools', 'tool_choice',
    'thinking', 'output_config', 'metadata', 'service_tier', 'cache_control'];
const BLOCKS = { text: ['text', 'cache_control'], image: ['source', 'cache_control'], document: ['source', 'title', 'cache_control'],
    tool_use: ['id', 'name', 'input', 'cache_control'], tool_result: ['tool_use_id', 'content', 'is_error', 'cache_control'] };

function checkBlock(block, role) {
    assert.ok(BLOCKS[block.type], `block ${block.type}`);
    only(block, ['type', ...BLOCKS[block.type]], `a block ${block.type}`);
    if (block.type === 'text') {
        assert.match(block.text, /\S/, 'text blocks must not be blank');
    }
    if (block.type === 'tool_use') {
        assert.equal(role, 'assistant');
        assert.match(block.id, /^[a-zA-Z0-9_-]+$/);
        assert.ok(isObject(block.input));
    }
    if (block.type === 'tool_result' && Array.isArray(block.content)) {
        block.content.forEach((one) => checkBlock(one, role));
    }
}

function checkTurns(messages) {
    assert.equal(messages[0].role, 'user', 'the first message is of the user');
    let open = [];
    for (const { role, content } of messages) {
        assert.ok(['user', 'assistant'].includes(role), `role ${role}`);
        const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
        assert.ok(blocks.length > 0, 'a message has content');
        blocks.forEach((block) => checkBlock(block, role));
        const results = blocks.filter(({ type }) => type === 'tool_result').map((block) => block.tool_use_id);
        assert.deepEqual([...results].sort(), [...open].sort(), 'each call has its result in the next message, and no other');
        assert.ok(blocks.slice(0, results.length).every(({ type }) => type === 'tool_result'), 'results come first');
        open = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
        assert.equal(new Set(open).size, open.length);
    }
    assert.deepEqual(open, []);
}

const messageUsage = { input_tokens: 4, cache_creation_input_tokens: 5, cache_read_input_tokens: 20,
    cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 0 }, output_tokens: 11 };
const wordOf = (words, word) => words[word] ?? word;
const messageFinish = (turn) => wordOf({ stop: 'end_turn', length: 'max_tokens', content_filter: 'refusal', tool_calls: 'tool_use' }, chatFinish(turn));
const blocksOf = (turn) => [...(turn.text ?? turn.refusal ? [{ type: 'text', text: turn.text ?? turn.refusal }] : []),
    ...(turn.calls ?? []).map(({ id, name, input }) => ({ type: 'tool_use', id, name, input }))];

export const messages = {
    name: 'messages', kind: 'anthropic', path: '/v1/messages', model: 'claude-sonnet-4-5',
    usage: { input: 29, cached: 20, output: 11 },
    isStream: (request) => request.json().stream === true,
    check(request) {
        const body = request.json();
        assert.ok(request.headers.some(([name]) => name.toLowerCase() === 'anthropic-version'));
        only(body, MESSAGE_MEMBERS, 'a message');
        assert.ok(Number.isInteger(body.max_tokens) && body.max_tokens > 0, 'max_tokens is required');
        assert.ok(body.temperature === undefined || (body.temperature >= 0 && body.temperature <= 1), 'temperature from 0 to 1');
        assert.ok(body.temperature === undefined || body.top_p === undefined, 'temperature and top_p not both');
        checkTurns(body.messages);
        if (Array.isArray(body.system)) {
            body.system.forEach((block) => { assert.equal(block.type, 'text'); checkBlock(block); });
        }
        body.tools?.forEach((tool) => {
            only(tool, ['name', 'description', 'input_schema', 'strict', 'type', 'cache_control'], 'a tool');
            assert.equal(tool.input_schema.type, 'object');
        });
        assert.ok(body.tools || !body.messages.some(({ content }) => Array.isArray(content) && content.some(({ type }) => type === 'tool_use')), 'tools of the history are declared');
    },
    whole: (turn) => (turn.text === 'Hello from the mock.' && !turn.calls && !turn.finish ? JSON.parse(upstreamFile('anthropic-message.json')) : {
        id: 'msg_lab1', type: 'message', role: 'assistant', model: 'lab-claude', content: blocksOf(turn), stop_reason: messageFinish(turn), stop_sequence: null, usage: messageUsage,
    }),
    stream(turn) {
        const events = [{ type: 'message_start', message: { id: 'msg_lab1', type: 'message', role: 'assistant', model: 'lab-claude', content: [], stop_reason: null, stop_sequence: null,
            usage: { ...messageUsage, output_tokens: 1 } } }, { type: 'ping' }];
        blocksOf(turn).forEach((block, index) => {
            events.push({ type: 'content_block_start', index, content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} } });
            const pieces = block.type === 'text' ? halves(block.text).map((text) => ({ type: 'text_delta', text }))
                : Object.keys(block.input).length === 0 ? [] : halves(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
            pieces.forEach((delta) => events.push({ type: 'content_block_delta', index, delta }));
            events.push({ type: 'content_block_stop', index });
        });
        events.push({ type: 'message_delta', delta: { stop_reason: messageFinish(turn), stop_sequence: null }, usage: { output_tokens: 11 } }, { type: 'message_stop' });
        return named(events);
    },
    fault: { status: 400, body: { type: 'error', error: { type: 'invalid_request_error', message: 'Invalid thing.' }, request_id: 'req_1' } },
    tooLong: { status: 400, body: { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 11 tokens > 10 maximum' }, request_id: 'req_1' } },
    cut: () => named([{ type: 'message_start', message: { id: 'msg_lab1', type: 'message', role: 'assistant', model: 'lab-claude', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 9, output_tokens: 1 } } }]),
    broken: () => messages.cut() + named([{ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
        { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }]),
    systemOf: (body) => (typeof body.system === 'string' ? [body.system] : (body.system ?? []).map(({ text }) => text)),
    resultsOf: (body) => body.messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter(({ type }) => type === 'tool_result')
        .map(({ content }) => (typeof content === 'string' ? content : content.map(({ text }) => text).join(''))),
    imagesOf: (body) => body.messages.flatMap(({ content }) => (Array.isArray(content) ? content : [])).filter(({ type }) => type === 'image')
        .map(({ source }) => (source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`)),
    schemaOf: (body) => body.output_config?.format?.schema,
};

// ---- Gemini generateContent ----

const GEMINI_MEMBERS = ['contents', 'systemInstruction', 'generationConfig', 'tools', 'toolConfig', 'safetySettings', 'serviceTier', 'store'];
const PARTS = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'];

function checkContents(contents) {
    let open = [];
    assert.equal(contents[0].role, 'user');
    for (const { role, parts } of contents) {
        assert.ok(['user', 'model'].includes(role), `role ${role}`);
        assert.ok(parts.length > 0);
        parts.forEach((part) => {
            assert.equal(PARTS.filter((name) => name in part).length, 1, `one kind of data in ${JSON.stringify(part)}`);
            assert.ok(!('text' in part) || part.text !== '', 'empty text is refused');
        });
        const results = parts.filter((part) => part.functionResponse).map((part) => part.functionResponse);
        results.forEach(({ response }) => assert.ok(isObject(response), 'a response is an object'));
        assert.deepEqual(results.map(({ name }) => name), open, 'results answer the calls, in their order');
        const calls = parts.filter((part) => part.functionCall);
        calls.forEach(({ functionCall: { args } }) => assert.ok(args === undefined || isObject(args)));
        assert.ok(calls.length === 0 || typeof calls[0].thoughtSignature === 'string', 'the first call of a step has a signature');
        open = calls.map(({ functionCall: { name } }) => name);
    }
    assert.deepEqual(open, []);
}

const geminiUsage = { promptTokenCount: 29, cachedContentTokenCount: 20, candidatesTokenCount: 8, thoughtsTokenCount: 3, totalTokenCount: 40 };
const geminiFinish = (turn) => wordOf({ stop: 'STOP', length: 'MAX_TOKENS', content_filter: 'SAFETY', tool_calls: 'STOP' }, chatFinish(turn));
const geminiParts = (turn) => [...(turn.text ? [{ text: turn.text }] : []), ...(turn.calls ?? []).map(({ name, input }) => ({ functionCall: { name, args: input }, thoughtSignature: 'c2ln' }))];
const geminiAnswer = (parts, finishReason, more = {}) => ({ candidates: [{ content: { parts, role: 'model' }, ...(finishReason ? { finishReason } : {}), index: 0 }], modelVersion: 'lab-gemini', responseId: 'g1', ...more });

export const generate = {
    name: 'generate', kind: 'gemini', path: '/v1beta/models/gemini-4-argon:generateContent', model: 'gemini-4-argon',
    usage: { input: 29, cached: 20, output: 11 },
    isStream: (request) => request.target.includes(':streamGenerateContent'),
    check(request) {
        const body = request.json();
        assert.match(request.target, /\/models\/[^/]+:(generateContent|streamGenerateContent\?alt=sse)$/);
        only(body, GEMINI_MEMBERS, 'generateContent');
        checkContents(body.contents);
        body.tools?.forEach(({ functionDeclarations }) => functionDeclarations.forEach((one) => {
            only(one, ['name', 'description', 'parametersJsonSchema'], 'a declaration');
        }));
    },
    whole: (turn) => (turn.text === 'Hello from the mock.' && !turn.calls && !turn.finish ? JSON.parse(upstreamFile('gemini-generate.json'))
        : geminiAnswer(geminiParts(turn), geminiFinish(turn), { usageMetadata: geminiUsage })),
    stream(turn) {
        const events = halves(turn.text ?? '').map((text) => geminiAnswer([{ text }], null, { usageMetadata: { promptTokenCount: 29 } }));
        if (turn.calls) {
            events.push(geminiAnswer(geminiParts({ calls: turn.calls }), null));
        }
        events.push(geminiAnswer([{ text: '' }], geminiFinish(turn), { usageMetadata: geminiUsage }));
        return sse(events).replaceAll('\n', '\r\n');
    },
    fault: { status: 400, body: { error: { code: 400, message: 'Invalid thing.', status: 'INVALID_ARGUMENT' } } },
    tooLong: { status: 400, body: { error: { code: 400, message: 'The input token count (11) exceeds the maximum number of tokens allowed (10).', status: 'INVALID_ARGUMENT' } } },
    cut: () => '',
    broken: () => sse([geminiAnswer([{ text: 'Hel' }], null), { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }]),
    systemOf: (body) => (body.systemInstruction?.parts ?? []).map(({ text }) => text),
    resultsOf: (body) => body.contents.flatMap(({ parts }) => parts).filter((part) => part.functionResponse).map(({ functionResponse: { response } }) => response.output ?? JSON.stringify(response)),
    imagesOf: (body) => body.contents.flatMap(({ parts }) => parts).filter((part) => part.inlineData).map(({ inlineData }) => `data:${inlineData.mimeType};base64,${inlineData.data}`),
    schemaOf: (body) => body.generationConfig?.responseJsonSchema,
};

// What a provider answers to a request: a turn in its own words, after it has looked at the request. A fault of the
// request is kept, so that the test can tell it from what the app makes of a 400.
export function provider(dialect, turnOf) {
    const seen = { bodies: [], faults: [] };
    seen.play = async (exchange) => {
        const { request } = exchange;
        try {
            seen.bodies.push(request.json());
            dialect.check(request);
        } catch (error) {
            seen.faults.push(error);
            return exchange.json(dialect.fault.body, 400);
        }
        const turn = turnOf(seen.bodies.length - 1, request.json());
        if (turn.status) {
            return exchange.json(turn.body, turn.status);
        }
        if (!dialect.isStream(request)) {
            return exchange.json(dialect.whole(turn));
        }
        return exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked', size: 7,
            body: turn.raw ?? dialect.stream(turn) });
    };
    return seen;
}
