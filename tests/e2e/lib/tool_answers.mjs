// SPDX-License-Identifier: Apache-2.0
// What a provider answers when it wants a tool to be called, whole and streamed, per operation. The
// tool is always weather({ "city": "Lagos" }).
import { operationOf } from './samples.mjs';

const ARGUMENTS = '{"city":"Lagos"}';
const HALVES = [ARGUMENTS.slice(0, 7), ARGUMENTS.slice(7)];
const USAGE = { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 };

const data = (value) => `data: ${JSON.stringify(value)}\n\n`;
const named = (value) => `event: ${value.type}\n${data(value)}`;

const chatBase = { id: 'chatcmpl-tool', created: 1700000000, model: 'lab-model' };
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: ARGUMENTS } };
const chunkOf = (delta, finish_reason = null) =>
    data({ ...chatBase, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason, logprobs: null }] });

const chat = {
    whole: JSON.stringify({ ...chatBase, object: 'chat.completion', usage: USAGE,
        choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: null, tool_calls: [call] }, finish_reason: 'tool_calls', logprobs: null }] }),
    stream: chunkOf({ role: 'assistant', content: null, tool_calls: [{ index: 0, ...call, function: { name: 'weather', arguments: '' } }] })
        + HALVES.map((half) => chunkOf({ tool_calls: [{ index: 0, function: { arguments: half } }] })).join('')
        + chunkOf({}, 'tool_calls')
        + data({ ...chatBase, object: 'chat.completion.chunk', choices: [], usage: USAGE }) + 'data: [DONE]\n\n',
};

const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: ARGUMENTS, status: 'completed' };
const response = (status, output, usage = null) => ({
    id: 'resp_tool', object: 'response', created_at: 1700000000, status, error: null, incomplete_details: null, instructions: null,
    max_output_tokens: null, model: 'lab-model', output, parallel_tool_calls: true, previous_response_id: null,
    reasoning: { effort: null, summary: null }, store: false, temperature: 1, text: { format: { type: 'text' } },
    tool_choice: 'auto', tools: [], top_p: 1, truncation: 'disabled', usage, user: null, metadata: {},
});
const tokens = { input_tokens: 20, input_tokens_details: { cached_tokens: 0 }, output_tokens: 7,
    output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 27 };
const responses = {
    whole: JSON.stringify(response('completed', [item], tokens)),
    stream: [
        { type: 'response.created', response: response('in_progress', []) },
        { type: 'response.output_item.added', output_index: 0, item: { ...item, arguments: '', status: 'in_progress' } },
        ...HALVES.map((delta) => ({ type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta })),
        { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 0, name: 'weather', arguments: ARGUMENTS },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: response('completed', [item], tokens) },
    ].map((event, sequence_number) => named({ ...event, sequence_number })).join(''),
};

const block = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Lagos' } };
const message = { id: 'msg_tool', type: 'message', role: 'assistant', model: 'lab-claude', stop_sequence: null };
const messages = {
    whole: JSON.stringify({ ...message, content: [block], stop_reason: 'tool_use', usage: { input_tokens: 20, output_tokens: 7 } }),
    stream: [
        { type: 'message_start', message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 20, output_tokens: 1 } } },
        { type: 'content_block_start', index: 0, content_block: { ...block, input: {} } },
        ...HALVES.map((partial_json) => ({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json } })),
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 7 } },
        { type: 'message_stop' },
    ].map(named).join(''),
};

const FILES = { chat, responses, messages };

// A script for Upstream.play.
export function wantsTool(exchange) {
    const { whole, stream } = FILES[operationOf(exchange.request.target)];
    if (exchange.request.json().stream !== true) {
        return exchange.answer({ body: whole });
    }
    return exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked', size: 50, body: stream });
}
