// SPDX-License-Identifier: Apache-2.0
// Faults in streams (faults.md D), as one target asked once shows them. Each row names its
// catalogue id.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { FaultBench } from './lib/faults.mjs';
import { CANARY, Headgate, providersAt, requireBinary } from './lib/headgate.mjs';
import { DONE, ROLE, STOP, delta, twenty } from './lib/plays.mjs';
import { checkRefusal, checkWait, errorOf } from './lib/rows.mjs';
import { good, healthy, operationOf, upstreamFile } from './lib/samples.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, standsStill } from './lib/wire.mjs';

requireBinary();

let bench;
before(async () => { bench = await FaultBench.start(); });
after(() => bench?.stop());

const claude = upstreamFile('anthropic-message.sse').toString();
const claudeStart = claude.slice(0, claude.indexOf('event: content_block_delta'));
const claudeTwo = claude.slice(0, claude.indexOf('event: content_block_stop'));
const responses = upstreamFile('openai-responses.sse').toString();
const responsesTwo = responses.slice(0, responses.indexOf('event: response.output_text.done'));
const responsesStart = responses.slice(0, responses.indexOf('event: response.output_item.added'));

// operation → what was sent before the fault: nothing that counts (start), content (content).
const STREAMS = {
    chat: { start: ROLE, content: ROLE + twenty },
    responses: { start: responsesStart, content: responsesTwo },
    messages: { start: claudeStart, content: claudeTwo },
};

// What must come after the content when a stream breaks: the dialect's own form of an error.
function checkStreamError(operation, tail, codes, id = 'resp_lab1') {
    const data = /^data: (.*)$/m.exec(tail)?.[1];
    assert.ok(data, `an error event: ${JSON.stringify(tail)}`);
    const event = JSON.parse(data);
    assert.ok(!tail.includes('[DONE]'), 'no [DONE] after an error');
    assert.ok(tail.endsWith('\n\n'));
    if (operation === 'messages') {
        assert.match(tail, /^event: error\n/);
        assert.equal(event.type, 'error');
        assert.match(event.error.message, /^headgate: /);
    } else if (operation === 'responses') {
        assert.match(tail, /^event: response\.failed\n/);
        assert.equal(event.response.status, 'failed');
        if (id !== null) {
            assert.equal(event.response.id, id);
        }
        assert.ok(codes.includes(event.response.error.code), event.response.error.code);
    } else {
        assert.ok(codes.includes(event.error.code), event.error.code);
        assert.match(event.error.message, /^headgate: /);
    }
}

// The stream breaks after content: the content arrives unchanged, then one error, then the
// message ends properly and the connection lives on.
function breaks(id, how, codes) {
    for (const operation of Object.keys(STREAMS)) {
        test(`${id} after content, ${operation}`, async () => {
            const { content } = STREAMS[operation];
            bench.upstream.play(async (exchange) => {
                await exchange.streamHead();
                await exchange.event(content);
                await sleep(30);
                await how(exchange);
            });
            const app = await App.connect(bench.headgate.port);
            app.send(request(bench.request(operation, { stream: true })));
            const answer = await app.answer(15000);
            assert.equal(answer.status, 200);
            const text = answer.body.toString();
            assert.ok(text.startsWith(content), 'what came before is unchanged');
            const tail = text.slice(content.length).replace(/^(: keep-alive\n\n|event: ping\ndata: .*\n\n)*/, '');
            checkStreamError(operation, tail, codes);
            bench.upstream.play(healthy);
            app.send(request(good()));
            assert.equal((await app.answer()).status, 200, 'the connection lives on');
            app.close();
            await bench.recovers();
        });
    }
}

// The stream breaks before content: a true status.
function neverBegins(id, how, status, code) {
    test(`${id} before content`, () => bench.refusesWith(how, status, code, { stream: true }));
}
const begin = (then, start = true) => async (exchange) => {
    await exchange.streamHead();
    if (start) {
        await exchange.event(exchange.request.target.includes('messages') ? claudeStart : ROLE);
    }
    await then(exchange);
};

