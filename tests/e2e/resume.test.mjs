// SPDX-License-Identifier: Apache-2.0
// resume: prefill. A stream of text breaks off after its beginning went out, and the app sees one
// stream all the same, in both dialects; or, where it cannot go on, one honest error.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { good } from './lib/samples.mjs';
import test, { afterEach, beforeEach } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request } from './lib/wire.mjs';

requireBinary();

const ms = (value) => `${patient(value)}ms`;
const TIMEOUTS = { connect: ms(700), first_content: ms(2000), idle: ms(1000), stream_total: ms(20000) };
const WORDS = Array.from({ length: 40 }, (_, i) => (i === 0 ? 'Ä0' : `${i % 7 === 0 ? '\n\n' : ' '}w"${i}`));
const TEXT = WORDS.join('');

let ups;
let headgate;

// A new one for each test: what is left of the budgets against retry storms is not another's business.
beforeEach(async () => {
    ups = await Promise.all([Upstream.start(), Upstream.start(), Upstream.start()]);
    const providers = {};
    ups.forEach((up, i) => {
        const more = { credential: CANARY.provider, breaker: { open: '1s' } };
        // DeepSeek's beta path and older Claude models take a begun turn; see wire/prefill.def.
        providers[`chat${i}`] = { kind: 'compatible', base_url: `${up.origin}/beta`, ...more };
        providers[`ant${i}`] = { kind: 'anthropic', base_url: `${up.origin}/v1`, ...more };
    });
    const chat = ['gpt-m', 'deepseek-chat', 'deepseek-chat'].map((model, i) => ({ provider: `chat${i}`, model }));
    const ant = ['claude-opus-4-6', 'claude-sonnet-4-5', 'claude-haiku-4-5'].map((model, i) => ({ provider: `ant${i}`, model }));
    const more = { timeouts: TIMEOUTS, resume: 'prefill', retry: { attempts: 3, attempts_per_target: 1 } };
    headgate = await Headgate.start({
        providers,
        routes: {
            chat: { targets: chat, ...more },
            messages: { targets: ant, ...more },
            'chat-none': { targets: [chat[0], { provider: 'chat1', model: 'gpt-m' }], ...more },
            'messages-none': { targets: [ant[0], { provider: 'ant1', model: 'claude-sonnet-5' }], ...more },
            'chat-off': { targets: chat, ...more, resume: 'off' },
            'messages-off': { targets: ant, ...more, resume: 'off' },
            'chat-same': { targets: [chat[1]], ...more, retry: { attempts: 2, attempts_per_target: 2 } },
            'messages-later': { targets: ant, ...more, commit: { tokens: 5 } },
        },
    });
});
afterEach(async () => {
    headgate.check();
    for (const up of ups) {
        up.check();
    }
    await headgate.stop();
    await Promise.all(ups.map((up) => up.stop()));
});

// ---- what providers do ----

const sse = (name, data) => `${name ? `event: ${name}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const named = (type, more = {}) => sse(type, { type, ...more });

const chatEvents = (id, words, { usage, tool } = {}) => {
    const one = (delta, finish_reason = null) => sse('', { id, object: 'chat.completion.chunk', created: id.length,
        model: `model-${id}`, choices: [{ index: 0, delta, finish_reason }] });
    return [one({ role: 'assistant', content: '' }), ...words.map((content) => one({ content })),
        ...(tool ? [one({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }] })] : []),
        one({}, tool ? 'tool_calls' : 'stop'),
        ...(usage ? [sse('', { id, object: 'chat.completion.chunk', created: 1, model: `model-${id}`, choices: [], usage })] : []),
        sse('', '[DONE]')];
};
const antEvents = (id, words, { usage = { input_tokens: 11, output_tokens: 1 }, out = words.length, tool } = {}) => [
    named('message_start', { message: { id, type: 'message', role: 'assistant', model: `model-${id}`, content: [],
        stop_reason: null, stop_sequence: null, usage } }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    named('ping'),
    ...words.map((text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    named('content_block_stop', { index: 0 }),
    ...(tool ? [named('content_block_start', { index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } }),
        named('content_block_delta', { index: 1, delta: { type: 'input_json_delta', partial_json: '{}' } }),
        named('content_block_stop', { index: 1 })] : []),
    named('message_delta', { delta: { stop_reason: tool ? 'tool_use' : 'end_turn', stop_sequence: null }, usage: { output_tokens: out } }),
    named('message_stop'),
];

// Plays events; after `count` of them something else happens.
const play = (events, count = events.length, then = (exchange) => exchange.reset()) => async (exchange) => {
    await exchange.streamHead();
    for (const event of events.slice(0, count)) {
        await exchange.event(event);
    }
    if (count === events.length) {
        return exchange.streamEnd();
    }
    await sleep(30);
    return then(exchange);
};
const D = {
    chat: {
        operation: 'chat', events: chatEvents, opening: 1,
        read: (events) => {
            const chunks = events.map(({ name, data }) => {
                assert.equal(name, undefined);
                return data === '[DONE]' ? data : JSON.parse(data);
            });
            if (chunks.at(-1).error) {
                return { error: chunks.pop().error, chunks };
            }
            assert.equal(chunks.pop(), '[DONE]');
            return { chunks, text: chunks.map((one) => one.choices[0]?.delta.content ?? '').join(''),
                usage: chunks.at(-1).usage };
        },
    },
    messages: { operation: 'messages', events: antEvents, opening: 3 },
};

// ---- what the app sees ----

const eventsOf = (answer) => answer.body.toString().split('\n\n').filter((event) => event && !event.startsWith(':'))
    .map((event) => {
        const lines = event.split('\n');
        return { name: lines.find((line) => line.startsWith('event: '))?.slice(7),
            data: lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6)).join('\n') };
    });

