// SPDX-License-Identifier: Apache-2.0
// Calls that are answered by a provider of another dialect: failover from and to it, what may be asked
// at all, who sees which key, what is written down and paid, and what an app is told of errors.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './lib/app.mjs';
import { APPS } from './lib/apps.mjs';
import { chat, generate, messages } from './lib/foreign.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { checkWait } from './lib/rows.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, until } from './lib/wire.mjs';

requireBinary();

// Failover from one provider to another, by apps: [app, first, second]. Each goes to a second one of its own, so that
// no test lives on what others left of its budget against retry storms.
const PAIRS = [['chat', 'chat', 'messages'], ['chat', 'chat', 'generate'], ['responses', 'chat', 'messages'],
    ['messages', 'messages', 'chat'], ['generate', 'generate', 'chat'], ['messages', 'generate', 'chat'], ['responses', 'messages', 'generate']]
    .flatMap(([app, first, second]) => [false, true].map((isStream) => ({ app, first, second, isStream })))
    .map((pair, i) => ({ ...pair, to: `${pair.second}-${i}` }));
// USD per million tokens: little, so that what may be paid for twice never reaches its limit.
const PRICE = {
    chat: 'input: 0.01, cache_read: 0.001, output: 0.1',
    messages: 'input: 0.02, cache_read: 0.002, cache_write_5m: 0.025, output: 0.2',
    generate: 'input: 0.03, cache_read: 0.003, output: 0.3',
};
// By hand, from what lib/foreign.mjs says they use, in nanodollars.
const COST = {
    chat: 9 * 10 + 20 * 1 + 11 * 100,
    messages: 4 * 20 + 5 * 25 + 20 * 2 + 11 * 200,
    generate: 9 * 30 + 20 * 3 + 11 * 300,
};
// What is kept of the provider's figures.
const KEPT = {
    chat: { input: 9, cache_read: 20, output: 11, reasoning: 3 },
    messages: { input: 4, cache_read: 20, cache_write_5m: 5, output: 11 },
    generate: { input: 9, cache_read: 20, output: 11, reasoning: 3 },
};
// The same as apps are told it.
const TOLD = {
    chat: ({ prompt_tokens, prompt_tokens_details, completion_tokens }) => [prompt_tokens, prompt_tokens_details.cached_tokens, completion_tokens],
    responses: ({ input_tokens, input_tokens_details, output_tokens }) => [input_tokens, input_tokens_details.cached_tokens, output_tokens],
    messages: (one) => [one.input_tokens + one.cache_read_input_tokens + one.cache_creation_input_tokens, one.cache_read_input_tokens, one.output_tokens],
    generate: (one) => [one.promptTokenCount, one.cachedContentTokenCount, one.candidatesTokenCount + (one.thoughtsTokenCount ?? 0)],
};
const TEXT = 'It rains in “Paris” 🌧.';
const FOREIGN = { chat, messages, generate };
// The last event of a stream.
const LAST = { chat: 'data: [DONE]\n\n', messages: 'event: message_stop\ndata: {"type":"message_stop"}\n\n', generate: '' };
const kindOf = (name) => name.split('-')[0];
// The dialect of an app's own providers.
const home = (app) => (app === 'responses' ? 'chat' : app);
const others = (app) => Object.keys(FOREIGN).filter((name) => name !== home(app));

const ups = {};
let headgate;
let dir;
const ms = (value) => `${patient(value)}ms`;
const SHORT = { connect: ms(700), head: ms(1500), first_content: ms(1500), idle: ms(1500), total: '9s', stream_total: '9s' };
const at = (name) => ({ provider: name, model: FOREIGN[kindOf(name)].model });
const baseOf = (name, upstream) => (kindOf(name) === 'chat' ? `${upstream.origin}/v1` : upstream.origin);
const provide = (name, upstream, more = {}) => ({ kind: FOREIGN[kindOf(name)].kind, base_url: baseOf(name, upstream), credential: CANARY.provider,
    breaker: { failures: 1000, ratio: '100%', silence: 'off' }, ...more });
const route = (targets, more = {}) => ({ targets, timeouts: SHORT, retry: { attempts: 3, attempts_per_target: 1 }, ...more });

// A provider that looks at each request as a real one would, and says TEXT.
const healthy = (name, turn = { text: TEXT }) => (exchange) => {
    const dialect = FOREIGN[kindOf(name)];
    dialect.check(exchange.request);
    return dialect.isStream(exchange.request)
        ? exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked', body: dialect.stream(turn) })
        : exchange.json(dialect.whole(turn));
};
const calm = () => Object.entries(ups).forEach(([name, upstream]) => {
    upstream.forget();
    upstream.play(healthy(kindOf(name) === 'compatible' ? 'chat' : name));
});