test('D01 the first event tells of an overload', async () => {
    await bench.row(begin((exchange) => exchange.event('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n')
        .then(() => exchange.streamEnd()), false));
    const answer = await bench.stream('messages');
    checkRefusal(answer, { status: 529, dialect: 'anthropic', type: 'overloaded_error' });
    await bench.row(begin((exchange) => exchange.event('data: {"error":{"message":"busy","type":"server_error","param":null,"code":"server_is_overloaded"}}\n\n')
        .then(() => exchange.streamEnd()), false));
    checkRefusal(await bench.stream(), { status: 503, code: 'upstream_overloaded' });
    await bench.recovers();
});
test('D02 the first event tells of a rate limit', async () => {
    await bench.row(begin((exchange) => exchange.event('event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"slow"}}\n\n')
        .then(() => exchange.streamEnd()), false));
    const answer = await bench.stream('messages');
    assert.equal(answer.status, 429);
    assert.equal(errorOf(answer, 'anthropic').type, 'rate_limit_error');
    checkWait(answer);
    await bench.row(begin((exchange) => exchange.event('data: {"error":{"message":"slow","type":"requests","param":null,"code":"rate_limit_exceeded"}}\n\n')
        .then(() => exchange.streamEnd())));
    assert.equal((await bench.stream()).status, 429);
    await bench.recovers();
});
// Events of Responses tell an error elsewhere than bodies do; what SDKs read is the body's form.
for (const [name, event, status, code] of [
    ['D02 an error event of a rate limit', { type: 'error', sequence_number: 0, code: 'rate_limit_exceeded', message: 'say "when" \u00e9', param: null }, 429, 'rate_limit_exceeded'],
    ['D02 response.failed by a rate limit', { type: 'response.failed', sequence_number: 2, response: { id: 'r', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'say "when" \u00e9' } } }, 429, 'rate_limit_exceeded'],
    ['C01 response.failed by the request', { type: 'response.failed', sequence_number: 2, response: { id: 'r', status: 'failed', error: { code: 'invalid_prompt', message: 'say "when" \u00e9' } } }, 400, 'invalid_prompt'],
]) {
    test(`${name} comes first, responses`, async () => {
        await bench.row(begin((exchange) => exchange.event(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).then(() => exchange.streamEnd()), false));
        const answer = await bench.stream('responses');
        assert.equal(answer.status, status);
        const error = errorOf(answer);
        assert.deepEqual([error.message, error.code, error.param], ['say "when" \u00e9', code, null]);
        if (status === 429) {
            checkWait(answer);
        }
        await bench.recovers();
    });
}
neverBegins('D03 no event', begin((exchange) => exchange.streamEnd(), false), 502, 'upstream_empty_stream');
neverBegins('D03 only a start, then a proper end,', begin((exchange) => exchange.streamEnd()), 502, ['upstream_empty_stream', 'upstream_truncated']);
test('D03 only the last event, chat', () => bench.refusesWith(begin((exchange) => exchange.event(DONE).then(() => exchange.streamEnd()), false),
    502, 'upstream_truncated', { stream: true, operations: ['chat'], outcome: 'truncated' }));
neverBegins('D04 comments and pings for ever', begin(async (exchange) => {
    while (exchange.isOpen) {
        await exchange.event(exchange.request.target.includes('messages') ? 'event: ping\ndata: {"type":"ping"}\n\n' : ': ping\n\n');
        await sleep(50);
    }
}, false), 504, 'upstream_timeout');
neverBegins('D05 a start, then a reset,', begin(async (exchange) => {
    await sleep(50);
    exchange.reset();
}), 502, ['upstream_reset', 'upstream_truncated']);
neverBegins('D06 silence', begin(() => {}), 504, 'upstream_timeout');

