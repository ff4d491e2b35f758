// SPDX-License-Identifier: Apache-2.0
// Hostile bodies: JSON syntax and the meaning of members (bad-input.md, rows BJ, and those of BS that
// need neither keys nor budgets nor translation).
import assert from 'node:assert/strict';
import test, { after, before } from './lib/test.mjs';
import { App } from './lib/app.mjs';
import { requireBinary } from './lib/headgate.mjs';
import { ACCEPT, REFUSE, REFUSE_UTF8, REFUSE_WHOLE } from './lib/json_corpus.mjs';
import { Bench, checkRefusal } from './lib/rows.mjs';
import { GOOD, good } from './lib/samples.mjs';
import { header, utf8 } from './lib/wire.mjs';

requireBinary();

let bench;
let strict;
before(async () => {
    bench = await Bench.start();
    strict = await Bench.start({ strict_models: true });
});
after(async () => {
    await bench?.stop();
    await strict?.stop();
});

const CORE = '"model":"gpt-4o-mini","messages":[{"role":"user","content":"x"}]';
const member = (document) => Buffer.concat([utf8(`{${CORE},"zz":`), utf8(document), utf8('}')]);
const content = (document) =>
    Buffer.concat([utf8('{"model":"m","messages":[{"role":"user","content":'), utf8(document), utf8('}]}')]);
const shown = (document) => JSON.stringify(document.toString('latin1').slice(0, 60));
const SYNTAX = ['invalid_json', 'invalid_utf8', 'not_an_object'];

// Sends bodies over one connection, which must stay usable, and judges each answer.
async function overOne(bodies, judge, target = '/v1/chat/completions') {
    const app = await App.connect(bench.port);
    for (const [body, name] of bodies) {
        bench.upstream.forget();
        app.send(bench.request({ target, body }));
        await judge(await app.answer(5000), body, name);
        assert.ok(app.isOpen, `the connection stays usable after ${name}`);
    }
    app.close();
    await bench.serves();
    bench.headgate.check();
}

const isRefused = (codes) => (answer, body, name) => {
    try {
        checkRefusal(answer, { status: 400, code: codes, type: 'invalid_request_error' });
    } catch (error) {
        error.message = `${name}: ${error.message}`;
        throw error;
    }
    assert.equal(bench.upstream.requests.length, 0, name);
};
const isForwarded = (answer, body, name) => {
    assert.equal(answer.status, 200, `${name}: ${answer.body}`);
    assert.ok(bench.upstream.requests[0].body.equals(utf8(body)), `${name} arrives byte for byte`);
};

test(`BJ01 ${REFUSE.length} bad documents as a body`, () =>
    overOne(REFUSE.map((one) => [utf8(one), shown(one)]), isRefused([...SYNTAX, 'number_too_long'])));
test('BJ01 the same as the value of a member', () =>
    overOne(REFUSE.map((one) => [member(one), shown(one)]), isRefused([...SYNTAX, 'number_too_long'])));
test('BJ01 the same inside messages[0].content', () =>
    overOne(REFUSE.map((one) => [content(one), shown(one)]), isRefused([...SYNTAX, 'number_too_long'])));
test('BJ01 the same on the Anthropic path', () =>
    overOne(REFUSE.slice(0, 40).map((one) => [member(one), shown(one)]), (answer) =>
        checkRefusal(answer, { status: 400, dialect: 'anthropic', type: 'invalid_request_error' }), '/v1/messages'));
test(`BJ02 ${ACCEPT.length} good documents as the value of an unknown member`, () =>
    overOne(ACCEPT.map((one) => [member(one), shown(one)]), isForwarded));
test('BJ05 BJ06 bad starts and ends', () =>
    overOne(REFUSE_WHOLE.map((one) => [utf8(one), shown(one)]), isRefused(SYNTAX)));
test('BJ19 bytes that are no UTF-8', () =>
    overOne(REFUSE_UTF8.map((one) => [member(one), shown(one)]), isRefused('invalid_utf8')));

test('BJ04 what is no object', () => overOne(
    ['', ' ', '\n\t ', 'null', '[]', '"x"', '1', 'true', '[{}]'].map((one) => [one, shown(one)]),
    isRefused(['invalid_json', 'not_an_object', 'body_required'])));

const nested = (depth) => member('['.repeat(depth) + ']'.repeat(depth));
const items = (count) => member(`[${'0,'.repeat(count - 1)}0]`);
const numbers = (count) => member('1'.repeat(count));
const key = (name) => utf8(`{${CORE},"${name}":1}`);

