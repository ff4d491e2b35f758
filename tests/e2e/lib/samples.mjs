// SPDX-License-Identifier: Apache-2.0
// Bodies and answers that many tests need: small good requests per operation, and the captured
// clients and answers under tests/data.
import fs from 'node:fs';
import { CANARY } from './headgate.mjs';

const DATA = new URL('../../data/', import.meta.url);

export const upstreamFile = (name) => fs.readFileSync(new URL(`upstream/${name}`, DATA));

const said = [{ role: 'user', content: `Say hello. ${CANARY.prompt}` }];

// Good requests, by operation.
export const GOOD = {
    chat: { target: '/v1/chat/completions', body: { model: 'gpt-4o-mini', messages: said } },
    responses: { target: '/v1/responses', body: { model: 'gpt-4o-mini', input: 'Say hello.' } },
    embeddings: { target: '/v1/embeddings', body: { model: 'text-embedding-3-small', input: 'hello' } },
    messages: { target: '/v1/messages', body: { model: 'claude-sonnet-4-5', max_tokens: 64, messages: said } },
};

// A request for request(): `more` is merged into the body.
export function good(operation = 'chat', more = {}, extra = {}) {
    const { target, body } = GOOD[operation];
    const headers = { Authorization: `Bearer ${CANARY.app}`, ...extra.headers };
    return { target, ...extra, headers, body: JSON.stringify({ ...body, ...more }) };
}

// What a healthy provider answers, whole and streamed, by operation.
export const ANSWERS = {
    chat: { whole: 'openai-chat.json', stream: 'openai-chat.sse', usage: 'openai-chat-usage.sse' },
    responses: { whole: 'openai-responses.json', stream: 'openai-responses.sse' },
    messages: { whole: 'anthropic-message.json', stream: 'anthropic-message.sse' },
};

// [0.5, 0.25] in the form that was asked for.
function embeddings(format) {
    const embedding = format === 'base64'
        ? Buffer.from(new Float32Array([0.5, 0.25]).buffer).toString('base64') : [0.5, 0.25];
    return { object: 'list', model: 'lab-embed', data: [{ object: 'embedding', index: 0, embedding }],
             usage: { prompt_tokens: 2, total_tokens: 2 } };
}

export const operationOf = (target) => {
    const path = target.split('?')[0];
    return Object.entries({ chat: '/chat/completions', responses: '/responses', count: '/count_tokens',
        messages: '/messages', embeddings: '/embeddings', models: '/models' })
        .find(([, ending]) => path.endsWith(ending))?.[0];
};

// A whole healthy provider as a script for Upstream.play: answers every operation by its request.
export function healthy(exchange) {
    const { request } = exchange;
    const operation = operationOf(request.target);
    if (operation === 'models' && request.headers.some(([name]) => name.toLowerCase() === 'anthropic-version')) {
        const model = { type: 'model', id: 'lab-claude', display_name: 'Lab', created_at: '2026-01-01T00:00:00Z' };
        return exchange.json({ data: [model], has_more: false, first_id: model.id, last_id: model.id });
    }
    if (operation === 'models') {
        const model = { id: 'lab-model', object: 'model', created: 1700000000, owned_by: 'lab' };
        return exchange.json({ object: 'list', data: [model] });
    }
    if (operation === 'count') {
        return exchange.json({ input_tokens: 9 });
    }
    if (operation === 'embeddings') {
        return exchange.json(embeddings(request.json().encoding_format));
    }
    const files = ANSWERS[operation];
    if (!files) {
        return exchange.json({ ok: true });
    }
    const wanted = request.json();
    if (wanted.stream !== true) {
        return exchange.answer({ body: upstreamFile(files.whole) });
    }
    const asks = wanted.stream_options?.include_usage && files.usage;
    return exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked',
        body: upstreamFile(asks ? files.usage : files.stream) });
}

// Every captured request that has a known dialect: { client, name, method, target, headers, body }.
// The body is a Buffer in the very bytes the client sent (compact JSON, or indented as older
// openai clients print it), told apart by the captured length.
export function capturedRequests() {
    const directory = new URL('requests/', DATA);
    const all = [];
    for (const file of fs.readdirSync(directory).sort()) {
        if (file.startsWith('google-genai') || file === 'cli-bodies.json') { // the latter has bodies alone
            continue;
        }
        const { client, requests } = JSON.parse(fs.readFileSync(new URL(file, directory)));
        for (const one of requests) {
            if (!/generateContent|embedContent/i.test(one.target)) {
                all.push({ ...one, client: one.client ?? client, name: one.name ?? one.target,
                           body: capturedBody(one) });
            }
        }
    }
    return all;
}

function capturedBody(one) {
    if (one.body_shape) {
        return shapedBody(one.body_shape, one.body_bytes);
    }
    if (one.body === null) {
        return null;
    }
    const length = Number(one.headers.find(([n]) => n.toLowerCase() === 'content-length')?.[1]);
    const forms = [JSON.stringify(one.body), JSON.stringify(one.body, null, 2)].map((t) => Buffer.from(t));
    const body = forms.find((form) => form.length === length);
    if (!body) {
        throw new Error(`${one.name}: no form of the body has ${length} bytes`);
    }
    return body;
}

// A body of the told shape and size, for clients whose text was not kept.
function shapedBody(shape, size) {
    const fill = (told) => {
        if (typeof told !== 'string') {
            return told;
        }
        if (told === 'object{include_usage}') {
            return { include_usage: true };
        }
        const [, kind, count] = /^(string|array|object)[({](\d*)/.exec(told) ?? [];
        if (kind === 'string') {
            return 'm'.repeat(Number(count));
        }
        if (kind === 'array') {
            return Array.from({ length: Number(count) }, (_, i) => ({ role: 'user', content: `part ${i}` }));
        }
        return {};
    };
    const body = Object.fromEntries(Object.entries(shape).map(([name, told]) => [name, fill(told)]));
    const bare = Buffer.byteLength(JSON.stringify({ ...body, padding: '' }));
    return Buffer.from(JSON.stringify({ ...body, padding: 'p'.repeat(Math.max(0, size - bare)) }));
}
