// SPDX-License-Identifier: Apache-2.0
// What scripted providers play when they fail, for the tables of faults: error bodies, pages, parts of
// streams, and what the second, healthy provider of a pair says.
import { answerPieces } from './upstream.mjs';
import { ANSWERS, operationOf, upstreamFile } from './samples.mjs';
import { chunk } from './wire.mjs';

export const providerError = (type, code, message = 'from the provider') => JSON.stringify({ error: { message, type, param: null, code } });
export const claudeError = (type, message = 'from the provider', more = {}) =>
    JSON.stringify({ type: 'error', error: { type, message, ...more }, request_id: 'req_1' });
export const HTML = '<html><body>login</body></html>';
export const html = (status) => (exchange) => exchange.answer({ status, headers: { 'Content-Type': 'text/html' }, body: HTML });

// What was asked: the operation and whether as a stream.
export const askedOf = ({ request }) => ({ operation: operationOf(request.target), isStream: request.json?.().stream === true });
export const isClaude = (exchange) => operationOf(exchange.request.target) === 'messages';

// An answer in the form of the dialect: chat and messages are bodies.
export const errors = (status, { chat, messages }, headers = {}) => (exchange) =>
    exchange.answer({ status, headers, body: isClaude(exchange) ? messages : chat });

// ---- streams ----

export const delta = (text) => `data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`;
export const ROLE = 'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';
export const STOP = 'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
export const DONE = 'data: [DONE]\n\n';
export const twenty = Array.from({ length: 20 }, (_, i) => delta(`t${i} `)).join('');
const claudeDelta = (text) => `event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${text}"}}\n\n`;

const claude = upstreamFile('anthropic-message.sse').toString();
const part = (from, to) => claude.slice(claude.indexOf(from), to ? claude.indexOf(to) : undefined);
// operation: start (nothing that counts), twenty pieces of content, the finish, the terminal event.
export const STREAM = {
    chat: { start: ROLE, delta, twenty, finish: STOP, terminal: DONE, ping: ': ping\n\n' },
    messages: {
        start: part('event: message_start', 'event: content_block_delta'),
        delta: claudeDelta,
        twenty: Array.from({ length: 20 }, (_, i) => claudeDelta(`t${i} `)).join(''),
        finish: part('event: content_block_stop', 'event: message_stop'),
        terminal: part('event: message_stop'),
        ping: 'event: ping\ndata: {"type":"ping"}\n\n',
    },
};
export const begun = (operation) => STREAM[operation].start + STREAM[operation].twenty;
export const complete = (operation) => begun(operation) + STREAM[operation].finish + STREAM[operation].terminal;

// A stream of what `text` gives for the operation, then `then`.
export const streams = (text, then = (exchange) => exchange.streamEnd()) => async (exchange) => {
    const { operation } = askedOf(exchange);
    await exchange.streamHead();
    const body = text(operation);
    if (body !== '') {
        await exchange.event(body);
    }
    await then(exchange, operation);
};

// ---- the healthy second provider: the sample answers with words of its own ----

const OWN_WORDS = [['Hello from the mock.', 'The second one speaks.'], ['"Hel"', '"Sec"']];
export function secondBody(operation, isStream) {
    const text = upstreamFile(ANSWERS[operation][isStream ? 'stream' : 'whole']).toString();
    return OWN_WORDS.reduce((body, [from, to]) => body.replace(from, to), text);
}
export function second(exchange) {
    const { operation, isStream } = askedOf(exchange);
    return exchange.answer({ body: secondBody(operation, isStream),
        ...(isStream ? { headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked' } : {}) });
}

// ---- whole answers ----

export const firstBody = (operation, isStream) => upstreamFile(ANSWERS[operation][isStream ? 'stream' : 'whole']).toString();
// The healthy answer as bytes: head lines in front of the framing's, for what is odd about it.
export function goodBytes(exchange, headers = {}, framing = 'length') {
    const { operation, isStream } = askedOf(exchange);
    const kind = isStream ? { 'Content-Type': 'text/event-stream' } : {};
    return Buffer.concat(answerPieces({ headers: { ...kind, ...headers }, body: firstBody(operation, isStream), framing }));
}
export const typeOf = (isStream) => (isStream ? 'text/event-stream' : 'application/json');
export { chunk };