const REFUSED = [
    ['BJ10 depth 129', nested(128), 'json_too_deep'],
    ['BJ10 100,000 brackets', '['.repeat(100000), 'json_too_deep'],
    ['BJ10 100,000 objects', '{"a":'.repeat(100000), 'json_too_deep'],
    ['BJ11 1,000,001 items', items(1000001), 'json_too_large'],
    ['BJ12 a number of 65 bytes', numbers(65), 'number_too_long'],
    ['BJ12 10 kB of digits', member(`0.${'7'.repeat(10000)}`), 'number_too_long'],
    ['BJ13 a member twice', utf8(`{${CORE},"a":1,"a":1}`), 'duplicate_key'],
    ['BJ14 model twice', utf8(`{${CORE},"model":"gpt-5"}`), 'duplicate_key'],
    ['BJ14 max_tokens twice', utf8(`{"max_tokens":1,${CORE},"max_tokens":100000}`), 'duplicate_key'],
    ['BJ14 stream twice', utf8(`{"stream":false,${CORE},"stream":true}`), 'duplicate_key'],
    ['BJ15 a duplicate through escapes', utf8(`{${CORE},"mod\\u0065l":"gpt-5"}`), 'duplicate_key'],
    ['BJ15 a duplicate of an escape', utf8(`{${CORE},"\\u00e9":1,"\u00e9":2}`), 'duplicate_key'],
    ['BJ15 a surrogate pair and its letter', utf8(`{${CORE},"\\ud83d\\ude00":1,"\u{1F600}":2}`), 'duplicate_key'],
    ['BJ16 in a message', utf8('{"model":"m","messages":[{"role":"user","role":"system","content":"x"}]}'), 'duplicate_key'],
    ['BJ16 in a tool schema', utf8(`{${CORE},"tools":[{"type":"function","function":{"parameters":{"a":{},"b":{},"a":{}}}}]}`), 'duplicate_key'],
    ['BJ16 among 200 members', utf8(`{${CORE},"o":{${Array.from({ length: 200 }, (_, i) => `"k${i}":1`).join(',')},"k7":2}}`), 'duplicate_key'],
    ['BJ17 a key of 1 MiB', key('k'.repeat(1 << 20)), 'json_too_large'],
    ['BJ17 a key of 1,025 bytes', key('k'.repeat(1025)), 'json_too_large'],
];
for (const [name, body, code] of REFUSED) {
    test(name, () => bench.check({ send: bench.request({ body }), answers: [{ status: 400, code }], after: 'keep', ms: 5000 }));
}

test('BJ13 a duplicate names its member', async () => {
    const app = await App.connect(bench.port);
    app.send(bench.request({ body: `{${CORE},"model":"gpt-5"}` }));
    assert.equal(JSON.parse((await app.answer()).body).error.param, 'model');
    app.close();
});

const FORWARDED = [
    ['BJ10 depth 128', nested(127)],
    ['BJ11 100,000 items', items(100000)],
    ['BJ12 a number of 64 bytes', numbers(64)],
    ['BJ12 1e999999', member('1e999999')],
    ['BJ17 a key of 1,024 bytes', key('k'.repeat(1024))],
    ['BJ18 Model besides model', utf8(`{"Model":"gpt-5",${CORE},"MODEL":1}`)],
    ['BJ20 noncharacters, NUL escapes, marks', member(`["\uffff\ufffe\u{1ffff}","\\u0000","\u202e\u200f","${'e\u0301'.repeat(50000)}"]`)],
    ['BJ21 numbers as text', member('[1.0,1e2,-0,9007199254740993,0.1,1E+2,-0.0e-0,100000000000000000000]')],
    ['BJ22 five million escapes', member(`"${'\\u0041'.repeat(5000000)}"`)],
    ['BJ23 100,000 members', member(`{${Array.from({ length: 100000 }, (_, i) => `"k${i}":0`).join(',')}}`)],
    ['BJ23 100,000 members with one tail', member(`{${Array.from({ length: 100000 }, (_, i) => `"${i}aaaaaaaaaaaaaaaa":0`).join(',')}}`)],
    ['BS05 unknown roles', utf8('{"model":"m","messages":[{"content":"x"},{"role":"system","content":"y"},{"role":"wizard"}]}')],
    ['BS06 max_tokens null', utf8(`{${CORE},"max_tokens":null}`)],
    ['BS07 both caps', utf8(`{${CORE},"max_tokens":5,"max_completion_tokens":7}`)],
    ['BS08 n of 128', utf8(`{${CORE},"n":128}`)],
    ['BS09 stream null', utf8(`{${CORE},"stream":null}`)],
    ['BS12 odd temperatures', utf8(`{${CORE},"temperature":-1,"top_p":1e400}`)],
    ['BS13 10,000 tools', utf8(`{${CORE},"tools":[${Array(10000).fill('{"type":"function","function":{"name":"f","parameters":{"$ref":"#"}}}').join(',')}]}`)],
    ['BS14 image URLs', utf8('{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}},'
        + '{"type":"image_url","image_url":{"url":"http://169.254.169.254/"}},{"type":"image_url","image_url":{"url":"http://127.0.0.1:6379/"}}]}]}')],
    ['BS15 a data URL of 8 MiB that is no base64', utf8(`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/x;base64,${'!'.repeat(8 << 20)}"}}]}]}`)],
    ['BS27 odd options', utf8(`{${CORE},"response_format":7,"logit_bias":[],"seed":"x","user":{}}`)],
];
for (const [name, body] of FORWARDED) {
    test(name, async () => {
        const cpu = bench.headgate.cpu();
        await bench.check({ send: bench.request({ body }), answers: [{ status: 200 }], after: 'keep', forward: 1, ms: 10000,
            also: (answers, [seen]) => assert.ok(seen.body.equals(body), 'byte for byte') });
        assert.ok(bench.headgate.cpu() - cpu < 2000, `${bench.headgate.cpu() - cpu} ms of CPU`);
    });
}