breaks('D07 a reset', (exchange) => exchange.reset(), ['upstream_reset', 'upstream_truncated']);
breaks('D07 a FIN inside the chunked body', (exchange) => exchange.end(), ['upstream_truncated', 'upstream_closed']);
breaks('D08 silence', () => {}, ['upstream_idle']);
breaks('D09 only comments', async (exchange) => {
    while (exchange.isOpen) {
        await exchange.event(exchange.request.target.includes('messages') ? 'event: ping\ndata: {"type":"ping"}\n\n' : ': keep-alive\n\n');
        await sleep(100);
    }
}, ['upstream_idle']);
breaks('D12 a proper end without a finish', (exchange) => exchange.streamEnd(), ['upstream_truncated']);
breaks('D36 garbage in place of a chunk', (exchange) => exchange.send('zz\r\n'), ['upstream_framing', 'upstream_truncated', 'upstream_protocol']);

// Streams that are odd and complete: [id, operation, body, what must arrive (the same when absent)].
const PASSING = [
    ['D10 an error event after content', 'chat', `${ROLE}${twenty}data: {"error":{"message":"died","type":"server_error","param":null,"code":"x"}}\n\n`],
    ['D11 no [DONE] though finished', 'chat', ROLE + twenty + STOP, ROLE + twenty + STOP + DONE],
    ['D12 [DONE] without a finish reason: the app sees it', 'chat', ROLE + twenty + DONE],
    ['D13 [DONE] before the usage chunk', 'chat', `${ROLE}${twenty}${STOP}${DONE}data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n`, ROLE + twenty + STOP + DONE],
    ['D14 bytes after [DONE]', 'chat', `${ROLE}${twenty}${STOP}${DONE}surplus: x\n\n`, ROLE + twenty + STOP + DONE],
    ['D15 one event of broken JSON', 'chat', `${ROLE}${delta('a')}data: {"choices":[{\n\n${delta('b')}${STOP}${DONE}`],
    ['D17 CRLF line ends', 'chat', (ROLE + twenty + STOP + DONE).replaceAll('\n', '\r\n')],
    ['D17 lone CR line ends', 'chat', (ROLE + twenty + STOP + DONE).replaceAll('\n', '\r')],
    ['D17 a BOM and mixed line ends', 'chat', `\ufeff${ROLE.replaceAll('\n', '\r\n')}${twenty}${STOP.replaceAll('\n', '\r')}${DONE}`],
    ['D18 an event of 3 MiB', 'chat', ROLE + delta('i'.repeat(3 << 20)) + STOP + DONE],
    ['D20 unknown names, retry, id', 'chat', `retry: 100\n\nid: 7\nevent: odd\ndata: {"x":1}\n\n: comment\n\n${ROLE}${twenty}${STOP}${DONE}`],
    ['D21 data in several lines', 'chat', `${ROLE}data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n${STOP}${DONE}`],
    ['D32 tool arguments that never close', 'chat', `${ROLE}data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{\\"a"}}]}}]}\n\n${STOP}${DONE}`],
    ['D10 an error event after content', 'messages', upstreamFile('anthropic-error-in-stream.sse').toString()],
    ['D17 CRLF line ends', 'messages', claude.replaceAll('\n', '\r\n')],
    ['D20 an unknown event', 'messages', claude.replace('event: content_block_stop', 'event: odd\ndata: {"type":"odd"}\n\nevent: content_block_stop')],
    ['D17 CRLF line ends', 'responses', responses.replaceAll('\n', '\r\n')],
];
for (const [name, operation, body, arrives = body] of PASSING) {
    test(`${name}, ${operation}`, async () => {
        bench.upstream.play(begin(async (exchange) => {
            await exchange.event(body);
            await exchange.streamEnd();
        }, false));
        const answer = await bench.stream(operation);
        assert.equal(answer.status, 200, answer.body.toString().slice(0, 500));
        assert.equal(answer.body.toString(), Buffer.from(arrives).toString());
        await bench.recovers();
    });
}
test('D11 no message_stop though finished', async () => {
    const cut = claude.slice(0, claude.indexOf('event: message_stop'));
    bench.upstream.play(begin((exchange) => exchange.event(cut).then(() => exchange.streamEnd()), false));
    const text = (await bench.stream('messages')).body.toString();
    assert.ok(text.startsWith(cut));
    assert.match(text.slice(cut.length), /^event: message_stop\ndata: \{"type": ?"message_stop"\}\n\n$/);
    await bench.recovers();
});
test('D01 the first event tells of an error, after an early head', async () => {
    const { upstream } = bench;
    const headgate = await Headgate.start({ providers: providersAt(upstream),
        routes: { early: { targets: [{ provider: 'openai' }], early_head: '50ms', retry: { attempts: 1 } } } });
    upstream.play(async (exchange) => {
        await sleep(300);
        await exchange.streamHead();
        await exchange.event('data: {"error":{"message":"died","type":"server_error","param":null,"code":"x"}}\n\n');
        await exchange.streamEnd();
    });
    const answer = await ask(headgate.port, good('chat', { model: 'early', stream: true }), 5000);
    assert.equal(answer.status, 200);
    assert.match(answer.body.toString(), /^(: keep-alive\n\n)+data: \{"error":.*\}\n\n$/);
    await headgate.stop();
    await bench.recovers();
});
const ERRORS = {
    chat: (message) => `data: {"error":{"message":"${message}","type":"server_error","param":null,"code":"x"}}\n\n`,
    responses: (message) => `event: error\ndata: {"type":"error","sequence_number":9,"code":"x","message":"${message}","param":null}\n\n`,
    messages: (message) => `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"${message}"}}\n\n`,
};
for (const operation of Object.keys(STREAMS)) {
    test(`D10 an error event that quotes credentials arrives with them covered, ${operation}`, async () => {
        const secrets = [operation === 'messages' ? CANARY.anthropic : CANARY.provider, CANARY.app];
        const tell = (texts) => ERRORS[operation](`no ${texts[0]}, not ${texts[1]}, never ${texts[0]}`);
        const event = tell(secrets);
        const middle = event.indexOf(secrets[1]) + 9;
        bench.upstream.play(begin(async (exchange) => {
            await exchange.event(STREAMS[operation].content);
            await sleep(50);
            await exchange.event(event.slice(0, middle));
            await sleep(20);
            await exchange.event(event.slice(middle));
            await exchange.streamEnd();
        }, false));
        const answer = await bench.stream(operation);
        assert.equal(answer.status, 200);
        assert.equal(answer.body.toString(),
            STREAMS[operation].content + tell(secrets.map((secret) => '*'.repeat(secret.length))));
        await bench.recovers();
    });
}

