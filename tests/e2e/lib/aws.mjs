// SPDX-License-Identifier: Apache-2.0
// Amazon's side of the wire, written by hand: messages of event streams, and signatures verified from the bytes of a
// request, step by step as Amazon describes them.
import crypto from 'node:crypto';
import { chunk, header, LAST_CHUNK } from './wire.mjs';

const CRC = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) {
        c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return c >>> 0;
});
export function crc32(data) {
    let crc = 0xffffffff;
    for (const byte of data) {
        crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
    }
    return (crc ^ 0xffffffff) >>> 0;
}
const u32 = (number) => {
    const data = Buffer.alloc(4);
    data.writeUInt32BE(number);
    return data;
};
const text = (name, value) => {
    const size = Buffer.alloc(2);
    size.writeUInt16BE(Buffer.byteLength(value));
    return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), size, Buffer.from(value)]);
};

export function message(headers, payload) {
    const head = Buffer.concat(Object.entries(headers).map(([name, value]) => text(name, value)));
    const body = Buffer.from(payload);
    const prelude = Buffer.concat([u32(16 + head.length + body.length), u32(head.length)]);
    const all = Buffer.concat([prelude, u32(crc32(prelude)), head, body]);
    return Buffer.concat([all, u32(crc32(all))]);
}
export const event = (type, value) => message(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, JSON.stringify(value));
export const exception = (type, words) => message(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' }, JSON.stringify({ message: words }));
export const failure = (code, words) => message(
    { ':error-code': code, ':error-message': words, ':message-type': 'error' }, '');

export const USAGE = { inputTokens: 90, outputTokens: 7, totalTokens: 147, cacheReadInputTokens: 30, cacheWriteInputTokens: 20,
    cacheDetails: [{ ttl: '1h', inputTokens: 15 }, { ttl: '5m', inputTokens: 5 }] };
export const metadata = (usage = USAGE) => event('metadata', { usage, metrics: { latencyMs: 3 } });
export const start = event('messageStart', { role: 'assistant', p: 'abcd' });
export const delta = (words, index = 0) => event('contentBlockDelta', { contentBlockIndex: index, delta: { text: words }, p: 'ab' });
export const stop = (index = 0) => event('contentBlockStop', { contentBlockIndex: index });
export const end = (reason = 'end_turn') => event('messageStop', { stopReason: reason });
export const HELLO = [start, delta('Hel'), delta('lo'), stop(), end(), metadata()];
export const WHOLE = { output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } }, stopReason: 'end_turn', usage: USAGE,
    metrics: { latencyMs: 3 } };

// A script for an Upstream: the messages, in pieces of `size` bytes; `cut`: the connection ends without the end of the body.
// end: false: nothing ends yet.
export const stream = (messages = HELLO, { size = 0, cut = false, end: ends = true } = {}) => async (exchange) => {
    const all = Buffer.concat(messages);
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n' +
        'x-amzn-RequestId: req-of-amazon\r\n\r\n');
    for (let at = 0; at < all.length; at += size || all.length) {
        await exchange.send(chunk(all.subarray(at, at + (size || all.length))));
    }
    if (ends) {
        await (cut ? exchange.end() : exchange.send(LAST_CHUNK));
    }
};

const hash = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const encode = (part) => encodeURIComponent(part).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// What is wrong with the signature of a request as it came; '' if nothing is.
export function signatureFault(request, { id, secret, token, region, service = 'bedrock' }, now = Date.now()) {
    const all = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
        .exec(header(request, 'authorization') ?? '');
    if (all === null) {
        return `no signature: ${header(request, 'authorization')}`;
    }
    const time = header(request, 'x-amz-date') ?? '';
    const when = Date.parse(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!(Math.abs(now - when) < 300000)) {
        return `of another time: ${time}`;
    }
    const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
    if (all[1] !== `${id}/${scope}`) {
        return `for ${all[1]}`;
    }
    if (header(request, 'x-amz-security-token') !== token) {
        return 'another token';
    }
    const names = all[2].split(';');
    for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256', ...(token === undefined ? [] : ['x-amz-security-token'])]) {
        if (!names.includes(name)) {
            return `${name} is not signed`;
        }
    }
    if (header(request, 'x-amz-content-sha256') !== hash(request.body)) {
        return 'of another body';
    }
    const [path, query = ''] = request.target.split('?');
    const canonical = [request.method, path.split('/').map(encode).join('/'), query.split('&').sort().join('&'),
        ...names.map((name) => `${name}:${header(request, name).trim().replace(/\s+/g, ' ')}`), '', all[2], hash(request.body)].join('\n');
    const key = [time.slice(0, 8), region, service, 'aws4_request'].reduce((k, part) => hmac(k, part), `AWS4${secret}`);
    const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex');
    return signature === all[3] ? '' : `not the signature of\n${canonical}`;
}
