// SPDX-License-Identifier: Apache-2.0
// Byte exactness: every captured request goes through headgate and is compared at the provider,
// every captured answer comes back and is compared at the app, in many framings and splits.
import assert from 'node:assert/strict';
import test, { after, afterEach, before } from './lib/test.mjs';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, providersAt, requireBinary } from './lib/headgate.mjs';
import { ANSWERS, capturedRequests, good, healthy, operationOf, upstreamFile } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, raw, request } from './lib/wire.mjs';

requireBinary();

let upstream;
let headgate;
before(async () => {
    upstream = await Upstream.start();
    headgate = await Headgate.start({
        providers: {
            ...providersAt(upstream),
            through: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: 'passthrough',
                       forward_headers: ['x-lab', 'session-id'] },
            keyless: { kind: 'compatible', base_url: `${upstream.origin}/v1`, credential: 'none' },
            strict: { kind: 'compatible', base_url: `${upstream.origin}/api.mistral.ai/v1`, credential: 'none' },
        },
        routes: {
            renamed: { targets: [{ provider: 'openai', model: 'gpt-"5"\\x' }] },
            once: { targets: [{ provider: 'openai' }], retry: { attempts: 1 } },
        },
        tasks: { lab: 'once' },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
});
afterEach(async () => {
    headgate.check();
    upstream.check();
    await headgate.reset();
});

// ---- requests ----

const PASSES = /^(accept|content-type|user-agent|traceparent|tracestate|x-client-request-id|x-server-timeout|x-goog-api-client)$|^(anthropic-|openai-|x-stainless-)/;
const STAYS = /^(openai-organization|openai-project|anthropic-workspace-id)$/;
const OURS = /^(host|content-length|accept-encoding|connection)$/;

// The header rules of conventions.md 2, judged from what was sent and what was seen.
function checkHeaders(sent, seen, credential) {
    const wanted = sent.map(([name, value]) => [name.toLowerCase(), value])
        .filter(([name]) => PASSES.test(name) && !STAYS.test(name));
    const got = seen.headers.map(([name, value]) => [name.toLowerCase(), value]);
    for (const [name, value] of wanted) {
        assert.ok(got.some(([n, v]) => n === name && v === value), `${name}: ${value} arrives`);
    }
    const allowed = new Set([...wanted.map(([name]) => name), credential[0]]);
    for (const [name] of got) {
        assert.ok(allowed.has(name) || OURS.test(name), `${name} must not go to a provider`);
    }
    assert.equal(header(seen, credential[0]), credential[1]);
    assert.equal(header(seen, 'accept-encoding'), 'identity');
    assert.equal(header(seen, 'host'), `127.0.0.1:${upstream.port}`);
    assert.equal(got.filter(([name]) => name === 'content-length').length, seen.body.length > 0 ? 1 : 0);
}

// `seen` is `sent` with one span put in; gives that span.
function inserted(sent, seen) {
    let at = 0;
    while (at < sent.length && sent[at] === seen[at]) {
        at += 1;
    }
    const rest = sent.length - at;
    assert.ok(seen.subarray(seen.length - rest).equals(sent.subarray(at)),
        `one span was put in, nothing else: ${seen.toString('utf8').slice(0, 400)}`);
    return seen.subarray(at, seen.length - rest).toString('utf8');
}

function checkBody(one, seen) {
    const operation = operationOf(one.target);
    const wanted = one.body === null ? null : JSON.parse(one.body);
    const spliced = operation === 'chat' && wanted?.stream === true && !wanted.stream_options?.include_usage;
    if (!spliced) {
        assert.ok(seen.body.equals(one.body ?? Buffer.alloc(0)),
            `the body arrives as it left: ${seen.body.toString('utf8').slice(0, 400)}`);
        return;
    }
    inserted(one.body, seen.body);
    assert.deepEqual(seen.json(), { ...wanted, stream_options: { include_usage: true } });
}

const CREDENTIALS = {
    openai: ['authorization', `Bearer ${CANARY.provider}`],
    anthropic: ['x-api-key', CANARY.anthropic],
};
const dialectOf = (one) => (['messages', 'count'].includes(operationOf(one.target))
    || one.headers.some(([name]) => name.toLowerCase() === 'anthropic-version') ? 'anthropic' : 'openai');

// The path below the provider's base, however forgivingly it was written.
const canonical = (target) => `/v1${target.replace(/^(\/v1)*/, '')}`;

for (const one of capturedRequests()) {
    test(`request passes: ${one.client}: ${one.name}`, async () => {
        upstream.forget();
        upstream.play(healthy);
        const headers = one.headers.map(([name, value]) =>
            [name, name.toLowerCase() === 'host' ? `127.0.0.1:${headgate.port}` : value]);
        const lines = [`${one.method} ${one.target} HTTP/1.1`, ...headers.map(([n, v]) => `${n}: ${v}`)];
        const answer = await ask(headgate.port, raw(lines, one.body ?? ''));
        assert.equal(answer.status, 200, answer.body.toString('utf8'));
        assert.equal(upstream.requests.length, 1);
        const [seen] = upstream.requests;
        assert.equal(seen.method, one.method);
        assert.equal(seen.target, canonical(one.target));
        checkHeaders(headers, seen, CREDENTIALS[dialectOf(one)]);
        checkBody(one, seen);
    });
}

const sendGood = (operation, more, extra) => ask(headgate.port, good(operation, more, extra));

test('what must stay here stays here', async () => {
    upstream.forget();
    upstream.play(healthy);
    const headers = {
        Cookie: `session=${CANARY.header}`, 'X-Headgate-Task': 'lab', 'X-Headgate-Session': 's',
        'X-Headgate-Team': 't', 'Proxy-Authorization': 'Basic eDp5', Forwarded: 'for=10.0.0.1',
        'X-Forwarded-For': '10.0.0.1', 'X-Forwarded-Host': 'elsewhere.example', 'X-Real-IP': '10.0.0.1',
        Via: '1.1 elsewhere', TE: 'trailers', Upgrade: 'h2c', 'Keep-Alive': 'timeout=5', Trailer: 'x-t',
        'X-Api-Key': CANARY.app, 'Api-Key': CANARY.app, 'X-Goog-Api-Key': CANARY.app,
        'OpenAI-Organization': 'org-lab', 'OpenAI-Project': 'proj_lab', 'Anthropic-Workspace-Id': 'w',
        'OpenAI-Beta': 'assistants=v2', Traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        'X-Original-Url': '/admin', 'X-HTTP-Method-Override': 'DELETE', Range: 'bytes=0-1',
        'X-Unknown': 'x', Origin: 'http://localhost', Referer: 'http://localhost/',
    };
    const answer = await sendGood('chat', {}, { headers });
    assert.equal(answer.status, 200);
    checkHeaders([...Object.entries(headers), ['content-type', 'application/json']], upstream.requests[0], CREDENTIALS.openai);
    assert.equal(header(upstream.requests[0], 'openai-beta'), 'assistants=v2');
});

test('passthrough sends the app\'s own credential, organisation and listed headers', async () => {
    upstream.forget();
    const answer = await sendGood('chat', { model: 'through/gpt-4o-mini' },
        { headers: { 'OpenAI-Organization': 'org-lab', 'X-Lab': '1', 'X-Other': '2' } });
    assert.equal(answer.status, 200);
    const [seen] = upstream.requests;
    assert.equal(header(seen, 'authorization'), `Bearer ${CANARY.app}`);
    assert.equal(header(seen, 'openai-organization'), 'org-lab');
    assert.equal(header(seen, 'x-lab'), '1');
    assert.equal(header(seen, 'x-other'), undefined);
});

test('a provider without a credential gets none', async () => {
    upstream.forget();
    assert.equal((await sendGood('chat', { model: 'keyless/qwen3' })).status, 200);
    assert.equal(header(upstream.requests[0], 'authorization'), undefined);
});

test('only the model name changes when a route or provider/model renames it', async () => {
    const odd = `{ "nn" : 1.0,"model"\t: "NAME" , "messages":[{"role":"user","content":"\\u00e9 \u00e9 ${'\u{1F600}'}"}],\r\n`
        + '"zz": [1e2, -0, 9007199254740993, 0.1, 1E+400, "\\ud800"], "x y":{"model":"inner"} }\n';
    for (const [sent, arrives] of [['renamed', '"gpt-\\"5\\"\\\\x"'], ['openai/gpt-4o', '"gpt-4o"']]) {
        upstream.forget();
        upstream.play(healthy);
        const answer = await ask(headgate.port, { ...good(), body: odd.replace('NAME', sent) });
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(upstream.requests[0].body.toString('utf8'), odd.replace('"NAME"', arrives));
    }
});

test('stream_options the app wrote are kept and completed', async () => {
    const cases = [
        ['{"model":"m","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{}}',
            { include_usage: true }],
        ['{"model":"m","stream":true,"stream_options":{"include_usage":false,"z":1.0},"messages":[{"role":"user","content":"x"}]}',
            { include_usage: true, z: 1 }],
        ['{"stream_options":{"z":{"include_usage":3}},"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}',
            { include_usage: true, z: { include_usage: 3 } }],
        ['{"stream_options":null,"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}',
            { include_usage: true }],
    ];
    for (const [body, options] of cases) {
        upstream.forget();
        upstream.play(healthy);
        const answer = await ask(headgate.port, { ...good(), body });
        assert.equal(answer.status, 200, answer.body.toString());
        assert.deepEqual(upstream.requests[0].json(), { ...JSON.parse(body), stream_options: options });
        assert.ok(!answer.body.includes('"usage":{'), 'the usage chunk is hidden');
    }
});

test('a provider that refuses stream_options gets none that the app did not write', async () => {
    upstream.forget();
    upstream.play(healthy);
    const answer = await ask(headgate.port, good('chat', { model: 'strict/m', stream: true }));
    assert.equal(answer.status, 200, answer.body.toString());
    assert.deepEqual(upstream.requests[0].json(), { ...JSON.parse(good('chat', { model: 'm', stream: true }).body) });
});

test('a chunked request body arrives with a length and the same bytes', async () => {
    upstream.forget();
    upstream.play(healthy);
    const body = good().body;
    const head = ['POST /v1/chat/completions HTTP/1.1', `Host: 127.0.0.1:${headgate.port}`,
        'Content-Type: application/json', 'Transfer-Encoding: chunked'];
    const pieces = [...body].map((letter) => `1;x=y\r\n${letter}\r\n`).slice(0, 800);
    const rest = body.slice(pieces.length);
    const tail = rest === '' ? '' : `${rest.length.toString(16)}\r\n${rest}\r\n`;
    const answer = await ask(headgate.port, raw(head, pieces.join('') + tail + '0\r\nX-Trailer: 1\r\n\r\n'));
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal(upstream.requests[0].body.toString(), body);
    assert.equal(header(upstream.requests[0], 'transfer-encoding'), undefined);
});

// ---- answers ----

// The answer in the bytes the app must get.
const hideUsage = (text) => text.replace(/data: \{[^\n]*"choices":\[\],"usage":\{[^\n]*\n\n/, '');

// [file, operation, what the app adds to its body, status, what must arrive]
const same = (text) => text;
const ANSWER_ROWS = [
    [ANSWERS.chat.whole, 'chat', {}, 200, same],
    [ANSWERS.responses.whole, 'responses', {}, 200, same],
    [ANSWERS.messages.whole, 'messages', {}, 200, same],
    [ANSWERS.chat.stream, 'chat', { stream: true }, 200, same],
    [ANSWERS.chat.stream, 'chat', { stream: true, stream_options: { include_usage: true } }, 200, same],
    [ANSWERS.chat.usage, 'chat', { stream: true }, 200, hideUsage],
    [ANSWERS.chat.usage, 'chat', { stream: true, stream_options: { include_usage: true } }, 200, same],
    [ANSWERS.chat.usage, 'chat', { stream: true, stream_options: { include_usage: false } }, 200, hideUsage],
    [ANSWERS.responses.stream, 'responses', { stream: true }, 200, same],
    [ANSWERS.messages.stream, 'messages', { stream: true }, 200, same],
    ['openai-chat-error-in-stream.sse', 'chat', { stream: true }, 200, same],
    ['openai-responses-failed.sse', 'responses', { stream: true }, 200, same],
    ['anthropic-error-in-stream.sse', 'messages', { stream: true }, 200, same],
    ['error-openai-429.json', 'chat', { model: 'once' }, 429, same],
    ['error-openai-429.json', 'chat', { model: 'once', stream: true }, 429, same],
    ['error-openai-quota-429.json', 'chat', { model: 'through/gpt-4o-mini' }, 429, same],
];

// Headers of the answer that must not reach the app, and one that must.
const ODD_HEADERS = {
    'Set-Cookie': 'a=b', 'Alt-Svc': 'h3=":443"', 'X-Powered-By': 'lab', Server: 'lab',
    'Access-Control-Allow-Origin': '*', 'openai-processing-ms': '12', 'x-ratelimit-limit-requests': '60',
    'x-request-id': 'req_lab1', 'request-id': 'req_lab1',
};
const GONE = ['set-cookie', 'alt-svc', 'x-powered-by', 'access-control-allow-origin'];

function checkAnswerHeaders(answer, operation) {
    for (const name of GONE) {
        assert.equal(header(answer, name), undefined, `${name} stays with the provider`);
    }
    assert.match(header(answer, 'x-request-id'), /^[A-Za-z0-9._-]{1,128}$/);
    assert.match(header(answer, 'x-headgate-call-id'), /^[A-Za-z0-9._-]{1,128}$/);
    assert.equal(header(answer, 'x-headgate-attempts'), '1');
    assert.equal(header(answer, 'x-headgate-upstream-request-id'), 'req_lab1');
    assert.equal(header(answer, 'openai-processing-ms'), '12');
    assert.equal(header(answer, 'x-ratelimit-limit-requests'), '60');
    if (operation === 'messages') {
        assert.equal(header(answer, 'request-id'), header(answer, 'x-request-id'));
    }
}

// Ways to bring the same bytes: framing and piece size (0: in one write).
const WAYS = [
    ['length', 0], ['length', 1], ['length', 33], ['chunked', 0], ['chunked', 1], ['chunked', 7],
    ['chunked', 100], ['close', 0], ['close', 13],
];

for (const [file, operation, more, status, arrives] of ANSWER_ROWS) {
    const body = upstreamFile(file);
    const isStream = file.endsWith('.sse');
    // A whole answer that ends by close cannot be told from a cut one, so it is not among the ways.
    const ways = WAYS.filter(([framing]) => isStream || framing !== 'close');
    test(`answer passes: ${file} for ${JSON.stringify(more)}`, async () => {
        for (const [framing, size] of ways) {
            await headgate.reset();
            upstream.play((exchange) => exchange.answer({
                status, body, framing, size,
                headers: { 'Content-Type': isStream ? 'text/event-stream; charset=utf-8' : 'application/json',
                           ...ODD_HEADERS },
            }));
            const answer = await sendGood(operation, more);
            const where = `${framing} ${size}`;
            assert.equal(answer.status, status, where);
            assert.equal(answer.body.toString('utf8'), arrives(body.toString('utf8')), where);
            assert.match(header(answer, 'content-type'),
                isStream ? /^text\/event-stream/ : /^application\/json/, where);
            checkAnswerHeaders(answer, operation);
        }
    });
}

test('an error page of an edge becomes an error of the dialect', async () => {
    for (const operation of ['chat', 'messages']) {
        upstream.play((exchange) => exchange.answer({ status: 502, reason: 'Bad Gateway',
            headers: { 'Content-Type': 'text/html' }, body: upstreamFile('error-502.html') }));
        const answer = await sendGood(operation);
        assert.equal(answer.status, 502);
        const error = JSON.parse(answer.body).error;
        assert.match(error.message, /^headgate: /);
        if (operation === 'chat') {
            assert.equal(error.code, 'upstream_error');
        }
    }
});

test('an overload and a used-up quota are told by their true status', async () => {
    upstream.play((exchange) => exchange.answer({ status: 529, reason: 'Overloaded',
        body: upstreamFile('error-anthropic-529.json') }));
    const overloaded = await sendGood('messages');
    assert.equal(overloaded.status, 529);
    assert.equal(JSON.parse(overloaded.body).error.type, 'overloaded_error');
    upstream.play((exchange) => exchange.answer({ status: 429, reason: 'Too Many Requests',
        body: upstreamFile('error-openai-quota-429.json') }));
    const quota = await sendGood('chat');
    assert.equal(quota.status, 503);
    assert.equal(JSON.parse(quota.body).error.code, 'upstream_quota');
});

test('paths that are only passed through: a coded body keeps its coding, Not Modified is an answer', async () => {
    upstream.play((exchange) => exchange.json({ ok: true }));
    const coded = Buffer.from('1f8b0800000000000003ab56ca5254b2520200a6c4f2ab0a000000', 'hex');
    const kept = await ask(headgate.port, { target: '/v1/files', headers: { 'Content-Encoding': 'gzip' }, body: coded });
    assert.equal(kept.status, 200, kept.body.toString());
    assert.equal(header(upstream.requests.at(-1), 'content-encoding'), 'gzip');
    assert.ok(upstream.requests.at(-1).body.equals(coded));
    upstream.play((exchange) => exchange.send('HTTP/1.1 304 Not Modified\r\n\r\n'));
    const same = await ask(headgate.port, { method: 'GET', target: '/v1/files/file-1' });
    assert.equal(same.status, 304);
    assert.equal(same.body.length, 0);
    upstream.check();
});

test('a long stream passes in time: each event arrives before the next is sent', async () => {
    const events = Array.from({ length: 20 }, (_, i) =>
        `data: {"choices":[{"index":0,"delta":{"content":"part ${i}"},"finish_reason":null}]}\n\n`);
    const app = await App.connect(headgate.port);
    upstream.play(async (exchange) => {
        await exchange.streamHead();
        for (const [i, event] of events.entries()) {
            await exchange.event(event);
            await app.text(`part ${i}`, 2000);
        }
        await exchange.event('data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
        await exchange.streamEnd();
    });
    app.send(request(good('chat', { stream: true })));
    const answer = await app.answer(20000);
    assert.ok(answer.body.toString().startsWith(events.join('')));
    app.close();
    upstream.check();
});

test('the log tells usage, times and sizes of a call, and nothing of its content', async () => {
    upstream.play(healthy);
    for (const [operation, more, figures] of [
        ['chat', {}, [9, 5]], ['chat', { stream: true }, [9, 4]],
        ['responses', { stream: true }, null], ['messages', {}, [9, 5]], ['messages', { stream: true }, null],
    ]) {
        const answer = await sendGood(operation, more);
        assert.equal(answer.status, 200);
        const line = await headgate.callLine(answer);
        assert.equal(line.status, 200);
        assert.equal(line.dialect, operation === 'messages' ? 'anthropic' : 'openai');
        assert.ok(line.in_tokens > 0 && line.out_tokens > 0, JSON.stringify(line));
        if (figures) {
            assert.deepEqual([line.in_tokens, line.out_tokens], figures, JSON.stringify(line));
        }
        assert.ok(typeof line.dur_s === 'number' && typeof line.ttfb_s === 'number', JSON.stringify(line));
        assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.ok(line.target.includes('/'), JSON.stringify(line));
    }
});