// SDKs of OpenAI know an error inside a stream by its member `error` alone (openai.md 5).
for (const [name, event] of [
    ['without a wrapper', { object: 'error', message: 'died', type: 'InternalServerError', param: null, code: 500 }],
    ['with a detail', { detail: 'died' }],
    ['of Groq', { id: 'c1', choices: [{ index: 0, delta: {}, finish_reason: null }], x_groq: { id: 'r', error: 'over_capacity' } }],
]) {
    test(`D10 an error event ${name} is told as one, chat`, async () => {
        const { content } = STREAMS.chat;
        await bench.row(begin((exchange) => exchange.event(`${content}data: ${JSON.stringify(event)}\n\n${DONE}`)
            .then(() => exchange.streamEnd()), false));
        const answer = await bench.stream('chat');
        const text = answer.body.toString();
        assert.ok(text.startsWith(content), text);
        checkStreamError('chat', text.slice(content.length), ['upstream_error']);
        assert.equal((await bench.headgate.callLine(answer)).outcome, 'stream_error');
        await bench.row(begin((exchange) => exchange.event(`data: ${JSON.stringify(event)}\n\n`).then(() => exchange.streamEnd())));
        assert.equal(errorOf(await bench.stream('chat')).code, 'upstream_error');
        await bench.recovers();
    });
}