before(async () => {
    dir = temporary();
    const names = [...Object.keys(FOREIGN), ...PAIRS.map(({ to }) => to)];
    fs.writeFileSync(path.join(dir, 'prices.yaml'), ['version: 1', 'prices:', ...names.map((name) =>
        `  - { provider: ${name}, model: ${at(name).model}, ${PRICE[kindOf(name)]}, source: "made up" }`), ''].join('\n'));
    for (const name of [...names, 'compatible']) {
        ups[name] = await Upstream.start();
    }
    const routes = {
        ...Object.fromEntries(Object.keys(FOREIGN).flatMap((name) => [
            [name, route([at(name)])],
            [`strict-${name}`, route([at(name)], { translate: 'strict' })],
            [`off-${name}`, route([at(name)], { translate: 'off' })],
            [`early-${name}`, route([at(name)], { early_head: ms(60) })],
            ...Object.keys(FOREIGN).filter((other) => other !== name).map((other) => [`${name}-${other}`, route([at(name), at(other)])]),
        ])),
        ...Object.fromEntries(PAIRS.flatMap(({ first, to }) => [[`to-${to}`, route([at(first), at(to)])],
            [`gone-${to}`, route([{ ...at(first), provider: `gone-${first}` }, at(to)])]])),
        strict: route([at('messages'), at('chat')], { translate: 'strict' }),
        own: route([{ provider: 'own', model: 'm' }]),
        'own-generate': route([{ provider: 'own', model: 'm' }, at('generate')]),
        complete: route([at('messages'), at('generate')], { commit: 'complete' }),
        tokens: route([at('messages'), at('generate')], { commit: { tokens: 40 } }),
        hedged: route([at('messages'), at('generate')], { hedge: { after: ms(100) } }),
        resumed: route([at('messages'), at('chat')], { resume: 'prefill' }),
        'resumed-far': route([at('chat'), { provider: 'messages', model: 'claude-haiku-4-5' }], { resume: 'prefill' }),
        compatible: route([{ provider: 'compatible' }]),
        'off-compatible': route([{ provider: 'compatible' }], { translate: 'off' }),
    };
    headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            ...Object.fromEntries(names.map((name) => [name, provide(name, ups[name])])),
            ...Object.fromEntries(Object.keys(FOREIGN).map((name) => [`gone-${name}`, provide(name, { origin: 'http://127.0.0.1:1' })])),
            own: provide('chat', ups.chat, { credential: 'passthrough' }),
            compatible: { kind: 'compatible', base_url: `${ups.compatible.origin}/v1`, credential: CANARY.anthropic },
        },
        routes,
    }, { resets: true });
    calm();
});
after(async () => {
    await headgate?.stop();
    await Promise.all(Object.values(ups).map((upstream) => upstream.stop()));
    fs.rmSync(dir, { recursive: true, force: true });
});
afterEach(async () => {
    headgate.check();
    Object.values(ups).forEach((upstream) => upstream.check());
    await headgate.reset();
    calm();
});

const state = () => path.join(headgate.dir, 'state');
const call = (app, model, more) => ask(headgate.port, APPS[app].ask(model, more), 9000);
const recordsOf = (answer, count) => until(() => {
    const found = recordsIn(state()).filter((record) => record.call_id === header(answer, 'x-headgate-call-id'));
    return found.length >= count && found;
}, 4000, `${count} records`);
const read = (app, answer, isStream) => {
    assert.equal(answer.status, 200, answer.body.toString());
    return isStream ? APPS[app].stream(answer.body.toString()) : APPS[app].whole(answer);
};
// A whole good answer of this provider, told in the app's words.
function checkAnswer(app, answer, isStream, name) {
    const told = read(app, answer, isStream);
    assert.equal(told.text, TEXT);
    assert.deepEqual(TOLD[app](told.usage), [29, 20, 11], JSON.stringify(told.usage));
    if (isStream) {
        assert.deepEqual([told.error, told.isWhole], [undefined, true], answer.body.toString());
    }
    if (header(answer, 'x-headgate-target') !== undefined) {
        assert.equal(header(answer, 'x-headgate-target'), `${name}/${FOREIGN[kindOf(name)].model}`);
    }
}
function checkRecord(record, name, app, isStream) {
    const { input, cache_read, cache_write_5m, output, reasoning } = record;
    const figures = Object.fromEntries(Object.entries({ input, cache_read, cache_write_5m, output, reasoning }).filter(([, value]) => value > 0));
    assert.deepEqual(figures, KEPT[kindOf(name)], JSON.stringify(record));
    assert.equal(record.charged_nusd, COST[kindOf(name)]);
    assert.equal(BigInt(record.cost_pusd), BigInt(COST[kindOf(name)]) * 1000n);
    assert.deepEqual([record.provider, record.model, record.outcome, record.provenance, record.stream], [name, FOREIGN[kindOf(name)].model, 'ok', 'provider', isStream]);
    const own = { chat: 'prompt_tokens', messages: 'output_tokens', generate: 'promptTokenCount' }[kindOf(name)];
    assert.ok(own in record.usage_raw, `the provider's own figures: ${JSON.stringify(record.usage_raw)}`);
    assert.equal(record.model_answered, { chat: 'lab-model', messages: 'lab-claude', generate: 'lab-gemini' }[kindOf(name)]);
}

