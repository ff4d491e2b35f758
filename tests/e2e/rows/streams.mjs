// SPDX-License-Identifier: Apache-2.0
// faults.md D: streams.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from '../lib/app.mjs';
import { DEPLOYMENT, QUICK, broken, cools, passed, refused, rescued, row, served } from '../lib/lab.mjs';
import { ROLE, DONE, STOP, STREAM, begun, claudeError, complete, delta, firstBody, isClaude, providerError, streams, twenty } from '../lib/plays.mjs';
import { upstreamFile } from '../lib/samples.mjs';
import { patient, standsStill } from '../lib/wire.mjs';

const STREAMED = { modes: [true] };
const none = () => '';
const start = (operation) => STREAM[operation].start;
const pings = (gap) => async (exchange, operation) => {
    while (exchange.isOpen) {
        await exchange.event(STREAM[operation].ping);
        await sleep(patient(gap));
    }
};
const soon = (act) => async (exchange) => { await sleep(50); act(exchange); };
// Breaks before its first content: it never was an answer.
const never = (id, title, play, status, code, words, marks = DEPLOYMENT, again = true) => row(id, title, { ...STREAMED, play, timeouts: again ? {} : QUICK,
    alone: refused(status, code, ...(again ? [words, words] : [words])), pair: { kind: 'rescued', tries: [words, 'ok'] }, marks });
// Breaks after content: what is out stays, then one error, and nobody else is asked.
const breaks = (id, title, then, codes, words, more = {}) => row(id, title, { ...STREAMED, play: streams(begun, then), alone: broken(codes, begun, words), marks: DEPLOYMENT, ...more });
// Odd and complete.
const wholeOf = (operation) => JSON.parse(firstBody(operation, false));
// What becomes of it, event by event.
function unfolded(operation) {
    const whole = wholeOf(operation);
    const j = JSON.stringify;
    if (operation === 'chat') {
        const { message, finish_reason: reason } = whole.choices[0];
        const begin = `data: {"object":"chat.completion.chunk","id":${j(whole.id)},"created":${j(whole.created)},"model":${j(whole.model)},"choices":[`;
        return `${begin}{"index":0,"delta":${j(message)},"finish_reason":null}]}\n\n${begin}{"index":0,"delta":{},"finish_reason":${j(reason)}}]}\n\n${DONE}`;
    }
    const event = (type, rest) => `event: ${type}\ndata: {"type":"${type}"${rest}}\n\n`;
    return event('message_start', `,"message":{"id":${j(whole.id)},"type":"message","role":"assistant","model":${j(whole.model)},"content":[],"stop_reason":null,"stop_sequence":null,"usage":${j(whole.usage)}}`)
        + event('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}')
        + event('content_block_delta', `,"index":0,"delta":{"type":"text_delta","text":${j(whole.content[0].text)}}`)
        + event('content_block_stop', ',"index":0')
        + event('message_delta', `,"delta":{"stop_reason":${j(whole.stop_reason)},"stop_sequence":${j(whole.stop_sequence)}},"usage":${j(whole.usage)}`)
        + event('message_stop', '');
}
const passes = (id, title, body, arrives = body, more = {}) => row(id, title, { ...STREAMED, play: streams(body),
    arrives: (operation) => Buffer.from(arrives(operation)).toString(), alone: served(), ...more });
const lines = (end) => (operation) => complete(operation).replaceAll('\n', end);
const inMiddle = (text) => (operation) => begun(operation) + text(operation) + STREAM[operation].finish + STREAM[operation].terminal;
const CHAT = { operations: ['chat'] };
const CLAUDE = { operations: ['messages'] };
const chatUsage = (...parts) => () => ROLE + twenty + STOP + parts.map((usage) => `data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":${usage}}\n\n`).join('') + DONE;
const hidden = () => ROLE + twenty + STOP + DONE; // the usage that only we asked for is not for the app
const counted = (wanted) => ({ also({ line }) { // what the log says was used
    for (const [name, value] of Object.entries(wanted)) {
        assert.equal(line[name], value, name);
    }
} });
const usage = (id, title, parts, wanted) => passes(id, title, chatUsage(...parts), hidden, { ...CHAT, ...counted(wanted) });
const claudeDelta = (json) => `event: message_delta\ndata: ${json}\n\n`;

const LIMIT = { chat: providerError('requests', 'rate_limit_exceeded'), messages: claudeError('rate_limit_error') };
const BUSY = { chat: providerError('server_error', 'server_is_overloaded'), messages: claudeError('overloaded_error') };
const eventOf = (bodies) => (operation) => `${operation === 'messages' ? 'event: error\n' : ''}data: ${bodies[operation]}\n\n`;