// One message by the grammar of anthropic.md 6; whatever breaks it fails.
D.messages.read = (events) => {
    const blocks = [];
    let open = false;
    let message;
    let delta;
    for (const [i, { name, data }] of events.entries()) {
        const event = JSON.parse(data);
        assert.equal(event.type, name);
        if (name === 'error') {
            assert.equal(i, events.length - 1);
            return { error: event.error, blocks };
        }
        assert.equal(i === 0, name === 'message_start', 'one start, at the start');
        if (name === 'message_start') {
            message = event.message;
        } else if (name === 'content_block_start') {
            assert.ok(!open && !delta && event.index === blocks.length, 'a block after a block');
            blocks.push({ ...event.content_block });
            open = true;
        } else if (name === 'content_block_delta') {
            assert.ok(open && event.index === blocks.length - 1, 'a delta of the open block');
            blocks.at(-1).text += event.delta.text ?? '';
        } else if (name === 'content_block_stop') {
            assert.ok(open && event.index === blocks.length - 1);
            open = false;
        } else if (name === 'message_delta') {
            assert.ok(!open && !delta);
            delta = event;
        } else if (name === 'message_stop') {
            assert.ok(delta && i === events.length - 1);
        } else {
            assert.equal(name, 'ping');
        }
    }
    assert.ok(delta, 'it ends');
    return { message, blocks, text: blocks.filter(({ type }) => type === 'text').map(({ text }) => text).join(''),
        usage: { ...message.usage, ...delta.usage }, stop: delta.delta.stop_reason };
};

const call = (dialect, route = dialect.operation, more = {}) => ask(headgate.port, good(dialect.operation,
    { model: route, stream: true, ...more }, dialect === D.messages ? { headers: { 'anthropic-version': '2023-06-01' } } : {}), 20000);
const seen = async (dialect, ...rest) => {
    const answer = await call(dialect, ...rest);
    assert.equal(answer.status, 200, answer.body.toString());
    return { answer, line: await headgate.callLine(answer), ...dialect.read(eventsOf(answer)) };
};
const lastTurn = (up) => up.requests.at(-1).json().messages.at(-1);
// Events until this many words are out.
const words = (dialect, count) => dialect.opening + count;

