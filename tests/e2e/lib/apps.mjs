// SPDX-License-Identifier: Apache-2.0
// Apps of each dialect as bytes: a small request, and what an answer, a stream or an error says in it.
// A stream is read strictly: events in the order that its dialect wants, and one end.
import assert from 'node:assert/strict';
import { CANARY } from './headgate.mjs';

const parse = (answer) => JSON.parse(answer.body.toString());
const dataOf = (text) => text.replaceAll('\r\n', '\n').split('\n\n').filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => event.split('\n').find((line) => line.startsWith('data: ')).slice(6));
const eventsOf = (text) => dataOf(text).map((data) => (data === '[DONE]' ? data : JSON.parse(data)));
const request = (target, body, headers = {}) => ({ target, headers: { ...headers }, body: JSON.stringify(body) });
const bearer = { Authorization: `Bearer ${CANARY.app}` };
const said = [{ role: 'user', content: 'Say hello.' }];

// Each: { name, ask(model, { isStream, cap, more }), whole(answer), stream(text), error(answer), capOf }. stream gives
// { text, usage, error: the event or undefined, isWhole }.
const chat = {
    name: 'chat',
    ask: (model, { isStream, cap, more } = {}) => request('/v1/chat/completions', { model, messages: said, ...(cap ? { max_completion_tokens: cap } : {}),
        ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}), ...more }, bearer),
    whole(answer) {
        const body = parse(answer);
        assert.equal(body.object, 'chat.completion');
        return { text: body.choices[0].message.content, usage: body.usage };
    },
    stream(text) {
        const events = eventsOf(text);
        const chunks = events.filter((event) => event !== '[DONE]' && !event.error);
        assert.ok(new Set(chunks.map(({ id }) => id)).size <= 1, 'one id');
        return { text: chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), usage: chunks.at(-1)?.usage,
            error: events.find((event) => event.error), isWhole: events.at(-1) === '[DONE]' && chunks.some(({ choices }) => choices[0]?.finish_reason) };
    },
    error: (answer) => ({ ...parse(answer).error }),
};

const responses = {
    name: 'responses',
    ask: (model, { isStream, cap, more } = {}) => request('/v1/responses', { model, input: 'Say hello.', ...(cap ? { max_output_tokens: cap } : {}),
        ...(isStream ? { stream: true } : {}), ...more }, bearer),
    whole(answer) {
        const body = parse(answer);
        assert.deepEqual([body.object, body.status], ['response', 'completed']);
        return { text: body.output.flatMap(({ content }) => content ?? []).map((part) => part.text).join(''), usage: body.usage };
    },
    stream(text) {
        const events = eventsOf(text);
        assert.deepEqual(events.map(({ sequence_number }) => sequence_number), events.map((_, i) => i), 'numbered without gaps');
        assert.ok(new Set(events.filter(({ response }) => response).map(({ response: { id } }) => id)).size <= 1, 'one id');
        const last = events.at(-1);
        return { text: events.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta).join(''), usage: last?.response?.usage,
            error: events.find(({ type }) => type === 'response.failed'), isWhole: last?.type === 'response.completed' };
    },
    error: chat.error,
};

const messages = {
    name: 'messages',
    ask: (model, { isStream, cap = 64, more } = {}) => request('/v1/messages', { model, max_tokens: cap, messages: said, ...(isStream ? { stream: true } : {}), ...more },
        { 'x-api-key': CANARY.app, 'anthropic-version': '2023-06-01' }),
    whole(answer) {
        const body = parse(answer);
        assert.equal(body.type, 'message');
        return { text: body.content.map((block) => block.text).join(''), usage: body.usage };
    },
    stream(text) {
        for (const event of text.split('\n\n').filter((one) => one !== '' && !one.startsWith(':'))) {
            assert.equal(/^event: (.*)$/m.exec(event)?.[1], JSON.parse(/^data: (.*)$/m.exec(event)[1]).type, 'events are named as they are');
        }
        const events = eventsOf(text).filter(({ type }) => type !== 'ping');
        return { text: events.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta.text).join(''), usage: events.find(({ type }) => type === 'message_delta')?.usage,
            error: events.find(({ type }) => type === 'error'), isWhole: events[0]?.type === 'message_start' && events.at(-1)?.type === 'message_stop' };
    },
    error(answer) {
        const body = parse(answer);
        assert.equal(body.type, 'error');
        return body.error;
    },
};

const generate = {
    name: 'generate',
    ask: (model, { isStream, cap, more } = {}) => request(`/v1beta/models/${model}:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
        { contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }], ...(cap ? { generationConfig: { maxOutputTokens: cap } } : {}), ...more }, { 'x-goog-api-key': CANARY.app }),
    whole(answer) {
        const body = parse(answer);
        return { text: body.candidates[0].content.parts.map((part) => part.text).join(''), usage: body.usageMetadata };
    },
    stream(text) {
        const events = eventsOf(text);
        const parts = events.filter(({ candidates }) => candidates);
        return { text: parts.flatMap(({ candidates }) => candidates[0].content?.parts ?? []).map((part) => part.text ?? '').join(''), usage: events.at(-1)?.usageMetadata,
            error: events.find((event) => event.error), isWhole: parts.at(-1)?.candidates[0].finishReason !== undefined };
    },
    error(answer) {
        const { error } = parse(answer);
        assert.equal(error.code, answer.status, 'the status once more');
        return error;
    },
};

export const APPS = { chat, responses, messages, generate };