// A provider that is faster than the app: it is paused, and nothing is lost.
const COUNT = 3500; // more than the kernel lends to four sockets
const piece = delta('y'.repeat(16000));
async function paused(lab, site) {
    let written = 0;
    site.first.play(streams(start, async (exchange) => {
        for (; written < COUNT && exchange.isOpen; written += 1) {
            await exchange.event(piece);
        }
        await exchange.event(STOP + DONE);
        await exchange.streamEnd();
    }));
    const before = lab.headgate.memory();
    const app = await App.connect(lab.headgate.port);
    app.send(lab.asks(site, 'pair', 'chat', true));
    await app.head();
    app.socket.pause();
    await standsStill(() => written, 'the provider is paused');
    assert.ok(written < COUNT * 0.8, `${written} of ${COUNT} events went into buffers`);
    assert.ok(process.env.HEADGATE_TEST_PATIENCE || lab.headgate.memory() - before < 12 << 20, 'memory while it is paused');
    await sleep(patient(2000)); // longer than idle and content_idle, which must not run meanwhile
    app.socket.resume();
    const answer = await app.answer(30000);
    assert.equal(answer.body.length, ROLE.length + COUNT * piece.length + (STOP + DONE).length);
    assert.ok(answer.body.toString().endsWith(STOP + DONE));
    app.close();
}

// Tiny events at full speed: none is lost, memory stays flat.
const FLOOD = 100000;
async function flood(lab, site) {
    const many = delta('x').repeat(500);
    site.first.play(streams(start, async (exchange) => {
        for (let i = 0; i < FLOOD / 500; i += 1) {
            await exchange.event(many);
        }
        await exchange.event(STOP + DONE);
        await exchange.streamEnd();
    }));
    const before = lab.headgate.memory();
    const { answer } = await lab.call(site, 'pair', 'chat', true);
    assert.equal(answer.body.length, ROLE.length + many.length * (FLOOD / 500) + (STOP + DONE).length);
    assert.ok(process.env.HEADGATE_TEST_PATIENCE || lab.headgate.memory() - before < 12 << 20, 'memory is flat');
}

