// SPDX-License-Identifier: Apache-2.0
// What a sick provider does to the call of an SDK, as scripts for Upstream.play, in each dialect: the
// faults that another provider can make good, and those that come after content, when none can.
import { operationOf, upstreamFile } from './samples.mjs';

const file = (name) => upstreamFile(name).toString();
const text = { chat: file('openai-chat.json'), responses: file('openai-responses.json'), messages: file('anthropic-message.json') };
const claude = file('anthropic-message.sse');
const responses = file('openai-responses.sse');
const chat = file('openai-chat.sse').split(/(?<=\n\n)/);

// What a stream has said before anything counts, and with two pieces of content.
const START = { chat: chat[0], messages: claude.slice(0, claude.indexOf('event: content_block_delta')),
                responses: responses.slice(0, responses.indexOf('event: response.output_item.added')) };
const CONTENT = { chat: chat.slice(0, 3).join(''), messages: claude.slice(0, claude.indexOf('event: content_block_stop')),
                  responses: responses.slice(0, responses.indexOf('event: response.output_text.done')) };

const isClaude = (operation) => operation === 'messages';
const openaiError = (type, code, message) => ({ error: { message, type, param: null, code } });
const claudeError = (type, message) => ({ type: 'error', error: { type, message }, request_id: 'req_lab1' });

// One refusal: [status, Anthropic's type, OpenAI's type, code, message], more headers.
const says = (status, claudeType, type, code, message, headers = {}) => (exchange) => exchange.json(
    isClaude(operationOf(exchange.request.target)) ? claudeError(claudeType, message) : openaiError(type, code, message), status, headers);

const STREAM_ERRORS = {
    chat: `data: ${JSON.stringify(openaiError('server_error', 'server_error', 'upstream died'))}\n\n`,
    messages: `event: error\ndata: ${JSON.stringify(claudeError('api_error', 'upstream died'))}\n\n`,
    responses: `event: error\ndata: ${JSON.stringify({ type: 'error', code: 'server_error', message: 'upstream died', param: null, sequence_number: 2 })}\n\n`,
};

// A stream that says so much, then something, then ends as told.
const streams = (said, then) => async (exchange) => {
    const operation = operationOf(exchange.request.target);
    await exchange.streamHead();
    if (said !== null) {
        await exchange.event(said[operation]);
    }
    await then(exchange, operation);
};
const ends = (exchange) => exchange.streamEnd();
const errs = async (exchange, operation) => {
    await exchange.event(STREAM_ERRORS[operation]);
    await exchange.streamEnd();
};

// A fault of whole answers beside the one of streams.
const byKind = (whole, stream) => (exchange) => (exchange.request.json().stream === true ? stream : whole)(exchange);
const halfJson = async (exchange) => {
    const whole = text[operationOf(exchange.request.target)];
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${whole.length}\r\n\r\n${whole.slice(0, whole.length / 2)}`);
    exchange.end();
};
const badJson = (exchange) => exchange.answer({ body: text[operationOf(exchange.request.target)].slice(0, -30) });

// A provider that is not there has no script.
export const BEFORE_CONTENT = {
    '503 in JSON': says(503, 'api_error', 'server_error', null, 'The server had an error'),
    529: says(529, 'overloaded_error', 'server_error', 'overloaded', 'Overloaded'),
    '429 with a wait': says(429, 'rate_limit_error', 'requests', 'rate_limit_exceeded', 'Rate limit reached', { 'retry-after': '1' }),
    500: says(500, 'api_error', 'server_error', null, 'Internal error'),
    refused: null,
    'reset before the head': (exchange) => exchange.reset(),
    'no head': () => {},
    'cut before content': byKind(halfJson, streams(START, (exchange) => exchange.end())),
    'an error first': byKind((exchange) => exchange.json(openaiError('server_error', 'server_error', 'upstream died')), streams(null, errs)),
    'a page': (exchange) => exchange.answer({ headers: { 'Content-Type': 'text/html' }, body: '<html><body>It works!</body></html>' }),
    'an empty answer': byKind((exchange) => exchange.answer({ body: '' }), streams(null, ends)),
    401: says(401, 'authentication_error', 'invalid_request_error', 'invalid_api_key', 'Incorrect API key provided'),
    quota: (exchange) => (isClaude(operationOf(exchange.request.target)) ? says(402, 'billing_error', '', '', 'Your credit balance is too low')
        : says(429, '', 'insufficient_quota', 'insufficient_quota', 'You exceeded your current quota'))(exchange),
    'JSON cut short': byKind(badJson, streams(START, (exchange) => exchange.event('data: {"id":"c1","choices":[{"ind'))),
};

export const AFTER_CONTENT = {
    'cut after content': streams(CONTENT, (exchange) => exchange.end()),
    'reset after content': streams(CONTENT, async (exchange) => {
        await new Promise((resolve) => setTimeout(resolve, 50)); // a reset may overtake what is not read yet
        exchange.reset();
    }),
    'ends without its last event': streams(CONTENT, ends),
    'an error after content': streams(CONTENT, errs),
    'silent after content': streams(CONTENT, () => {}),
};