describe('an early head', () => {
    const COMPLETE = { chat: ROLE + twenty + STOP + DONE, responses, messages: claude };
    let own;
    let headgate;
    before(async () => {
        own = await Upstream.start();
        const early = (provider) => ({ targets: [{ provider }], early_head: '1s', retry: { attempts: 1 },
                                       timeouts: { head: '30s', first_content: '30s' } });
        headgate = await Headgate.start({ providers: providersAt(own),
            routes: { early: early('openai'), 'early-claude': early('anthropic') } }, { resets: true });
    });
    after(async () => {
        await headgate?.stop();
        await own?.stop();
    });

    // One call: the head and a comment after early_head, and only then what the provider does; gives
    // what came after the comments.
    async function afterHead(operation) {
        const app = await App.connect(headgate.port);
        const begun = Date.now();
        app.send(request(good(operation, { model: operation === 'messages' ? 'early-claude' : 'early', stream: true })));
        const head = await app.head();
        assert.ok(head.at - begun > 900 && head.at - begun < patient(1800), `the head after ${head.at - begun} ms`);
        assert.equal(head.status, 200);
        assert.match(header(head, 'content-type'), /^text\/event-stream/);
        await app.text(': keep-alive\n\n', 500);
        own.emit(operation);
        const answer = await app.answer(5000);
        assert.ok(app.isOpen, 'the message ends, not the connection');
        app.close();
        return { tail: answer.body.toString().replace(/^(: keep-alive\n\n)+/, ''), line: await headgate.callLine(answer) };
    }

    // The provider says nothing, or a head and a start, until the app has its head.
    async function play(how, start) {
        await headgate.reset();
        const waits = {};
        own.emit = (operation) => waits[operation]();
        own.play(async (exchange) => {
            const operation = operationOf(exchange.request.target);
            const told = new Promise((resolve) => { waits[operation] = resolve; });
            if (start) {
                await exchange.streamHead();
                await exchange.event(STREAMS[operation].start);
            }
            await told;
            await how(exchange, operation);
        });
    }

    for (const [name, start, how, codes] of [
        ['an error event first', false, async (exchange, operation) => {
            await exchange.streamHead();
            await exchange.event(ERRORS[operation]('died'));
            await exchange.streamEnd();
        }, ['upstream_error']],
        ['a start, then an error event', true, async (exchange, operation) => {
            await exchange.event(ERRORS[operation]('died'));
            await exchange.streamEnd();
        }, ['upstream_error']],
        ['a reset', false, (exchange) => exchange.reset(), ['upstream_reset', 'upstream_closed']],
        ['a start, then a reset', true, (exchange) => exchange.reset(), ['upstream_reset', 'upstream_truncated']],
        ['a start, then a proper end', true, (exchange) => exchange.streamEnd(), ['upstream_truncated', 'upstream_empty_stream']],
        ['an error answer', false, (exchange) => exchange.answer({ status: 500, body: '{"error":{"message":"no","type":"server_error"}}' }), ['upstream_error']],
    ]) {
        test(`${name}, ends in the dialect's error`, async () => {
            await play(how, start);
            await Promise.all(Object.keys(STREAMS).map(async (operation) => {
                const { tail, line } = await afterHead(operation);
                checkStreamError(operation, tail, codes, start ? 'resp_lab1' : null);
                assert.equal(line.level, 'warn', JSON.stringify(line));
            }));
            headgate.check();
            own.check();
        });
    }
    for (const start of [false, true]) {
        test(`${start ? 'a start, then content' : 'content'}, arrives whole`, async () => {
            await play(async (exchange, operation) => {
                if (!start) {
                    await exchange.streamHead();
                }
                await exchange.event(COMPLETE[operation].slice(start ? STREAMS[operation].start.length : 0));
                await exchange.streamEnd();
            }, start);
            await Promise.all(Object.keys(STREAMS).map(async (operation) => {
                const { tail } = await afterHead(operation);
                assert.equal(tail, COMPLETE[operation]);
            }));
            headgate.check();
            own.check();
        });
    }
});
test('D16 one byte at a time, also inside UTF-8 and CRLF', async () => {
    const body = (ROLE + delta('\u00e9\u20ac\u{1F600}') + STOP + DONE).replaceAll('\n', '\r\n');
    bench.upstream.play((exchange) => exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'close', size: 1, body }));
    assert.equal((await bench.stream()).body.toString(), body);
    await bench.recovers();
});
test('D18 a gate of more than 1 MiB opens by itself', async () => {
    const head = ': x\n\n'.repeat(300000);
    bench.upstream.play(begin(async (exchange) => {
        await exchange.event(head);
        await exchange.event(ROLE + twenty + STOP + DONE);
        await exchange.streamEnd();
    }, false));
    assert.equal((await bench.stream()).body.toString(), head + ROLE + twenty + STOP + DONE);
    await bench.recovers();
});
test('D19 50,000 tiny events at full speed', async () => {
    const many = Array.from({ length: 100 }, () => delta('x').repeat(500));
    bench.upstream.play(begin(async (exchange) => {
        for (const piece of many) {
            await exchange.event(piece);
        }
        await exchange.event(STOP + DONE);
        await exchange.streamEnd();
    }));
    const before = bench.headgate.memory();
    const answer = await bench.stream();
    assert.equal(answer.body.length, Buffer.byteLength(ROLE + many.join('') + STOP + DONE));
    assert.ok(process.env.HEADGATE_TEST_PATIENCE || bench.headgate.memory() - before < 8 << 20);
    await bench.recovers();
});
// [what, model, how long the app stops reading]: the second pause is longer than the provider's idle
// and content_idle times, which must not run while it is we who do not read.
for (const [what, model, pause] of [['a slow app slows the provider, and loses nothing', 'gpt-4o-mini', 0],
    ['a provider that we pause is not called idle', 'quick', 2500]]) {
    test(`D34 ${what}`, async () => {
        const piece = delta('y'.repeat(16000));
        const count = 6000; // more than the kernel lends to four sockets
        let written = 0;
        bench.upstream.play(begin(async (exchange) => {
            for (; written < count && exchange.isOpen; written += 1) {
                await exchange.event(piece);
            }
            await exchange.event(STOP + DONE);
            await exchange.streamEnd();
        }));
        const app = await App.connect(bench.headgate.port);
        app.send(request(bench.request('chat', { model, stream: true })));
        await app.head();
        app.socket.pause();
        await standsStill(() => written, 'the provider is paused');
        assert.ok(written < count * 0.8, `${written} of ${count} events went into buffers`);
        await sleep(patient(pause));
        app.socket.resume();
        const answer = await app.answer(60000);
        assert.equal(answer.body.length, (ROLE + STOP + DONE).length + count * piece.length,
            answer.body.subarray(-300).toString());
        app.close();
        await bench.recovers();
    });
}

test('timeouts leave a slow but living stream alone', async () => {
    bench.upstream.play(begin(async (exchange) => {
        for (let i = 0; i < 8; i += 1) {
            await sleep(patient(400));
            await exchange.event(delta(`s${i}`));
        }
        await exchange.event(STOP + DONE);
        await exchange.streamEnd();
    }));
    const answer = await bench.stream();
    assert.ok(answer.body.toString().endsWith(delta('s7') + STOP + DONE), answer.body.toString().slice(-200));
    await bench.recovers();
});