describe('failover', () => {
    const CREATED = 'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","output":[]}}\n\n';
    const begun = (name, app) => (name === 'chat' && app === 'responses' ? CREATED : FOREIGN[name].cut());
    const streams = (text, then) => async (exchange) => {
        await exchange.streamHead();
        if (text !== '') {
            await exchange.event(text);
        }
        await then(exchange);
    };
    const error = (name, status, type, code) => ({
        chat: { error: { message: 'from the provider', type, param: null, code } },
        messages: { type: 'error', error: { type, message: 'from the provider' } },
        generate: { error: { code: status, message: 'from the provider', status: code } },
    })[name];
    const told = (status, type, code) => (name) => (exchange) => exchange.json(error(name, status, type, code), status);
    const FAULTS = {
        reset: () => (exchange) => exchange.reset(),
        'a page with 503': () => (exchange) => exchange.answer({ status: 503, headers: { 'Content-Type': 'text/html' }, body: '<html>' }),
        503: told(503, 'overloaded_error', 'UNAVAILABLE'),
        429: told(429, 'rate_limit_error', 'RESOURCE_EXHAUSTED'),
        529: told(529, 'overloaded_error', 'UNAVAILABLE'),
        401: told(401, 'authentication_error', 'UNAUTHENTICATED'),
        'bad body': () => (exchange) => exchange.answer({ body: '{"id":"x"' }),
    };
    const STREAM_FAULTS = {
        'a cut before the commit': (name, app) => streams(begun(name, app), (exchange) => exchange.reset()),
        'an error event first': (name) => streams(`${name === 'messages' ? 'event: error\n' : ''}data: ${JSON.stringify(error(name, 503, 'overloaded_error', 'UNAVAILABLE'))}\n\n`, (exchange) => exchange.streamEnd()),
        'an empty stream': () => streams('', (exchange) => exchange.streamEnd()),
        // As many faults as the budget against storms lets go on.
        'a start and an end without a reason': (name, app) => streams(begun(name, app) + LAST[name], (exchange) => exchange.streamEnd()),
    };
    // Without what is of its time and of this call: when it was made, made up ids, an estimate by the request's bytes.
    const timeless = (answer) => answer.body.toString().replace(/"(created|created_at|completed_at|input_tokens)":\d+/g, '"$1":0').replace(/_[0-9a-f]{16}/g, '_id');
    const calls = [];

    async function fails({ app, first, second, isStream, to }, faults) {
        const straight = await call(app, second, { isStream });
        checkAnswer(app, straight, isStream, second);
        for (const [name, fault] of Object.entries({ refused: null, ...faults })) {
            await headgate.reset();
            if (fault !== null) {
                ups[first].play(fault(first, app));
            }
            const answer = await call(app, fault === null ? `gone-${to}` : `to-${to}`, { isStream });
            checkAnswer(app, answer, isStream, to);
            assert.equal(timeless(answer), timeless(straight), name);
            const reason = header(answer, 'x-headgate-failover');
            assert.ok(reason, name);
            assert.equal(header(answer, 'x-headgate-attempts'), '2', name);
            calls.push({ answer, first: fault === null ? `gone-${first}` : first, second: to, app, isStream, reason });
        }
    }
    for (const pair of PAIRS) {
        test(`${pair.app}: from ${pair.first} to ${pair.second}${pair.isStream ? ', streams' : ''}`, () => fails(pair, { ...FAULTS, ...(pair.isStream ? STREAM_FAULTS : {}) }));
    }
    test('each attempt is written down as its own provider says, and paid by its own price', async () => {
        assert.ok(calls.length > 100, `${calls.length} calls`);
        await recordsOf(calls.at(-1).answer, 2);
        const all = new Map();
        recordsIn(state()).forEach((record) => all.set(record.call_id, [...(all.get(record.call_id) ?? []), record]));
        for (const { answer, first, second, app, isStream, reason } of calls) {
            const [failed, good, ...more] = all.get(header(answer, 'x-headgate-call-id'));
            assert.deepEqual(more, []);
            assert.deepEqual([failed.provider, failed.outcome, failed.attempt, good.attempt], [first, reason, 1, 2]);
            assert.ok(!failed.charged_nusd || (failed.upstream_status === 200 && failed.price.startsWith(`${first}/`)), JSON.stringify(failed));
            checkRecord(good, second, app, isStream);
            assert.equal(good.dialect, { chat: 'openai', responses: 'openai', messages: 'anthropic', generate: 'gemini' }[app]);
            if (!isStream) {
                assert.equal(Math.round(header(answer, 'x-headgate-cost-usd') * 1e9), COST[kindOf(second)] + (failed.charged_nusd ?? 0));
            }
        }
    });
});

// The code, type or status of an error in the app's own words.
const wordOf = { chat: ({ code }) => code, responses: ({ code }) => code, messages: ({ type }) => type, generate: ({ details }) => details[0].reason };

