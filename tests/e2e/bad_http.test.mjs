// SPDX-License-Identifier: Apache-2.0
// Hostile requests as bytes on raw sockets: request line, header fields, framing (bad-input.md,
// rows BL, BH, BF). Each row names its catalogue id.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { after, before } from './lib/test.mjs';
import { App } from './lib/app.mjs';
import { CANARY, requireBinary } from './lib/headgate.mjs';
import { Bench } from './lib/rows.mjs';
import { GOOD, good } from './lib/samples.mjs';
import { LAST_CHUNK, MessageReader, bytes, chunk, header, raw, request, until } from './lib/wire.mjs';

requireBinary();

let bench;
before(async () => { bench = await Bench.start(); });
after(() => bench?.stop());

const BODY = JSON.stringify(GOOD.chat.body);
const HOST = '127.0.0.1';
const POST = 'POST /v1/chat/completions HTTP/1.1';
const JSON_TYPE = 'Content-Type: application/json';
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNKED = 'Transfer-Encoding: chunked';

// Shapes of expectations.
const refused = (status, code, more = {}) => ({ answers: [{ status, code, ...more }], after: 'close' });
const kept = (status, code, more = {}) => ({ answers: [{ status, code, ...more }], after: 'keep' });
const SERVED = { answers: [{ status: 200 }], after: 'keep', forward: 1 };

// Shapes of requests.
const get = (target, lines = []) => raw([`GET ${target} HTTP/1.1`, `Host: ${HOST}`, ...lines]);
const post = (lines, body = BODY) => raw([POST, `Host: ${HOST}`, JSON_TYPE, ...lines], body);
const plain = (lines) => post([LENGTH, ...lines]);
const chunked = (body, lines = [CHUNKED]) => post(lines, body);
const startLine = (line) => raw([line, `Host: ${HOST}`]);

// A reproducible run of bytes.
function noise(count) {
    let state = 0x2545f491;
    return Buffer.from(Array.from({ length: count }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 24;
    }));
}

const CLIENT_HELLO = Buffer.from('16030100c8010000c40303' + '5a'.repeat(200), 'hex');

const not = (name) => (answers, seen) => {
    assert.equal(header(seen[0], name), undefined, `${name} must not reach the provider`);
};