for (const dialect of Object.values(D)) {
    const name = dialect.operation;
    const breaks = (i, from, count, then) => ups[i].play(
        play(dialect.events(`id${i}`, WORDS.slice(from)), words(dialect, count), then));
    const ends = (i, from, more) => ups[i].play(play(dialect.events(`id${i}`, WORDS.slice(from), more)));

    test(`${name}: a stream that is cut goes on as one stream`, async () => {
        breaks(0, 0, 20);
        ends(1, 20);
        const { text, line, answer, chunks, message } = await seen(dialect);
        assert.equal(text, TEXT);
        assert.deepEqual(lastTurn(ups[1]), { role: 'assistant', content: WORDS.slice(0, 20).join(''),
            ...(dialect === D.chat ? { prefix: true } : {}) });
        assert.equal(ups[1].requests.at(-1).json().messages.length, 2);
        if (dialect === D.chat) {
            assert.deepEqual([...new Set(chunks.map(({ id, model }) => `${id} ${model}`))], ['id0 model-id0']);
            assert.equal(chunks.filter((one) => one.choices[0]?.delta.role).length, 1);
        } else {
            assert.equal(message.id, 'id0');
        }
        assert.match(line.tries, /^\w+0\/\S+ (reset|truncated) \d+ms, resumed; \w+1\/\S+ ok \d+ms$/);
        assert.equal(line.attempts, 2);
        assert.equal(line.outcome, 'ok');
        assert.equal(header(answer, 'x-headgate-attempts'), '1', 'the head went out with the first');
        assert.equal(ups[2].requests.length, 0);
    });

    const error = dialect === D.chat ? sse('', { error: { message: 'gone away', type: 'server_error' } })
        : named('error', { error: { type: 'overloaded_error', message: 'gone away' } });
    const half = dialect.events('', ['lost'])[dialect.opening].replace('\n\n', '\n');
    const goesOnAfter = async (then) => {
        breaks(0, 0, 7, then);
        ends(1, 7);
        const { text, answer } = await seen(dialect);
        assert.equal(text, TEXT, answer.body.toString());
        assert.equal(lastTurn(ups[1]).content, WORDS.slice(0, 7).join(''), 'what is out and no more');
    };

    test(`${name}: goes on after any end of a connection`, async () => {
        await goesOnAfter((exchange) => exchange.end());
        await goesOnAfter((exchange) => exchange.streamEnd());
        await goesOnAfter((exchange) => exchange.event(half).then(() => exchange.streamEnd()));
        await goesOnAfter(() => {}); // silence
    });

    test(`${name}: goes on after an error in the stream`, async () => {
        await goesOnAfter((exchange) => exchange.event(error));
        await goesOnAfter((exchange) => exchange.event(error).then(() => exchange.streamEnd()));
        await goesOnAfter((exchange) => exchange.event(error.replace('\n\n', '\n')).then(() => exchange.streamEnd()));
    });

    test(`${name}: a second cut goes on with the third, a third one is told`, async () => {
        breaks(0, 0, 10);
        breaks(1, 10, 9);
        ends(2, 19);
        const { text, line } = await seen(dialect);
        assert.equal(text, TEXT);
        assert.equal(lastTurn(ups[2]).content, WORDS.slice(0, 19).join(''));
        assert.equal(line.attempts, 3);
        assert.match(line.tries, /resumed; .* resumed; .* ok \d+ms$/);
        breaks(2, 19, 5);
        const cut = await seen(dialect);
        assert.ok(cut.error);
        assert.match(cut.line.tries, /resumed; .* resumed; .* attempts_used$/);
    });

    test(`${name}: one that does not begin is passed by`, async () => {
        for (const refuse of [
            (exchange) => exchange.json({ type: 'error', error: { type: 'invalid_request_error', message: 'no prefill' } }, 400),
            (exchange) => exchange.json({ error: { message: 'down' } }, 503),
            play(dialect.events('id1', []), dialect.opening)]) {
            breaks(0, 0, 10);
            ups[1].play(refuse);
            ends(2, 10);
            const { text, line, usage } = await seen(dialect);
            assert.equal(text, TEXT);
            assert.match(line.tries, /resumed; .* other_target; .* ok \d+ms$/);
            if (dialect === D.messages) {
                assert.equal(usage.input_tokens, 22, 'what showed nothing is not told');
            }
        }
    });

    test(`${name}: an honest error where nobody goes on`, async () => {
        for (const [route, why] of [[`${name}-none`, 'attempts_used'], [`${name}-off`, 'committed']]) {
            breaks(0, 0, 20);
            ends(1, 20);
            const { error, answer, line } = await seen(dialect, route);
            assert.ok(error, answer.body.toString());
            assert.ok(answer.body.toString().startsWith(dialect.events('id0', WORDS).slice(0, words(dialect, 20)).join('')));
            assert.equal(ups[1].requests.length, 0);
            assert.match(line.tries, new RegExp(`${why}$`));
        }
    });

    test(`${name}: the provider's own error is told where nobody goes on`, async () => {
        breaks(0, 0, 5, (exchange) => exchange.event(error).then(() => exchange.streamEnd()));
        const { answer } = await seen(dialect, `${name}-none`);
        assert.ok(answer.body.toString().endsWith(error));
        assert.equal(answer.body.toString().split('"error"').length, error.split('"error"').length, 'told once');
    });

    test(`${name}: a tool call that has begun is not gone on with`, async () => {
        const events = dialect.events('id0', WORDS.slice(0, 5), { tool: true });
        ups[0].play(play(events, words(dialect, 6) + (dialect === D.chat ? 0 : 1)));
        ends(1, 5);
        const { error, line } = await seen(dialect);
        assert.ok(error);
        assert.equal(ups[1].requests.length, 0);
        assert.match(line.tries, /committed$/);
    });

    test(`${name}: a tool call may follow on`, async () => {
        breaks(0, 0, 20);
        ends(1, 20, { tool: true });
        const { text, blocks, chunks } = await seen(dialect);
        assert.equal(text, TEXT);
        assert.ok(dialect === D.chat ? chunks.some((one) => one.choices[0]?.delta.tool_calls)
                                     : blocks[1].type === 'tool_use');
    });

    test(`${name}: a request that cannot be continued is not`, async () => {
        breaks(0, 0, 20);
        ends(1, 20);
        const more = dialect === D.chat ? { n: 2 } : { thinking: { type: 'enabled', budget_tokens: 1024 } };
        assert.ok((await seen(dialect, name, more)).error);
        assert.equal(ups[1].requests.length, 0);
    });
}