describe('a stream that breaks off after the commit', () => {
    // Up to where it would say why it ends.
    const begun = (name) => {
        const events = FOREIGN[name].stream({ text: TEXT }).split(/(?<=\n\r?\n)/);
        return events.slice(0, events.findIndex((event) => /"finish_reason":"|content_block_stop|"finishReason"/.test(event))).join('');
    };
    const plays = (text, then) => async (exchange) => {
        await exchange.streamHead();
        await exchange.event(text);
        await then(exchange);
    };
    const WAYS = {
        'a reset': [(name) => plays(begun(name), (exchange) => sleep(20).then(() => exchange.reset())), ['upstream_reset', 'upstream_truncated', 'api_error']],
        'a proper end': [(name) => plays(begun(name), (exchange) => exchange.streamEnd()), ['upstream_truncated', 'api_error']],
        'a last event and no reason for it': [(name) => plays(begun(name) + LAST[name], (exchange) => exchange.streamEnd()), ['upstream_truncated', 'api_error']],
        // In one piece with all that comes before it.
        'the provider\'s word': [(name) => plays(begun(name) + FOREIGN[name].broken().split(/(?<=\n\n)/).at(-1), (exchange) => exchange.streamEnd()), (name) => (name === 'chat' ? ['upstream_error', 'api_error'] : ['upstream_overloaded', 'overloaded_error'])],
    };
    for (const app of Object.keys(APPS)) {
        for (const name of others(app)) {
            test(`${app} at ${name}`, async () => {
                for (const [way, [script, words]] of Object.entries(WAYS)) {
                    ups[name].play(script(name));
                    const answer = await call(app, name, { isStream: true });
                    const told = read(app, answer, true);
                    assert.equal(told.text, name === 'generate' ? TEXT.slice(0, told.text.length) : TEXT);
                    assert.ok(told.text.length > 2, way);
                    assert.ok(told.error && !told.isWhole, answer.body.toString());
                    const error = told.error.response?.error ?? told.error.error;
                    const wanted = typeof words === 'function' ? words(name) : words;
                    assert.ok(wanted.includes(wordOf[app](error)), `${way}: ${JSON.stringify(error)}`);
                    assert.match(error.message, /^headgate: /);
                    if (app === 'responses') {
                        assert.equal(told.error.response.status, 'failed');
                        assert.match(told.error.response.id, /^resp_/);
                    }
                    const line = await headgate.callLine(answer);
                    assert.match(line.outcome, way === 'a reset' ? /^(reset|truncated|closed)$/ : way === 'the provider\'s word' ? /^stream_error$/ : /^truncated$/);
                }
            });
        }
    }
    test('a response that never began has an id all the same', async () => {
        ups.messages.play(async (exchange) => {
            await sleep(patient(120));
            await exchange.json(messages.fault.body, 400);
        });
        const answer = await call('responses', 'early-messages', { isStream: true });
        const { error, text } = read('responses', answer, true);
        assert.deepEqual([text, error.sequence_number, error.response.status], ['', 0, 'failed']);
        assert.match(error.response.id, /^resp_[0-9a-f]+$/);
        assert.equal(error.response.error.message, 'Invalid thing.');
    });
});

describe('what may be asked', () => {
    const asked = () => Object.fromEntries(Object.entries(ups).filter(([, up]) => up.requests.length > 0).map(([name, up]) => [name, up.requests.length]));
    const param = { chat: ({ param }) => param, responses: ({ param }) => param, messages: ({ message }) => message, generate: ({ message }) => message };
    // What the target cannot be told, by apps and providers: [members, as it is called].
    const UNTOLD = {
        chat: { messages: [{ n: 2 }, 'n'], generate: [{ logit_bias: { 5: -100 } }, 'logit_bias'] },
        responses: { messages: [{ previous_response_id: 'resp_0' }, 'previous_response_id'], generate: [{ conversation: 'conv_1' }, 'conversation'] },
        messages: { chat: [{ container: 'container_1' }, 'container'], generate: [{ mcp_servers: [{ type: 'url', url: 'https://x.test', name: 'x' }] }, 'mcp_servers'] },
        generate: { chat: [{ cachedContent: 'cachedContents/1' }, 'cachedContent'], messages: [{ tools: [{ googleSearch: {} }] }, 'googleSearch'] },
    };
    for (const app of Object.keys(APPS)) {
        for (const name of others(app)) {
            test(`what ${name} cannot be told is told to ${app}, and to nobody else`, async () => {
                const [more, member] = UNTOLD[app][name];
                for (const isStream of [false, true]) {
                    const answer = await call(app, name, { isStream, more });
                    assert.equal(answer.status, 400, answer.body.toString());
                    const error = APPS[app].error(answer);
                    assert.ok(param[app](error).includes(member), JSON.stringify(error));
                    assert.match(error.message, /\. Change it, leave it out, or give the route a target of the app's own dialect$/);
                    assert.equal(wordOf[app](error), app === 'messages' ? 'invalid_request_error' : 'unsupported_parameter');
                    checkWait(answer);
                    assert.ok((await headgate.callLine(answer)).param.includes(member));
                }
                assert.deepEqual(asked(), {});
            });
        }
    }
    test('the next target is asked, and the first not at all', async () => {
        for (const isStream of [false, true]) {
            const answer = await call('chat', 'messages-chat', { isStream, more: { n: 1, logit_bias: { 5: -100 } } });
            checkAnswer('chat', answer, isStream, 'chat');
            assert.equal(header(answer, 'x-headgate-attempts'), '1');
            assert.equal((await headgate.callLine(answer)).param, 'logit_bias');
        }
        assert.deepEqual(asked(), { chat: 2 });
    });
    test('which one of many is said, in words that are safe everywhere', async () => {
        const tools = ['good', 'get "it"\n\u00e9'].map((name) => ({ type: 'function', function: { name } }));
        const answer = await call('chat', 'messages', { more: { tools } });
        assert.equal(answer.status, 400, answer.body.toString());
        const { param: told, message } = APPS.chat.error(answer);
        assert.equal(told, 'tools[].function.name');
        assert.ok(message.includes(': tools[].function.name "get \\"it\\"\\n". The target takes names of 1 to 128 of A-Za-z0-9_-. Change it'), message);
        assert.ok(!JSON.stringify(await headgate.callLine(answer)).includes('get '));
    });
    test('where somebody was asked, its failure is told', async () => {
        ups.chat.play((exchange) => exchange.json({ error: { message: 'no', type: 'server_error', param: null, code: null } }, 500));
        const answer = await call('chat', 'chat-messages', { more: { n: 2 } });
        assert.deepEqual([answer.status, APPS.chat.error(answer).code], [502, 'upstream_error']);
        assert.equal(asked().messages, undefined);
    });
    test('where one could be told and is out of order, that is what is wrong', async () => {
        ups.chat.play((exchange) => exchange.json({ error: { message: 'no', type: 'x', param: null, code: 'invalid_api_key' } }, 401));
        assert.equal((await call('chat', 'chat')).status, 502);
        const answer = await call('chat', 'messages-chat', { more: { n: 2 } });
        assert.deepEqual([answer.status, APPS.chat.error(answer).code], [502, 'upstream_auth']);
    });
    test('off: no target of another dialect', async () => {
        for (const [app, name] of [['chat', 'messages'], ['responses', 'generate'], ['messages', 'chat'], ['generate', 'messages']]) {
            const answer = await call(app, `off-${name}`);
            assert.equal(answer.status, 400, answer.body.toString());
            assert.equal(wordOf[app](APPS[app].error(answer)), app === 'messages' ? 'invalid_request_error' : 'dialect_not_served');
        }
        assert.deepEqual(asked(), {});
        assert.equal((await call('chat', 'off-chat')).status, 200);
    });
    test('strict: what would be dropped is refused', async () => {
        const lenient = await call('chat', 'messages', { more: { seed: 7 } });
        assert.deepEqual([lenient.status, header(lenient, 'x-headgate-dropped')], [200, 'seed']);
        const strict = await call('chat', 'strict-messages', { more: { seed: 7 } });
        assert.deepEqual([strict.status, APPS.chat.error(strict).param], [400, 'seed']);
        assert.equal(asked().messages, 1);
        const other = await call('chat', 'strict', { more: { seed: 7 } });
        checkAnswer('chat', other, false, 'chat');
        assert.equal(ups.chat.requests.at(-1).json().seed, 7, 'it has its own provider');
        assert.equal(header(other, 'x-headgate-dropped'), undefined);
    });
    test('an app\'s own key goes to no other vendor', async () => {
        for (const app of ['messages', 'generate']) {
            const refused = await call(app, 'own');
            assert.equal(refused.status, 400, refused.body.toString());
            assert.deepEqual(asked(), {});
        }
        checkAnswer('messages', await call('messages', 'own-generate'), false, 'generate');
        assert.equal((await call('chat', 'own')).status, 200);
        assert.equal(header(ups.chat.requests[0], 'authorization'), `Bearer ${CANARY.app}`);
        for (const app of Object.keys(APPS)) {
            for (const name of others(app)) {
                ups[name].forget();
                await call(app, name, { isStream: app === 'chat' });
                const [sent] = ups[name].requests;
                const carrier = { chat: 'authorization', messages: 'x-api-key', generate: 'x-goog-api-key' }[name];
                assert.equal(header(sent, carrier), `${name === 'chat' ? 'Bearer ' : ''}${CANARY.provider}`);
                assert.ok(!Buffer.concat([sent.head, sent.body]).includes(CANARY.app), `${app} at ${name}`);
            }
        }
    });
    test('a provider and a model name a target of another dialect, too', async () => {
        for (const [app, name] of [['chat', 'messages'], ['responses', 'generate'], ['messages', 'generate'], ['generate', 'chat']]) {
            for (const isStream of [false, true]) {
                checkAnswer(app, await call(app, `${name}/${FOREIGN[name].model}`, { isStream }), isStream, name);
            }
        }
    });
});

describe('what was dropped', () => {
    test('stands in the head and in the line, also where the head came too early', async () => {
        const more = { seed: 7, temperature: 1.5, frequency_penalty: 1, invented: true };
        const names = /^(?=.*\bseed\b)(?=.*temperature=changed)(?=.*frequency_penalty)(?=.*invented)/;
        for (const isStream of [false, true]) {
            const answer = await call('chat', 'messages', { isStream, more });
            checkAnswer('chat', answer, isStream, 'messages');
            assert.match(header(answer, 'x-headgate-dropped'), names);
            assert.equal((await headgate.callLine(answer)).dropped, header(answer, 'x-headgate-dropped'));
        }
        ups.messages.play(async (exchange) => {
            await sleep(patient(150));
            return healthy('messages')(exchange);
        });
        const early = await call('chat', 'early-messages', { isStream: true, more });
        assert.ok(early.body.toString().startsWith(': keep-alive\n\n'));
        checkAnswer('chat', early, true, 'messages');
        assert.equal(header(early, 'x-headgate-dropped'), undefined);
        assert.match((await headgate.callLine(early)).dropped, names);
    });
    test('an unknown word for the end is told besides a normal one: in the head if it is known by then, and in the line', async () => {
        for (const [app, name] of [['messages', 'chat'], ['generate', 'messages'], ['responses', 'generate']]) {
            for (const isStream of [false, true]) {
                ups[name].play(healthy(name, { text: TEXT, finish: 'brand_new' }));
                const answer = await call(app, name, { isStream });
                checkAnswer(app, answer, isStream, name);
                assert.equal(header(answer, 'x-headgate-finish'), isStream ? undefined : 'brand_new');
                assert.equal((await headgate.callLine(answer)).finish, 'brand_new');
            }
        }
        ups.chat.play(healthy('chat', { text: TEXT, finish: 'new\r\nx-evil: é1' }));
        const hostile = await call('messages', 'chat');
        assert.equal(header(hostile, 'x-evil'), undefined);
        assert.equal(header(hostile, 'x-headgate-finish'), 'new\\r\\nx-evil: 1');
        ups.chat.play(healthy('chat', { text: TEXT, finish: 'é' }));
        assert.equal(header(await call('messages', 'chat'), 'x-headgate-finish'), undefined); // nothing of it fits a header
        ups.messages.play(healthy('messages', { text: TEXT, finish: 'brand_new' }));
        const held = await call('chat', 'complete', { isStream: true });
        checkAnswer('chat', held, true, 'messages');
        assert.equal(header(held, 'x-headgate-finish'), 'brand_new');
        ups.chat.play(healthy('chat'));
        const known = await call('messages', 'chat');
        assert.equal(header(known, 'x-headgate-finish'), undefined);
        assert.ok(!('finish' in await headgate.callLine(known)));
    });
    test('a word for an end that did not come is not told', async () => {
        const text = messages.stream({ text: TEXT, finish: 'brand_new' });
        for (const begins of [false, true]) {
            ups.messages.play(async (exchange) => {
                await exchange.streamHead();
                await exchange.event(begins ? text.slice(0, text.indexOf('event: message_stop'))
                    : text.slice(0, text.indexOf('event: content_block_start')) + text.slice(text.indexOf('event: message_delta'), text.indexOf('event: message_stop')));
                await exchange.event('event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"no"}}\n\n');
                return exchange.streamEnd();
            });
            const answer = await call('chat', 'messages', { isStream: true });
            assert.equal(header(answer, 'x-headgate-finish'), undefined);
            const line = await headgate.callLine(answer);
            assert.notEqual(line.outcome, 'ok');
            assert.ok(!('finish' in line), JSON.stringify(line));
        }
    });
    test('by a target that did not answer is not told', async () => {
        ups.messages.play((exchange) => exchange.json(messages.fault.body, 500));
        const answer = await call('chat', 'messages-chat', { more: { seed: 7 } });
        checkAnswer('chat', answer, false, 'chat');
        assert.equal(header(answer, 'x-headgate-dropped'), undefined);
        assert.ok(!(await headgate.callLine(answer)).dropped);
    });
});

describe('ways to ask', () => {
    const cutLate = (name) => async (exchange) => {
        const text = FOREIGN[name].stream({ text: TEXT });
        await exchange.streamHead();
        await exchange.event(text.slice(0, text.indexOf(name === 'messages' ? 'event: content_block_stop' : '"finishReason"')));
        await sleep(20);
        exchange.reset();
    };
    test('commit: complete, and so many tokens, hold back what a failed one said', async () => {
        for (const name of ['complete', 'tokens']) {
            await headgate.reset();
            ups.messages.play(cutLate('messages'));
            const answer = await call('chat', name, { isStream: true });
            checkAnswer('chat', answer, true, 'generate');
            assert.ok(header(answer, 'x-headgate-failover'));
        }
    });
    test('hedged by a provider of another dialect', async () => {
        for (let i = 0; i < 22; i += 1) { // a hedge is one call in twenty of the route
            assert.equal((await call('chat', 'hedged', { isStream: true })).status, 200);
        }
        let lost;
        ups.messages.play(async (exchange) => { // and its own answer has begun when the other one wins
            lost = exchange.closed(8000);
            await exchange.streamHead();
            await exchange.event(messages.cut());
        });
        const answer = await call('chat', 'hedged', { isStream: true });
        checkAnswer('chat', answer, true, 'generate');
        assert.match((await headgate.callLine(answer)).tries, /messages\/\S+ hedge_lost.*generate\/\S+ ok/);
        await lost;
        const records = await recordsOf(answer, 2);
        checkRecord(records.find(({ provider }) => provider === 'generate'), 'generate', 'chat', true);
    });
    test('a repeat is given the same bytes again', async () => {
        for (const [app, name] of [['chat', 'messages'], ['responses', 'generate'], ['messages', 'chat'], ['generate', 'messages']]) {
            const what = APPS[app].ask(name);
            what.headers['idempotency-key'] = `once-${app}`;
            const first = await ask(headgate.port, what);
            const second = await ask(headgate.port, what);
            checkAnswer(app, first, false, name);
            assert.equal(second.body.toString(), first.body.toString());
            assert.equal(header(second, 'x-headgate-replayed'), 'true');
            assert.equal(ups[name].requests.length, 1);
            ups[name].forget();
        }
    });
    test('a stream is never continued in another dialect', async () => {
        ups.messages.play(cutLate('messages'));
        const first = await call('messages', 'resumed', { isStream: true });
        assert.ok(read('messages', first, true).error, first.body.toString());
        assert.equal(ups.chat.requests.length, 0);
        // The target that is asked first is of another dialect: nothing of it is continued either.
        ups.chat.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(chat.stream({ text: TEXT }).split(/(?<=\n\n)/).slice(0, 2).join(''));
            await sleep(20);
            exchange.reset();
        });
        ups.messages.forget();
        const far = await call('messages', 'resumed-far', { isStream: true });
        const told = read('messages', far, true);
        assert.ok(told.error && told.text.length > 0, far.body.toString());
        assert.equal(ups.messages.requests.length, 0);
    });
});

describe('errors of a provider in the app\'s words', () => {
    const openai = (message, code, type = 'invalid_request_error') => ({ error: { message, type, param: null, code } });
    const claude = (message, type) => ({ type: 'error', error: { type, message }, request_id: 'req_1' });
    const google = (code, message, status) => ({ error: { code, message, status } });
    // By what it is: [status, body].
    const SAID = {
        chat: {
            invalid: [400, openai('Invalid thing.', null)], long: [400, chat.tooLong.body], policy: [400, openai('Not this.', 'content_policy_violation')],
            model: [404, openai('The model `m` does not exist', 'model_not_found')], large: [413, openai('Too many bytes.', null)],
            rate: [429, openai('Slow down.', 'rate_limit_exceeded', 'requests')], fault: [500, openai('Oh.', null, 'server_error')],
            busy: [503, openai('Overloaded', null, 'server_error')], over: [529, openai('Overloaded', null, 'server_error')],
            auth: [401, openai('Incorrect API key provided: sk-te**', 'invalid_api_key')], quota: [429, openai('You exceeded your quota', 'insufficient_quota', 'insufficient_quota')],
        },
        messages: {
            invalid: [400, claude('Invalid thing.', 'invalid_request_error')], long: [400, messages.tooLong.body],
            policy: [400, claude('Output blocked by content filtering policy', 'invalid_request_error')],
            model: [404, claude('model: claude-none', 'not_found_error')], large: [413, claude('Too many bytes.', 'request_too_large')],
            rate: [429, claude('Slow down.', 'rate_limit_error')], fault: [500, claude('Oh.', 'api_error')],
            busy: [503, claude('Overloaded', 'overloaded_error')], over: [529, claude('Overloaded', 'overloaded_error')],
            auth: [401, claude('invalid x-api-key', 'authentication_error')], quota: [400, claude('Your credit balance is too low to access the API', 'invalid_request_error')],
        },
        generate: {
            invalid: [400, google(400, 'Invalid thing.', 'INVALID_ARGUMENT')], long: [400, generate.tooLong.body],
            model: [404, google(404, 'models/m is not found for API version v1beta', 'NOT_FOUND')], large: [413, google(413, 'Too many bytes.', 'INVALID_ARGUMENT')],
            rate: [429, google(429, 'Slow down.', 'RESOURCE_EXHAUSTED')], fault: [500, google(500, 'Oh.', 'INTERNAL')],
            busy: [503, google(503, 'Overloaded', 'UNAVAILABLE')], over: [529, google(529, 'Overloaded', 'UNAVAILABLE')],
            auth: [400, { error: { ...google(400, 'API key not valid. Please pass a valid API key.', 'INVALID_ARGUMENT').error, details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }] } }],
        },
    };
    // By what it is: status, then OpenAI's type and code, Anthropic's type, Google's status (translation.md 13); what its sentence holds.
    const TOLD_AS = {
        invalid: [400, ['invalid_request_error', 'upstream_request'], 'invalid_request_error', 'INVALID_ARGUMENT', /^Invalid thing\.$/],
        policy: [400, ['invalid_request_error', 'content_policy_violation'], 'invalid_request_error', 'INVALID_ARGUMENT', /Not this|policy/],
        long: [400, ['invalid_request_error', 'context_length_exceeded'], 'invalid_request_error', 'INVALID_ARGUMENT',
            { chat: /maximum context length/, responses: /maximum context length/, messages: /^prompt is too long/, generate: /input token count exceeds the maximum number of tokens/ }],
        model: [404, ['invalid_request_error', 'model_not_found'], 'not_found_error', 'NOT_FOUND', /model/],
        large: [{ chat: 413, responses: 413, messages: 413, generate: 400 }, ['invalid_request_error', 'request_too_large'], 'request_too_large', 'INVALID_ARGUMENT', /^Too many bytes\.$/],
        rate: [429, ['rate_limit_error', 'rate_limit_exceeded'], 'rate_limit_error', 'RESOURCE_EXHAUSTED', /^Slow down\.$/],
        fault: [502, ['server_error', 'upstream_error'], 'api_error', 'UNAVAILABLE', /^headgate: /],
        busy: [{ chat: 503, responses: 503, messages: 529, generate: 503 }, ['server_error', 'upstream_overloaded'], 'overloaded_error', 'UNAVAILABLE', /^headgate: /],
        auth: [502, ['server_error', 'upstream_auth'], 'api_error', 'UNAVAILABLE', /^headgate: (?!.*(key|sk-))/],
        quota: [503, ['server_error', 'upstream_quota'], 'api_error', 'UNAVAILABLE', /^headgate: /],
    };
    TOLD_AS.over = TOLD_AS.busy;
    const of = (wanted, app) => (typeof wanted === 'object' && app in wanted ? wanted[app] : wanted);

    function checkError(app, answer, what) {
        const [status, codes, type, word, sentence] = TOLD_AS[what];
        assert.equal(answer.status, of(status, app), answer.body.toString());
        const error = APPS[app].error(answer);
        assert.match(error.message, of(sentence, app), what);
        if (app === 'messages') {
            assert.equal(error.type, type);
        } else if (app === 'generate') {
            assert.equal(error.status, word);
        } else {
            assert.deepEqual([error.type, error.code], codes);
        }
        checkWait(answer);
        assert.equal(header(answer, 'x-headgate-dropped'), undefined);
    }
    for (const app of Object.keys(APPS)) {
        for (const name of others(app)) {
            test(`${app} at ${name}`, async () => {
                for (const [what, [status, body]] of Object.entries(SAID[name])) {
                    for (const isStream of [false, true]) {
                        await headgate.reset();
                        ups[name].play((exchange) => exchange.json(body, status));
                        checkError(app, await call(app, name, { isStream }), what);
                    }
                }
            });
        }
    }
    test('what it quotes of keys is covered, however it is spelled', async () => {
        const keys = `${CANARY.provider.replaceAll('-', '\\u002d')} and ${CANARY.app} and ${CANARY.provider}`;
        for (const [app, name] of [['chat', 'messages'], ['messages', 'chat'], ['generate', 'chat'], ['responses', 'generate']]) {
            for (const isStream of [false, true]) {
                ups[name].play((exchange) => exchange.answer({ status: 400, body: JSON.stringify(FOREIGN[name].fault.body).replace('Invalid thing.', `No: ${keys}.`) }));
                const answer = await call(app, name, { isStream });
                assert.equal(answer.status, 400);
                assert.match(APPS[app].error(answer).message, /^No: \*+ and \*+ and \*+\.$/);
            }
        }
    });
    test('the first event of a stream tells of one', async () => {
        for (const [name, event, what] of [['messages', { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down.' } }, 'rate'],
            ['generate', { error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }, 'busy'],
            ['messages', { type: 'error', error: { type: 'invalid_request_error', message: 'prompt is too long: 11 tokens > 10 maximum' } }, 'long']]) {
            for (const app of ['chat', 'responses']) {
                await headgate.reset();
                ups[name].play(async (exchange) => {
                    await exchange.streamHead();
                    await exchange.event(`event: error\ndata: ${JSON.stringify(event)}\n\n`);
                    await exchange.streamEnd();
                });
                checkError(app, await call(app, name, { isStream: true }), what);
            }
        }
    });
    test('after an early head it is told in the stream', async () => {
        for (const [app, name, word] of [['chat', 'messages', 'context_length_exceeded'], ['messages', 'generate', 'invalid_request_error'], ['generate', 'chat', 'context_length_exceeded']]) {
            ups[name].play(async (exchange) => {
                await sleep(patient(120));
                await exchange.json(FOREIGN[name].tooLong.body, 400);
            });
            const { error } = read(app, await call(app, `early-${name}`, { isStream: true }), true);
            assert.equal(wordOf[app](error.error), word, JSON.stringify(error));
            assert.match(error.error.message, of(TOLD_AS.long[4], app));
        }
    });
});

describe('counts of tokens', () => {
    const counts = {
        messages: (model, content) => ({ target: '/v1/messages/count_tokens', headers: { 'x-api-key': CANARY.app, 'anthropic-version': '2023-06-01' }, body: JSON.stringify({ model, messages: [{ role: 'user', content }] }) }),
        generate: (model, text) => ({ target: `/v1beta/models/${model}:countTokens`, headers: { 'x-goog-api-key': CANARY.app }, body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text }] }] }) }),
        wrapped: (model, text) => ({ target: `/v1beta/models/${model}:countTokens`, headers: { 'x-goog-api-key': CANARY.app },
            body: JSON.stringify({ generateContentRequest: { model: `models/${model}`, contents: [{ role: 'user', parts: [{ text }] }] } }) }),
    };
    const memberOf = { messages: 'input_tokens', generate: 'totalTokens', wrapped: 'totalTokens' };
    for (const [app, name] of [['messages', 'chat'], ['messages', 'generate'], ['generate', 'chat'], ['wrapped', 'messages']]) {
        test(`${app} at ${name}: estimated, nobody is asked, nothing is paid`, async () => {
            const told = [];
            for (const text of ['Say hello.', 'Say hello to everybody. '.repeat(50)]) {
                const answer = await ask(headgate.port, counts[app](name, text));
                assert.equal(answer.status, 200, answer.body.toString());
                assert.equal(header(answer, 'x-headgate-estimated'), 'input_tokens');
                const body = JSON.parse(answer.body);
                assert.deepEqual(Object.keys(body), [memberOf[app]]);
                told.push(body[memberOf[app]]);
            }
            assert.ok(told[0] > 2 && told[0] < 60 && told[1] > 200 && told[1] < 600, told.join());
            assert.ok(Object.values(ups).every(({ requests }) => requests.length === 0));
        });
    }
    test('no estimate where nothing is translated', async () => {
        const answer = await ask(headgate.port, counts.messages('off-chat', 'Hi'));
        assert.equal(answer.status, 400, answer.body.toString());
    });
});