const REQUEST_LINE = [
    ['BL01', 'an empty connection', { send: '', half: true, after: 'close' }],
    ['BL02', 'one empty line first', { send: Buffer.concat([bytes('\r\n'), plain([])]), ...SERVED }],
    ['BL03', '10,000 empty lines first', { send: '\r\n'.repeat(10000) + 'GET / HTTP/1.1\r\n\r\n',
                                           ...refused(400, 'bad_request_line') }],
    ['BL04', 'a TLS hello', { send: CLIENT_HELLO, ...refused(400) }],
    ['BL05', 'an HTTP/2 preface', { send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', ...refused(505) }],
    ['BL06', 'random bytes', { send: noise(4096), ...refused(400) }],
    ['BL07', 'no version', { send: 'GET /v1/models\r\n\r\n', ...refused(400) }],
    ...['HTTP/1.32', 'HTTP/01.1', 'HTTP/1.1 ', 'http/1.1', 'HTTP/1.', 'HTTP/1,1', 'HTP/1.1', 'HTTP/1.1x', 'HTTP 1.1'].map((version) =>
        ['BL08', `version ${JSON.stringify(version)}`, { send: startLine(`GET /v1/models ${version}`), ...refused(400) }]),
    ...['HTTP/2.0', 'HTTP/3.0', 'HTTP/9.9'].map((version) =>
        ['BL09', `version ${version}`, { send: startLine(`GET /v1/models ${version}`), ...refused(505, 'http_version_unsupported') }]),
    ['BL10', 'a huge version', { send: startLine('GET /v1/models HTTP/4294967297.1'), ...refused(400) }],
    ['BL11', 'HTTP/1.0', { send: request({ ...good(), version: 'HTTP/1.0' }), answers: [{ status: 200 }], after: 'close', forward: 1 }],
    ...['G=T', 'GE(T', '', '\0GET', 'GE\x7fT', 'G\u00cbT'].map((method) =>
        ['BL12', `method ${JSON.stringify(method)}`, { send: startLine(`${method} /v1/models HTTP/1.1`), ...refused(400) }]),
    ...['FOO', 'PUT', 'DELETE', 'GET', 'post'].map((method) =>
        ['BL13', `method ${method} on a POST path`, { send: startLine(`${method} /v1/chat/completions HTTP/1.1`),
            ...kept(405, 'method_not_allowed', { type: 'invalid_request_error' }),
            also: ([answer]) => assert.match(header(answer, 'allow') ?? '', /POST/) }]),
    ['BL14', 'TRACE', { send: startLine('TRACE /v1/models HTTP/1.1'), ...refused(405) }],
    ['BL14', 'CONNECT', { send: startLine('CONNECT host:443 HTTP/1.1'), ...refused(405) }],
    ['BL15', 'a method of 10,000 letters', { send: startLine(`${'A'.repeat(10000)} / HTTP/1.1`), ...refused(400) }],
    ...['GET  /v1/models HTTP/1.1', 'GET /v1/models  HTTP/1.1', 'GET\t/v1/models HTTP/1.1', 'GET\n/v1/models HTTP/1.1',
        'GET /v1/models\tHTTP/1.1', ' GET /v1/models HTTP/1.1'].map((line) =>
        ['BL16', `separators ${JSON.stringify(line)}`, { send: startLine(line), ...refused(400) }]),
    ['BL17', 'a space in the target', { send: startLine('GET /v1/mo dels HTTP/1.1'), ...refused(400) }],
    ...['/v1/models#x', '/v1/"models"', '/v1/<models>', '/v1/mod\u00e9ls', '/v1/mod\x01els', '/v1/mod\x7fels', '/v1/m\\odels'].map((target) =>
        ['BL17', `target ${JSON.stringify(target)}`, { send: startLine(`GET ${target} HTTP/1.1`), ...refused(400, 'bad_target') }]),
    ['BL18', 'a target of 4,097 bytes', { send: startLine(`GET /${'a'.repeat(4096)} HTTP/1.1`), ...refused(414, 'target_too_long') }],
    ['BL18', 'a target of 4,096 bytes', { send: startLine(`GET /${'a'.repeat(4095)} HTTP/1.1`), ...kept(404) }],
    ['BL19', 'an endless request line', { send: 'A'.repeat(9000), ...refused(400, 'bad_request_line') }],
    ['BL19', 'an endless target', { send: `GET /${'a'.repeat(9000)}`, ...refused([400, 414]) }],
    ['BL20', 'absolute form with our host', { send: request({ ...good(), target: `http://${HOST}/v1/chat/completions`, host: HOST }), ...SERVED }],
    ['BL21', 'absolute form with another host', { send: request({ ...good(), target: 'http://localhost/v1/chat/completions', host: HOST }), ...refused(400, 'host_mismatch') }],
    ['BL22', '* with POST', { send: startLine('POST * HTTP/1.1'), ...refused(400) }],
    ['BL22', 'authority form with POST', { send: startLine('POST localhost:443 HTTP/1.1'), ...refused(400) }],
    ...['//v1/models', '/v1//models', '/v1/./models', '/v1/../admin/keys', '/v1/chat/completions/../models'].map((target) =>
        ['BL23', `path ${target}`, { send: get(target), ...kept(404, 'not_found') }]),
    ...['/v1/%2e%2e/admin', '/v1/chat%2fcompletions', '/%76%31/models'].map((target) =>
        ['BL24', `path ${target}`, { send: get(target), ...kept(404, 'not_found') }]),
    ...['/v1/models%zz', '/v1/models%0', '/v1/models%00', '/v1/models?x=%', '/v1/models?x=%g0'].map((target) =>
        ['BL25', `target ${target}`, { send: get(target), ...refused(400, 'bad_target') }]),
    ...['/v1/models;admin', '/v1/models/', '/V1/MODELS', '/v1/Models', '/', '/v2/models', '/admin/v1/status', '/metrics'].map((target) =>
        ['BL26', `path ${target}`, { send: get(target), ...kept(404, 'not_found'),
            also: ([answer]) => assert.ok(answer.body.includes(target.replace('/', '')), 'a 404 names the path') }]),
    ['BL27', 'a credential in the query, its name encoded', { send: request({ ...good(), target: `/v1/chat/completions?a=1&%6bey=${CANARY.app}` }), ...SERVED,
        also: (answers, [seen]) => assert.match(seen.target, /completions\?a=1$/) }],
    ['BH17', 'a name in the second Connection field', { send: plain(['Connection: keep-alive', 'Connection: x-stainless-foo', 'X-Stainless-Foo: b']), ...SERVED, also: not('x-stainless-foo') }],
    ['BL27', 'a credential in the query', { send: request({ ...good(), target: `/v1/chat/completions?a=1&key=${CANARY.app}&b=2` }), ...SERVED,
        also: (answers, [seen]) => {
            assert.ok(!seen.target.includes('key='), seen.target);
            assert.match(seen.target, /a=1&b=2$/);
        } }],
    ['BL28', 'unknown query parameters', { send: request({ ...good(), target: '/v1/chat/completions?foo=b%20r&beta=true&&x' }), ...SERVED,
        also: (answers, [seen]) => assert.equal(seen.target, '/v1/chat/completions?foo=b%20r&beta=true&&x') }],
    ['BL29', 'bare LF line ends', { send: request({ ...good(), lineEnd: '\n' }), ...refused(400) }],
    ['BL29', 'one bare LF', { send: `GET /v1/models HTTP/1.1\r\nHost: ${HOST}\nX-A: b\r\n\r\n`, ...refused(400) }],
    ['BL30', 'a bare CR in the request line', { send: `GET /v1/models HTTP/1.1\rHost: ${HOST}\r\n\r\n`, ...refused(400) }],
    ['BL30', 'a bare CR in a value', { send: get('/v1/models', ['X-A: b\rX-B: c']), ...refused(400) }],
];

const manyLines = (count) => Array.from({ length: count }, (_, i) => `X-N${i}: v`);

const HEADERS = [
    ['BH01', 'no Host', { send: raw(['GET /v1/models HTTP/1.1']), ...refused(400, 'bad_host') }],
    ['BH02', 'two equal Hosts', { send: get('/v1/models', [`Host: ${HOST}`]), ...refused(400, 'bad_host') }],
    ['BH02', 'two Hosts', { send: get('/v1/models', ['Host: localhost']), ...refused(400, 'bad_host') }],
    ...['a/b', 'a?b', 'a#b', 'user@host', 'a b', 'a,b', '', '[::1', '127.0.0.1:x', 'a\\b'].map((host) =>
        ['BH03', `Host ${JSON.stringify(host)}`, { send: raw(['GET /v1/models HTTP/1.1', `Host: ${host}`]), ...refused(400, 'bad_host') }]),
    ...['evil.example', 'evil.example:8402', 'localhost.evil.example', '127.0.0.1.evil.example', 'xlocalhost'].map((host) =>
        ['BH04', `Host ${host}`, { send: raw(['GET /v1/models HTTP/1.1', `Host: ${host}`]), ...refused(421, 'host_not_served') }]),
    ...['127.0.0.1:1', 'localhost', 'LOCALHOST:80', '[::1]:8402', '10.1.2.3'].map((host) =>
        ['BH04', `Host ${host} is served`, { send: request({ ...good(), host }), ...SERVED }]),
    ...['X-A : b', 'X-A\t: b', 'Host : x'].map((line) =>
        ['BH05', JSON.stringify(line), { send: get('/v1/models', [line]), ...refused(400) }]),
    ['BH06', 'folding on the first line', { send: raw(['GET /v1/models HTTP/1.1', ' X-A: b', `Host: ${HOST}`]), ...refused(400) }],
    ['BH06', 'folding later', { send: get('/v1/models', ['X-A: b', '\tc']), ...refused(400) }],
    ['BH07', 'a line without a colon', { send: get('/v1/models', ['X-A']), ...refused(400) }],
    ['BH08', 'an empty name', { send: get('/v1/models', [': b']), ...refused(400) }],
    ...['(', '"', '/', '{', ' ', '\u00e9', '\x01', '\0', '@', ',', ';', '=', '?', '[', '\\', '\x7f'].map((odd) =>
        ['BH09', `a name with ${JSON.stringify(odd)}`, { send: get('/v1/models', [`X${odd}A: b`]), ...refused(400) }]),
    ...['\0', '\x01', '\x0b', '\x1f', '\x7f'].map((odd) =>
        ['BH10', `a value with ${JSON.stringify(odd)}`, { send: get('/v1/models', [`X-A: b${odd}c`]), ...refused(400) }]),
    ['BH10', 'a value with a tab', { send: plain(['X-A: b\tc']), ...SERVED }],
    ['BH11', 'a value beyond ASCII', { send: plain(['X-Stainless-Os: caf\u00e9', 'X-Stainless-Lang: js']), ...SERVED,
        also: (answers, [seen]) => {
            assert.equal(header(seen, 'x-stainless-os'), undefined);
            assert.equal(header(seen, 'x-stainless-lang'), 'js');
        } }],
    ['BH12', '101 lines', { send: get('/v1/models', manyLines(100)), ...refused(431, 'header_too_large') }],
    ['BH12', '100 lines', { send: plain(manyLines(97)), ...SERVED }],
    ['BH13', 'a line of 16 KiB + 1', { send: get('/v1/models', [`X-A: ${'b'.repeat(16384 + 1 - 5)}`]), ...refused(431) }],
    ['BH13', 'a line of 16,000 bytes', { send: plain([`X-A: ${'b'.repeat(16000 - 5)}`]), ...SERVED }],
    ['BH14', 'a head of 32 KiB + 1', { send: get('/v1/models', Array.from({ length: 4 }, (_, i) => `X-${i}: ${'b'.repeat(8200)}`)), ...refused(431) }],
    ['BH15', 'a name of 8 KiB', { send: get('/v1/models', [`${'X'.repeat(8192)}: b`]), ...refused(431) }],
    ['BH16', 'Authorization nominated', { send: plain(['Connection: close, Authorization', `Authorization: Bearer ${CANARY.app}`]),
        answers: [{ status: 200 }], after: 'close', forward: 1,
        also: (answers, [seen]) => assert.equal(header(seen, 'authorization'), `Bearer ${CANARY.provider}`) }],
    ['BH17', 'x-foo nominated', { send: plain(['Connection: keep-alive, x-foo', 'X-Foo: b']), ...SERVED, also: not('x-foo') }],
    ['BH17', 'a header of the list nominated', { send: plain(['Connection: keep-alive, x-stainless-foo', 'X-Stainless-Foo: b']), ...SERVED, also: not('x-stainless-foo') }],
    ['BH18', 'Transfer-Encoding nominated', { send: chunked(Buffer.concat([chunk(BODY), LAST_CHUNK]), ['Connection: keep-alive, transfer-encoding', CHUNKED]), ...refused(400) }],
    ...['h2c', 'TLS/1.0', 'websocket'].map((protocol) =>
        ['BH19', `Upgrade: ${protocol} on a POST`, { send: plain(['Connection: upgrade', `Upgrade: ${protocol}`]), ...SERVED, also: not('upgrade') }]),
    ...['/v1/responses', '/v1/realtime', '/v1/realtime?model=x'].map((target) =>
        ['BH19', `WebSocket on ${target}`, { send: get(target, ['Connection: upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']),
            ...kept(501, 'websocket_unsupported') }]),
    ['BH21', 'Expect: 200-ok', { send: plain(['Expect: 200-ok']), ...refused(417) }],
    ['BH23', 'no Content-Type', { send: raw([POST, `Host: ${HOST}`, LENGTH], BODY), ...kept(415, 'unsupported_media_type') }],
    ...['text/plain', 'application/xml', 'application/jsonx', 'json', '', 'multipart/form-data; boundary=x'].map((type) =>
        ['BH23', `Content-Type ${type}`, { send: raw([POST, `Host: ${HOST}`, LENGTH, `Content-Type: ${type}`], BODY), ...kept(415, 'unsupported_media_type') }]),
    ...['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;charset="UTF-8"'].map((type) =>
        ['BH23', `Content-Type ${type} is served`, { send: raw([POST, `Host: ${HOST}`, LENGTH, `Content-Type: ${type}`], BODY), ...SERVED }]),
    ['BH24', 'UTF-16', { send: raw([POST, `Host: ${HOST}`, LENGTH, 'Content-Type: application/json; charset=utf-16'], BODY), answers: [{ status: 415 }] }],
    ['BH25', 'two Content-Types', { send: plain(['Content-Type: text/plain']), answers: [{ status: 400 }] }],
    ['BH26', 'gzip', { send: plain(['Content-Encoding: gzip']), answers: [{ status: 415, code: 'unsupported_encoding' }] }],
    ['BH27', 'gzip, body still coming', { send: post(['Content-Encoding: gzip', 'Content-Length: 1048576'], 'x'.repeat(1000)), ...refused(415, 'unsupported_encoding') }],
    ['BH28', 'Accept-Encoding: gzip;q=nan', { send: plain(['Accept-Encoding: gzip;q=nan']), ...SERVED,
        also: (answers, [seen]) => assert.equal(header(seen, 'accept-encoding'), 'identity') }],
    ['BH29', 'X-Forwarded-For of 200 hops', { send: plain([`X-Forwarded-For: ${Array(200).fill('10.0.0.1').join(', ')}, garbage;;`]), ...SERVED, also: not('x-forwarded-for') }],
    ['BH30', 'X-HTTP-Method-Override', { send: plain(['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /admin']), ...SERVED, also: not('x-original-url') }],
    ['BH31', 'x-headgate-* that nobody reads', { send: plain(['X-Headgate-Team: growth', 'X-Headgate-Call-Id: mine']), ...SERVED,
        also: ([answer], [seen]) => {
            assert.notEqual(header(answer, 'x-headgate-call-id'), 'mine');
            assert.ok(!seen.headers.some(([name]) => /^x-headgate/i.test(name)));
        } }],
    ['BH32', 'an underscore twin', { send: plain(['x_request_id: mine', 'x_stainless_lang: js']), ...SERVED,
        also: ([answer], [seen]) => {
            assert.notEqual(header(answer, 'x-request-id'), 'mine');
            assert.equal(header(seen, 'x_stainless_lang'), undefined);
        } }],
    ...['a'.repeat(10240), 'a'.repeat(129), 'b%0d%0aX-Evil: 1', 'a b', '', '\u00e9', '<x>'].map((id) =>
        ['BH33', `request id ${JSON.stringify(id.slice(0, 20))}`, { send: plain([`X-Request-Id: ${id}`]), ...SERVED,
            also: ([answer]) => {
                assert.notEqual(header(answer, 'x-request-id'), id);
                assert.match(header(answer, 'x-request-id'), /^[A-Za-z0-9._-]{1,128}$/);
            } }]),
    ['BH33', 'a good request id', { send: plain(['X-Request-Id: My.id_1-x']), ...SERVED,
        also: ([answer]) => assert.equal(header(answer, 'x-request-id'), 'My.id_1-x') }],
    ['BH34', 'credentials of every kind', { send: request({ ...good('messages'), headers: { 'X-Api-Key': CANARY.app, 'Api-Key': CANARY.app, 'X-Goog-Api-Key': CANARY.app,
        'Anthropic-Version': '2023-06-01', 'Anthropic-Beta': 'unknown-beta-1,other-2' } }), ...SERVED,
        also: (answers, [seen]) => {
            assert.equal(header(seen, 'x-api-key'), CANARY.anthropic);
            assert.ok(!Buffer.concat([seen.head]).includes(CANARY.app));
            assert.equal(header(seen, 'anthropic-beta'), 'unknown-beta-1,other-2');
            assert.equal(header(seen, 'anthropic-version'), '2023-06-01');
        } }],
    ['BH35', 'Range, If-None-Match, TE', { send: plain(['Range: bytes=0-1', 'If-None-Match: "x"', 'TE: trailers']), ...SERVED, also: not('range') }],
    ['BH36', 'an injection in the query', { send: request({ ...good(), target: '/v1/chat/completions?x=b%0d%0aX-Evil:%201' }), ...SERVED,
        also: ([answer]) => assert.equal(header(answer, 'x-evil'), undefined) }],
    ['BH36', 'an injection in an unknown path', { send: get('/v1/x%0d%0aX-Evil:%201'), ...kept(404, 'not_found'),
        also: ([answer]) => assert.ok(!answer.head.includes('Evil')) }],
];

const good200 = Buffer.concat([chunk(BODY), LAST_CHUNK]);
const chunkRow = (id, name, body, more = refused(400, 'bad_framing')) => [id, name, { send: chunked(body), ...more }];
const firstChunk = (sizeLine, data = BODY) => Buffer.concat([bytes(`${sizeLine}\r\n`), bytes(data), bytes('\r\n'), LAST_CHUNK]);
const hexLength = BODY.length.toString(16);

const FRAMING = [
    ['BF01', 'CL and TE', { send: chunked(good200, [LENGTH, CHUNKED]), ...refused(400, 'bad_framing') }],
    ['BF02', 'two equal CLs', { send: post([LENGTH, LENGTH]), ...refused(400, 'bad_framing') }],
    ['BF03', 'two CLs', { send: post([LENGTH, 'Content-Length: 3']), ...refused(400, 'bad_framing') }],
    ['BF04', 'a list of CLs', { send: post(['Content-Length: 3, 3']), ...refused(400, 'bad_framing') }],
    ...['+3', '-1', '0x3', '3 x', '1_0', '3.0', '\u0663', '', '03e1', '3;', '3 3'].map((length) =>
        ['BF05', `CL ${JSON.stringify(length)}`, { send: post([`Content-Length: ${length}`]), ...refused(400, 'bad_framing') }]),
    ...['18446744073709551619', '9'.repeat(40), '9223372036854775808'].map((length) =>
        ['BF06', `CL ${length}`, { send: post([`Content-Length: ${length}`]), ...refused(length.length === 19 ? [400, 413] : 400) }]),
    ['BF07', 'CL over the limit', { send: post(['Content-Length: 33554433'], ''), ...refused(413, 'body_too_large') }],
    ['BF09', 'two requests in one write', { send: Buffer.concat([plain([]), plain([])]), answers: [{ status: 200 }, { status: 200 }], after: 'keep', forward: 2 }],
    ['BF09', 'a body that ends early and is followed by junk', { send: post(['Content-Length: 5'], '{"a":GARBAGE\r\n\r\n'),
        answers: [{ status: 400, code: 'invalid_json' }, { status: 400, code: 'bad_request_line' }], after: 'close' }],
    ['BF10', 'GET with a body', { send: raw(['GET /v1/models HTTP/1.1', `Host: ${HOST}`, 'Content-Length: 5'], 'hello'), answers: [{ status: 200 }], after: 'keep', forward: null,
        also: (answers, seen) => assert.ok(seen.filter((one) => one.method === 'GET').every((one) => one.body.length === 0)) }],
    ['BF10', 'GET with too much body', { send: raw(['GET /v1/models HTTP/1.1', `Host: ${HOST}`, 'Content-Length: 65537'], 'x'.repeat(65537)), ...refused(413) }],
    ['BF11', 'TE gzip, chunked', { send: chunked(good200, ['Transfer-Encoding: gzip, chunked']), ...refused(501) }],
    ...['chunked, gzip', 'chunked, chunked'].map((te) =>
        ['BF12', `TE ${te}`, { send: chunked(good200, [`Transfer-Encoding: ${te}`]), ...refused(400) }]),
    ['BF13', 'two TE lines', { send: chunked(good200, [CHUNKED, CHUNKED]), ...refused(400) }],
    ['BF13', 'two TE lines, one identity', { send: chunked(good200, ['Transfer-Encoding: identity', CHUNKED]), ...refused([400, 501]) }],
    ...['xchunked', 'identity', ',chunked', 'chunked;q=1', '"chunked"', '\x0bchunked', 'chunked\u00a0', 'chunked,', 'chunk', ''].map((te) =>
        ['BF14', `TE ${JSON.stringify(te)}`, { send: chunked(good200, [`Transfer-Encoding: ${te}`]), ...refused([400, 501]) }]),
    ['BF15', 'TE with a space before the colon', { send: chunked(good200, ['Transfer-Encoding : chunked']), ...refused(400) }],
    ['BF15', 'TE with a leading space', { send: chunked(good200, [' Transfer-Encoding: chunked']), ...refused(400) }],
    ['BF16', 'TE in HTTP/1.0', { send: raw(['POST /v1/chat/completions HTTP/1.0', `Host: ${HOST}`, JSON_TYPE, CHUNKED], good200), ...refused(400) }],
    ['BF17', 'TE in capitals', { send: chunked(good200, ['TRANSFER-ENCODING: CHUNKED']), ...SERVED }],
    ...['0x3', '+3', '-3', ' 3', '3 ', '3_0', '', 'G', '3\t', ' '].map((size) => chunkRow('BF18', `chunk size ${JSON.stringify(size)}`, firstChunk(size, 'abc'))),
    chunkRow('BF19', 'a chunk size of 17 digits', firstChunk(`0000000000000${hexLength}`.padStart(17, '0'))),
    chunkRow('BF19', 'a chunk size that overflows', firstChunk('10000000000000003', 'abc')),
    chunkRow('BF20', 'a size line ended by LF', Buffer.concat([bytes(`${hexLength}\n`), bytes(BODY), bytes('\r\n'), LAST_CHUNK])),
    chunkRow('BF20', 'a size line ended by CR', Buffer.concat([bytes(`${hexLength}\r`), bytes(BODY), bytes('\r\n'), LAST_CHUNK])),
    chunkRow('BF21', 'data without CRLF', Buffer.concat([bytes('3\r\nabcXX'), LAST_CHUNK])),
    chunkRow('BF21', 'data with LF only', Buffer.concat([bytes('3\r\nabc\n'), LAST_CHUNK])),
    ...[';a=b', ';a', ';a="b c"', '; a = b', `;${'x'.repeat(250)}`].map((extension) => chunkRow('BF22', `extension ${extension.slice(0, 12)}`, firstChunk(hexLength + extension), SERVED)),
    chunkRow('BF22', 'an extension of 300 bytes', firstChunk(`${hexLength};${'x'.repeat(300)}`), refused(400)),
    ...[';a\n=b', ';a\r=b', ';a\0=b', ';a="b'].map((extension) => chunkRow('BF23', `extension ${JSON.stringify(extension)}`, firstChunk(hexLength + extension), refused(400))),
    chunkRow('BF24', 'extensions of more than 4 KiB', Buffer.concat([...Array(20)].map(() => chunk('x', `;${'e'.repeat(240)}`)).concat(LAST_CHUNK)), refused(400, 'chunk_overhead')),
    ['BF25', 'no last chunk, then FIN', { send: chunked(chunk(BODY)), half: true, after: 'close' }],
    chunkRow('BF26', 'trailers', Buffer.concat([chunk(BODY), bytes('0\r\nX-T: 1\r\nContent-Length: 3\r\nHost: evil\r\nAuthorization: Bearer x\r\n\r\n')]), { ...SERVED, also: not('x-t') }),
    chunkRow('BF26', 'trailers of more than 8 KiB', Buffer.concat([chunk(BODY), bytes(`0\r\n${'X-T: 1234567890\r\n'.repeat(600)}\r\n`)]), refused(431)),
    chunkRow('BF26', 'a malformed trailer', Buffer.concat([chunk(BODY), bytes('0\r\nno colon\r\n\r\n')]), refused(400)),
    chunkRow('BF27', 'a last chunk of 16 zeros', Buffer.concat([chunk(BODY), bytes(`${'0'.repeat(16)}\r\n\r\n`)]), SERVED),
    chunkRow('BF27', 'a last chunk of 21 zeros', Buffer.concat([chunk(BODY), bytes(`${'0'.repeat(21)}\r\n\r\n`)])),
    ['BF29', 'POST without CL and TE', { send: raw([POST, `Host: ${HOST}`, JSON_TYPE]), ...kept(400, 'body_required') }],
    ['BF30', 'valid, then invalid', { send: Buffer.concat([plain([]), bytes('GET / HTTP/1.1\r\nHost: a b\r\n\r\n')]),
        answers: [{ status: 200 }, { status: 400 }], after: 'close', forward: 1 }],
    ['BF29', 'POST with an empty body', { send: post(['Content-Length: 0'], ''), answers: [{ status: 400 }], after: 'keep' }],
];

for (const [title, rows] of Object.entries({ 'request line': REQUEST_LINE, headers: HEADERS, framing: FRAMING })) {
    for (const [id, name, row] of rows) {
        test(`${id} ${title}: ${name}`, () => bench.check(row));
    }
}

test('BF, on the Anthropic path: the same refusals in that dialect', async () => {
    const anthropic = { dialect: 'anthropic', type: 'invalid_request_error' };
    const head = ['POST /v1/messages HTTP/1.1', `Host: ${HOST}`];
    for (const [lines, status] of [[[JSON_TYPE, LENGTH, LENGTH], 400], [['Content-Type: text/plain', LENGTH], 415],
        [[JSON_TYPE], 400], [[JSON_TYPE, 'Content-Length: 33554433'], 413], [[JSON_TYPE, LENGTH, 'Expect: x'], 417]]) {
        await bench.check({ send: raw([...head, ...lines], status === 413 ? '' : BODY.slice(0, lines.length > 1 ? undefined : 0)),
                            answers: [{ status, ...anthropic }],
                            also: ([answer]) => assert.equal(header(answer, 'request-id') ?? 'none', header(answer, 'x-request-id')) });
    }
    await bench.check({ send: startLine('PUT /v1/messages HTTP/1.1'), answers: [{ status: 405, ...anthropic }], after: 'keep' });
});

test('BH20: 100-continue is said before the body is read', async () => {
    const app = await App.connect(bench.port);
    app.send(raw([POST, `Host: ${HOST}`, JSON_TYPE, LENGTH, 'Expect: 100-continue']));
    await until(() => app.interim.length === 1, 2000, '100 Continue');
    assert.equal(app.interim[0].status, 100);
    app.send(BODY);
    assert.equal((await app.answer()).status, 200);
    app.close();
    await bench.check({ send: raw([POST, `Host: ${HOST}`, JSON_TYPE, 'Content-Length: 33554433', 'Expect: 100-continue']), ...refused(413),
                        also: (answers, seen, same) => assert.equal(same.interim.length, 0, 'no 100 before a 413') });
    // The body may never come, so that the next bytes could be anything.
    await bench.check({ send: raw([POST, `Host: ${HOST}`, 'Content-Type: text/plain', LENGTH, 'Expect: 100-continue']), ...refused(415),
                        after: 'close' });
});

// Read as raw bytes, since the reader of answers expects bodies.
for (const [target, status] of [['/livez', 200], ['/readyz', 200], ['/nope', 404], ['/v1/models', [200, 405]],
    ['/v1/chat/completions', 405], ['/v1/messages', 405]]) {
    test(`HEAD ${target} gets no body, and the connection stays usable`, async () => {
        const app = await App.connect(bench.port);
        app.send(raw([`HEAD ${target} HTTP/1.1`, `Host: ${HOST}`]));
        await until(() => app.received.includes('\r\n\r\n'), 2000, 'a head');
        await sleep(50);
        const head = app.received.toString('latin1');
        assert.equal(head.indexOf('\r\n\r\n'), head.length - 4, `nothing after the head: ${head}`);
        assert.ok([status].flat().includes(Number(head.split(' ')[1])), head);
        assert.match(head, /^content-length: [1-9]\d*\r$/mi);
        app.send(get('/livez'));
        const answers = [];
        const reader = new MessageReader('answer', { message: (message) => answers.push(message) });
        let read = head.length;
        await until(() => {
            reader.push(app.received.subarray(read));
            read = app.received.length;
            return answers.length === 1;
        }, 2000, 'the answer to a GET');
        assert.equal(answers[0].status, 200);
        assert.equal(answers[0].body.toString().trim(), 'ok');
        assert.ok(app.isOpen);
        app.close();
    });
}

test('BF31: 2,000 pipelined requests are answered in order', async () => {
    const app = await App.connect(bench.port);
    const count = 2000;
    app.send(Array.from({ length: count }, (_, i) => get(`/nowhere-${i}`).toString('latin1')).join(''));
    for (let i = 0; i < count; i += 1) {
        const answer = await app.answer(10000);
        assert.equal(answer.status, 404);
        assert.ok(answer.body.includes(`nowhere-${i}`) && !answer.body.includes(`nowhere-${i}0`), `answer ${i}`);
    }
    assert.ok(app.isOpen);
    app.close();
    await bench.serves();
});

for (const [count, size] of [[300, 1000], [60, 20000], [30, 60000]]) {
    test(`BF31: ${count} pipelined calls of ${size} bytes: more than is read ahead waits, none is lost`, async () => {
        const app = await App.connect(bench.port);
        app.send(Buffer.concat(Array(count).fill(bench.request(good('chat', { user: 'u'.repeat(size) })))));
        for (let i = 0; i < count; i += 1) {
            assert.equal((await app.answer(10000)).status, 200, `answer ${i}`);
        }
        assert.ok(app.isOpen);
        app.close();
        await bench.serves();
    });
}

test('BF32: a request split at every byte gets the same answer', async () => {
    bench.upstream.forget();
    const whole = bench.request(good());
    const app = await App.connect(bench.port);
    for (let at = 1; at < whole.length; at += 1) {
        await app.sendPieces([whole.subarray(0, at), whole.subarray(at)]);
        assert.equal((await app.answer()).status, 200, `split at ${at}`);
    }
    const chunkedWhole = chunked(Buffer.concat([chunk(BODY.slice(0, 20), ';a=b'), chunk(BODY.slice(20)), bytes('0\r\nX-T: 1\r\n\r\n')]));
    await app.sendPieces([...chunkedWhole].map((byte) => Buffer.from([byte])));
    assert.equal((await app.answer()).status, 200);
    const [first] = bench.upstream.requests;
    for (const seen of bench.upstream.requests.slice(0, -1)) {
        assert.ok(seen.body.equals(first.body));
    }
    assert.equal(bench.upstream.requests.length, whole.length);
    app.close();
});

test('BF33, small: mutated requests never become more requests than were sent', async () => {
    bench.upstream.forget();
    let state = 0x9e3779b9;
    const dice = (sides) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % sides;
    };
    const alphabet = bytes('\r\n\t :;,0123456789abcdefXTE\0\x7f\xff');
    const turns = 400;
    const bodies = new Map();
    for (let turn = 0; turn < turns; turn += 1) {
        const sent = good('chat', { user: `turn-${turn}.` });
        bodies.set(sent.body, 0);
        const mutant = bench.request(sent);
        for (let i = 0; i <= dice(3); i += 1) {
            mutant[dice(mutant.length - sent.body.length)] = alphabet[dice(alphabet.length)];
        }
        const app = await App.connect(bench.port);
        app.send(mutant);
        app.finish();
        await app.closed(5000);
        assert.equal(app.fault, null, `turn ${turn}: ${JSON.stringify(mutant.toString('latin1'))}`);
        assert.ok(app.answers.length <= 2, `turn ${turn}: ${app.answers.length} answers`);
        app.close();
    }
    bench.headgate.check();
    await bench.serves();
    for (const seen of bench.upstream.requests.slice(0, -1)) {
        const body = seen.body.toString();
        assert.ok(bodies.get(body) === 0, `seen twice, or not as sent: ${body}`);
        bodies.set(body, 1);
    }
});