test('chat: usage is the sum, as far as it was told', async () => {
    ups[0].play(play(chatEvents('id0', WORDS), 21));
    ups[1].play(play(chatEvents('id1', WORDS.slice(20), { usage: { prompt_tokens: 50, completion_tokens: 20, total_tokens: 70 } })));
    const { usage, line } = await seen(D.chat, 'chat', { stream_options: { include_usage: true }, max_tokens: 1000 });
    const asked = ups[1].requests.at(-1).json();
    const used = 1000 - asked.max_tokens;
    assert.ok(used > 10 && used < 40, `about 20 words: ${used}`);
    assert.deepEqual(usage, { prompt_tokens: 50, completion_tokens: 20 + used, total_tokens: 70 + used });
    assert.equal(line.in_tokens, 50);
    assert.equal(line.out_tokens, 20 + used);
    // Asked for by nobody but us: it is not shown.
    const { chunks } = await seen(D.chat);
    assert.ok(chunks.every((one) => one.choices.length === 1));
});

test('messages: usage is the sum, and what the app has twice as white space it has once', async () => {
    const cut = 15; // word 14 begins with blank lines: they are the end of what is out
    const first = antEvents('id0', [...WORDS.slice(0, 14), '\n\n'], { usage: { input_tokens: 11, cache_read_input_tokens: 100, output_tokens: 1 } });
    ups[0].play(play(first, words(D.messages, cut)));
    ups[1].play(play(antEvents('id1', ['\n', ...['\nw"14'], ...WORDS.slice(15)],
        { usage: { input_tokens: 40, cache_read_input_tokens: 90, output_tokens: 1 }, out: 26 })));
    const { text, usage, line, answer } = await seen(D.messages, 'messages', { max_tokens: 500 });
    assert.equal(text, TEXT, answer.body.toString());
    assert.equal(lastTurn(ups[1]).content, WORDS.slice(0, 14).join(''), 'it may not end in white space');
    const used = 500 - ups[1].requests.at(-1).json().max_tokens;
    assert.deepEqual(usage, { input_tokens: 51, cache_read_input_tokens: 190, output_tokens: 26 + used });
    assert.equal(line.in_tokens, 51 + 190);
    assert.equal(line.out_tokens, 26 + used);
});

test('messages: white space that the app has already is not the beginning of anything', async () => {
    ups[0].play(play(antEvents('id0', [...WORDS.slice(0, 7), '\n\n']), words(D.messages, 8)));
    ups[1].play(play(antEvents('id1', ['\n']), words(D.messages, 1)));
    ups[2].play(play(antEvents('id2', ['\n\n', 'w"7', ...WORDS.slice(8)])));
    const { text, line } = await seen(D.messages);
    assert.equal(text, TEXT);
    assert.match(line.tries, /resumed; .* other_target; .* ok \d+ms$/);
});

test('a lone target that takes a begun turn is asked again, after a pause', async () => {
    const last = sse('', { error: { message: 'gone', type: 'server_error' } }).replace('\n\n', '\n');
    let calls = 0;
    ups[1].play((exchange) => {
        calls += 1;
        return calls === 1
            ? play(chatEvents('a', WORDS), 12, (broken) => broken.event(last).then(() => broken.streamEnd()))(exchange)
            : play(chatEvents('b', WORDS.slice(11)))(exchange);
    });
    const { text } = await seen(D.chat, 'chat-same');
    assert.equal(text, TEXT);
    assert.equal(calls, 2);
});

test('what was held behind the gate counts as shown once it is', async () => {
    ups[0].play(play(antEvents('id0', WORDS), words(D.messages, 30)));
    ups[1].play(play(antEvents('id1', WORDS.slice(30))));
    const { text } = await seen(D.messages, 'messages-later');
    assert.equal(text, TEXT);
});

test('an app that leaves while another one is asked ends the call', async () => {
    ups[0].play(play(chatEvents('id0', WORDS), 12));
    let lost;
    const asked = new Promise((resolve) => {
        ups[1].play((exchange) => { lost = exchange.closed(8000); resolve(); });
    });
    const app = await App.connect(headgate.port);
    app.send(request(good('chat', { model: 'chat', stream: true })));
    await asked;
    app.close();
    await lost;
});