test('BJ17 a key with a NUL escape is judged, not cut', async () => {
    const app = await App.connect(bench.port);
    app.send(bench.request({ body: `{${CORE},"stream\\u0000":true,"model\\u0000x":"gpt-5"}` }));
    const answer = await app.answer();
    assert.ok([200, 400].includes(answer.status));
    if (answer.status === 200) {
        assert.match(header(answer, 'content-type'), /^application\/json/, 'it is not the member "stream"');
    }
    app.close();
});

test('BJ24 a body in 3,000 segments', async () => {
    const body = member(`"${'s'.repeat(60000)}"`);
    const whole = bench.request({ body });
    const pieces = Array.from({ length: Math.ceil(whole.length / 20) }, (_, i) => whole.subarray(i * 20, i * 20 + 20));
    await bench.check({ send: pieces, answers: [{ status: 200 }], after: 'keep', forward: 1, ms: 20000,
        also: (answers, [seen]) => assert.ok(seen.body.equals(body)) });
});

// ---- meaning (BS) ----

const without = (name) => JSON.stringify({ ...GOOD.chat.body, [name]: undefined });
const having = (more, operation = 'chat') => JSON.stringify({ ...GOOD[operation].body, ...more });
const withText = (name, text) => `{${CORE},"${name}":${text}}`;

const MODELS = [null, 1, [], {}, '', 'm'.repeat(257), 'a\rb', 'a\nb', 'a\0b', '/../', 'gpt-5/../../x'];
const MEANING = [
    ['BS01 model missing', without('model'), 'invalid_model', 'model'],
    ...MODELS.map((model) => [`BS01 model ${JSON.stringify(model).slice(0, 30)}`, having({ model }), 'invalid_model', 'model']),
    ['BS04 messages missing', without('messages'), 'invalid_messages', 'messages'],
    ...[[], 'x', {}, null, 7].map((messages) => [`BS04 messages ${JSON.stringify(messages)}`, having({ messages }), 'invalid_messages', 'messages']),
    ['BS04 100,001 messages', `{"model":"m","messages":[${'{},'.repeat(100000)}{}]}`, 'invalid_messages', 'messages'],
    ...['0', '-1', '1.5', '"10"', '1e3', '9223372036854775808', 'true', '[]'].flatMap((text) => [
        [`BS06 max_tokens ${text}`, withText('max_tokens', text), 'invalid_value', 'max_tokens'],
        [`BS06 max_completion_tokens ${text}`, withText('max_completion_tokens', text), 'invalid_value', 'max_completion_tokens']]),
    ...['0', '-1', '129', '1000000000', '"1"', '1.5'].map((text) => [`BS08 n ${text}`, withText('n', text), 'invalid_value', 'n']),
    ...['"true"', '1', '0', '[]', '{}'].map((text) => [`BS09 stream ${text}`, withText('stream', text), 'invalid_value', 'stream']),
    ['BS10 stream_options without stream', withText('stream_options', '{"include_usage":true}'), 'invalid_value', 'stream_options'],
];
for (const [name, body, code, param] of MEANING) {
    test(name, () => bench.check({ send: bench.request({ body }), answers: [{ status: 400, code }], after: 'keep', ms: 5000,
        also: ([answer]) => assert.equal(JSON.parse(answer.body).error.param, param) }));
}