describe('a provider that is only compatible needs no more than its address', () => {
    test('an app of its dialect, byte for byte', async () => {
        const what = APPS.chat.ask('compatible', { more: { metadata: null } });
        what.body = what.body.replace('null', '[1.50, { "a": 123456789012345678901234567890 }]');
        const answer = await ask(headgate.port, what);
        assert.equal(ups.compatible.requests[0].body.toString(), what.body);
        assert.equal(ups.compatible.requests[0].target, '/v1/chat/completions');
        assert.equal(answer.body.toString(), JSON.stringify(chat.whole({ text: TEXT })));
        assert.equal(header(ups.compatible.requests[0], 'authorization'), `Bearer ${CANARY.anthropic}`);
        const stream = await call('chat', 'compatible', { isStream: true });
        assert.equal(stream.body.toString(), chat.stream({ text: TEXT }));
    });
    for (const app of ['responses', 'messages', 'generate']) {
        test(`${app}: told in chat completions, in words that all of them know`, async () => {
            for (const isStream of [false, true]) {
                ups.compatible.forget();
                const answer = await call(app, 'compatible', { isStream, cap: 77 });
                const told = read(app, answer, isStream);
                assert.deepEqual([told.text, ...TOLD[app](told.usage)], [TEXT, 29, 20, 11]);
                assert.equal(header(answer, 'x-headgate-target'), 'compatible/compatible');
                const [sent] = ups.compatible.requests;
                assert.equal(sent.target, '/v1/chat/completions');
                const { max_tokens, stream_options, messages: said, model, ...rest } = sent.json();
                assert.deepEqual([max_tokens, model, said.at(-1).role, stream_options], [77, 'compatible', 'user', isStream ? { include_usage: true } : undefined]);
                assert.ok(Object.keys(rest).every((name) => ['stream', 'temperature'].includes(name)), JSON.stringify(rest));
            }
        });
    }
    test('off: Responses go there as they are', async () => {
        ups.compatible.play((exchange) => exchange.json({ id: 'resp_1', object: 'response', status: 'completed', output: [], usage: null }));
        const what = APPS.responses.ask('off-compatible');
        const answer = await ask(headgate.port, what);
        assert.equal(answer.status, 200, answer.body.toString());
        assert.deepEqual([ups.compatible.requests[0].target, ups.compatible.requests[0].body.toString()], ['/v1/responses', what.body]);
    });
    test('what lies at a provider of Responses is refused, not lost', async () => {
        const answer = await call('responses', 'compatible', { more: { previous_response_id: 'resp_0' } });
        assert.deepEqual([answer.status, APPS.responses.error(answer).param], [400, 'previous_response_id']);
        assert.equal(ups.compatible.requests.length, 0);
    });
});