export const rows = [
    row('D01', 'the first event is an overload', { ...STREAMED, body: BUSY, play: streams(eventOf(BUSY)), marks: DEPLOYMENT,
        alone: refused({ chat: 503, messages: 529 }, 'upstream_overloaded', 'overloaded', 'overloaded'), pair: rescued('overloaded') }),
    row('D02', 'the first event is a rate limit', { ...STREAMED, body: LIMIT, play: streams(eventOf(LIMIT)), marks: cools(1, 60),
        alone: passed(429, 'throttled', 'throttled'), pair: rescued('throttled') }),
    never('D03', 'closed with no event', streams(none), 502, 'upstream_empty_stream', 'empty_stream'),
    never('D04', 'only pings for ever', streams(none, pings(50)), 504, 'upstream_timeout', 'first_content_timeout', DEPLOYMENT, false),
    never('D05', 'a start, then RST', streams(start, soon((exchange) => exchange.reset())), 502, ['upstream_reset', 'upstream_truncated'], ['reset', 'truncated']),
    never('D06', 'a hang after the head', streams(none, () => {}), 504, 'upstream_timeout', 'first_content_timeout', DEPLOYMENT, false),
    breaks('D07', 'content, then RST', soon((exchange) => exchange.reset()), ['upstream_reset', 'upstream_truncated'], ['reset', 'truncated']),
    breaks('D07', 'content, then FIN', soon((exchange) => exchange.end()), ['upstream_truncated', 'upstream_closed'], ['truncated', 'closed']),
    breaks('D08', 'content, then silence', () => {}, 'upstream_idle', 'idle', { timeouts: QUICK }),
    breaks('D09', 'content, then pings alone', pings(100), 'upstream_idle', 'idle', { timeouts: QUICK }),
    row('D10', 'an error event after content', { ...STREAMED, alone: broken(null, begun, 'stream_error'), marks: DEPLOYMENT,
        play: streams((operation) => begun(operation) + eventOf(BUSY)(operation)) }),
    passes('D11', 'no terminal event though finished', (operation) => begun(operation) + STREAM[operation].finish, complete),
    breaks('D12', 'a proper end without a finish', (exchange) => exchange.streamEnd(), 'upstream_truncated', 'truncated'),
    passes('D13', '[DONE] before the usage', () => `${complete('chat')}data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`, complete, CHAT),
    passes('D14', 'bytes after the end', (operation) => `${complete(operation)}surplus: x\n\n`, complete),
    passes('D15', 'one event of broken JSON', inMiddle((operation) => (operation === 'chat' ? 'data: {"choices":[{\n\n' : 'event: content_block_delta\ndata: {"type":\n\n'))),
    row('D16', 'split at every byte', { ...STREAMED, alone: served(),
        play: (exchange) => exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'close', size: 1,
            body: firstBody(isClaude(exchange) ? 'messages' : 'chat', true).replace('Hel', 'é€\u{1F600}').replaceAll('\n', '\r\n') }),
        arrives: (operation) => firstBody(operation, true).replace('Hel', 'é€\u{1F600}').replaceAll('\n', '\r\n') }),
    passes('D17', 'CRLF', lines('\r\n')),
    passes('D17', 'CR alone', lines('\r')),
    passes('D17', 'a BOM and mixed line ends', (operation) => `\ufeff${start(operation).replaceAll('\n', '\r\n')}${STREAM[operation].twenty}${STREAM[operation].finish.replaceAll('\n', '\r')}${STREAM[operation].terminal}`),
    passes('D18', 'an event of 8 MiB', inMiddle((operation) => STREAM[operation].delta('i'.repeat(8 << 20))), undefined, { heavy: true }),
    row('D18', 'a line without end', { ...STREAMED, ...CHAT, heavy: true, marks: DEPLOYMENT,
        play: streams(begun, async (exchange) => {
            await exchange.event('data: {"choices":[{"delta":{"content":"');
            for (let i = 0; i < 40 && exchange.isOpen; i += 1) {
                await exchange.event('z'.repeat(1 << 20));
            }
            await exchange.streamEnd();
        }), alone: { kind: 'cut', code: 'upstream_too_large', tries: ['too_large'] } }),
    row('D19', 'a flood of tiny events', { run: flood, ...CHAT, heavy: true }),
    passes('D20', 'unknown names, retry, id with NUL', (operation) => `retry: 100\n\nid: 7\0\nevent: odd\ndata: {"type":"odd"}\n\n: comment\n\n${complete(operation)}`),
    passes('D21', 'data in several lines', () => `${ROLE}data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n${STOP}${DONE}`, undefined, CHAT),
    usage('D22', 'usage twice', ['{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}', '{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}'], { in_tokens: 9, out_tokens: 5 }),
    passes('D23', 'message_delta five times, cumulative', () => begun('messages') + upstreamFile('anthropic-message.sse').toString().match(/event: content_block_stop\n.*\n\n/)[0]
        + [1, 2, 3, 4].map((n) => claudeDelta(`{"type":"message_delta","delta":{},"usage":{"output_tokens":${n}}}`)).join('')
        + claudeDelta('{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}') + STREAM.messages.terminal, undefined,
        { ...CLAUDE, ...counted({ in_tokens: 9, out_tokens: 7 }) }),
    usage('D25', 'usage smaller later', ['{"prompt_tokens":9,"completion_tokens":50,"total_tokens":59}', '{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}'],
        { out_tokens: 5, usage_anomaly: true }),
    usage('D26', 'usage missing', [], { out_tokens: undefined }),
    usage('D27', 'usage all zero', ['{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'], { in_tokens: 0, out_tokens: 0, usage_anomaly: undefined }),
    ...['null', '"12"', '1e400', '-3', '9223372036854775808'].map((value) =>
        usage('D28', `usage ${value}`, [`{"prompt_tokens":9,"completion_tokens":${value},"total_tokens":14}`], { in_tokens: 9, ...(value === 'null' ? {} : { usage_anomaly: true }) })),
    row('D29', 'a stream though a whole answer was asked', { modes: [false], play: streams(complete), marks: DEPLOYMENT,
        alone: refused(502, 'upstream_bad_body', 'bad_body', 'bad_body'), pair: rescued('bad_body') }),
    row('D30', 'a whole answer though a stream was asked', { ...STREAMED, alone: served(), arrives: (operation) => unfolded(operation),
        play: (exchange) => exchange.answer({ body: JSON.stringify(wholeOf(isClaude(exchange) ? 'messages' : 'chat')) }) }),
    row('D30', 'a whole answer that no stream can tell', { ...STREAMED, marks: DEPLOYMENT,
        play: (exchange) => exchange.answer({ body: JSON.stringify({ ...wholeOf(isClaude(exchange) ? 'messages' : 'chat'), choices: [], content: [] }) }),
        alone: refused(502, 'upstream_bad_body', 'bad_body', 'bad_body'), pair: rescued('bad_body') }),
    passes('D32', 'tool arguments that never close', () => `${ROLE}data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\\"a"}}]}}]}\n\n${STOP}${DONE}`, undefined, CHAT),
    row('D33', 'slow and alive', { ...STREAMED, timeouts: { ...QUICK, stream_total: 20000 }, alone: served(), arrives: (operation) => complete(operation),
        play: streams(start, async (exchange, operation) => {
            await sleep(patient(400));
            for (const event of STREAM[operation].twenty.split(/(?<=\n\n)/)) {
                await exchange.event(event);
                await sleep(patient(100));
            }
            for (const event of [STREAM[operation].finish, STREAM[operation].terminal]) {
                await sleep(patient(600));
                await exchange.event(event);
            }
            await exchange.streamEnd();
        }) }),
    row('D34', 'faster than the app reads', { run: paused, ...CHAT, heavy: true, timeouts: { idle: QUICK.idle, content_idle: QUICK.content_idle, stream_total: 60000 } }),
    breaks('D35', 'HTTP/2 RST_STREAM in place of a chunk', (exchange) => exchange.send('\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02'),
        ['upstream_framing', 'upstream_truncated'], ['framing', 'truncated'], { marks: { endpoint: 5, deployment: 5 } }), // to HTTP/1.1 it is D36
    breaks('D36', 'garbage in place of a chunk', (exchange) => exchange.send('zz\r\n'), ['upstream_framing', 'upstream_truncated'], ['framing', 'truncated'],
        { marks: { endpoint: 5, deployment: 5 } }),
];