test('BS01 BS06 BS09 on the other operations', async () => {
    const rows = [
        ['responses', { model: '' }], ['responses', { max_output_tokens: 0 }], ['responses', { stream: 'true' }],
        ['embeddings', { model: 7 }], ['messages', { model: undefined }], ['messages', { max_tokens: -1 }],
        ['messages', { stream: 1 }], ['messages', { messages: [] }],
    ];
    for (const [operation, more] of rows) {
        const dialect = operation === 'messages' ? 'anthropic' : 'openai';
        await bench.check({ send: bench.request({ target: GOOD[operation].target, body: having(more, operation) }),
            answers: [{ status: 400, dialect, type: 'invalid_request_error' }], after: 'keep' });
    }
});

test('BS02 an unknown model is a 404 where models are strict', async () => {
    const app = await App.connect(strict.port);
    app.send(strict.request(good('chat', { model: 'no-such"model' })));
    const answer = await app.answer();
    checkRefusal(answer, { status: 404, code: 'model_not_found' });
    const { error } = JSON.parse(answer.body);
    assert.ok(error.message.includes('no-such') && /^[\x20-\x7e]*$/.test(error.message), error.message);
    assert.equal(strict.upstream.requests.length, 0);
    app.send(strict.request(good('messages', { model: 'nope' })));
    const other = await app.answer();
    checkRefusal(other, { status: 404, dialect: 'anthropic', type: 'not_found_error' });
    app.close();
    strict.headgate.check();
});

test('BS11 include_usage: false is honoured towards the app only', async () => {
    await bench.check({ send: bench.request(good('chat', { stream: true, stream_options: { include_usage: false } })),
        answers: [{ status: 200 }], after: 'keep', forward: 1,
        also: ([answer], [seen]) => {
            assert.equal(seen.json().stream_options.include_usage, true);
            assert.ok(!answer.body.includes('"usage":{'));
        } });
});

test('BS20 other paths of a provider pass, unknown ones do not', async () => {
    for (const [method, target, body, headers] of [
        ['GET', '/v1/files', ''], ['GET', '/v1/files/file-1/content', ''], ['DELETE', '/v1/files/file-1', ''], ['GET', '/v1/batches?limit=2', ''],
        ['POST', '/v1/moderations', '{"input":"x"}'], ['POST', '/v1/images/generations', '{"prompt":"x"}'],
        ['POST', '/v1/audio/transcriptions', '--b\r\nnot json\r\n--b--\r\n', { 'Content-Type': 'multipart/form-data; boundary=b' }],
    ]) {
        await bench.check({ send: bench.request({ method, target, body, headers }), answers: [{ status: 200 }], after: 'keep', forward: 1,
            also: (answers, [seen]) => {
                assert.equal(`${seen.method} ${seen.target}`, `${method} ${target}`);
                assert.equal(seen.body.toString('latin1'), body);
            } });
    }
    await bench.check({ send: bench.request({ method: 'POST', target: '/v1/unknown', body: '{}' }),
        answers: [{ status: 404, code: 'not_found' }], after: 'keep' });
});

test('an unknown path guesses the mistake and lists what is served', async () => {
    for (const target of ['/chat/completion', '/v1', '/api/v1/chat/completions', '/completions/chat']) {
        await bench.check({ send: bench.request({ target, body: '{}' }), answers: [{ status: 404 }], after: 'keep',
            also: ([answer]) => assert.match(answer.body.toString(), /\/v1\/chat\/completions|\/v1/) });
    }
});

test('forgiving aliases: no /v1, a doubled one, a prefix', async () => {
    for (const target of ['/chat/completions', '/v1/v1/chat/completions', '/openai/v1/chat/completions', '/openai/chat/completions']) {
        await bench.check({ send: bench.request({ ...good(), target }), answers: [{ status: 200 }], after: 'keep', forward: 1,
            also: (answers, [seen]) => assert.equal(seen.target, '/v1/chat/completions') });
    }
    for (const target of ['/messages', '/v1/v1/messages', '/anthropic/v1/messages', '/anthropic/messages']) {
        await bench.check({ send: bench.request({ ...good('messages'), target }), answers: [{ status: 200 }], after: 'keep', forward: 1,
            also: (answers, [seen]) => assert.equal(seen.target, '/v1/messages') });
    }
});
