// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as bytes: builds requests and answers exactly as told (also wrong ones) and reads
// messages incrementally. Used by the raw app and by the scripted upstream, so that neither side of
// a test depends on a library that would repair what it sees.
import { setTimeout as sleep } from 'node:timers/promises';

// Every wait of the tests goes through this factor, for sanitizer and valgrind runs.
const PATIENCE = Number(process.env.HEADGATE_TEST_PATIENCE || 1);
export const patient = (ms) => ms * PATIENCE;

// Rejects with a clear text when `promise` takes longer than `ms`.
export async function within(promise, ms, what) {
    const aborter = new AbortController();
    const late = sleep(patient(ms), undefined, { signal: aborter.signal }).then(() => {
        throw new Error(`${what}: nothing within ${patient(ms)} ms`);
    });
    late.catch(() => {});
    try {
        return await Promise.race([promise, late]);
    } finally {
        aborter.abort();
    }
}

// Polls `probe` until it gives something true.
export async function until(probe, ms, what) {
    const end = Date.now() + patient(ms);
    for (;;) {
        const value = await probe();
        if (value) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`${what}: not within ${patient(ms)} ms`);
        }
        await sleep(10);
    }
}

// Waits until a count that has begun goes up no more.
export async function standsStill(count, what) {
    let last = -1;
    await until(async () => {
        const same = count() === last && last > 0;
        last = count();
        await sleep(200);
        return same;
    }, 10000, what);
}

export const bytes = (text) => (Buffer.isBuffer(text) ? text : Buffer.from(text, 'latin1'));
export const utf8 = (text) => (Buffer.isBuffer(text) ? text : Buffer.from(text, 'utf8'));

// Header lists are arrays of [name, value]; an object is accepted for convenience.
export const pairs = (headers) => (Array.isArray(headers) ? headers : Object.entries(headers));

// One request as bytes. A header given as null is left out; `headers` replace the usual ones of the
// same name and add to them otherwise.
export function request({
    method = 'POST', target = '/v1/chat/completions', version = 'HTTP/1.1', host = '127.0.0.1',
    headers = {}, body = '', length = true, lineEnd = '\r\n',
} = {}) {
    const payload = utf8(body);
    const told = pairs(headers);
    const given = new Set(told.map(([name]) => name.toLowerCase()));
    const usual = [['Host', host]];
    if (method === 'POST') {
        usual.push(['Content-Type', 'application/json']);
    }
    if (length && (method === 'POST' || payload.length > 0)) {
        usual.push(['Content-Length', String(payload.length)]);
    }
    const all = usual.filter(([name]) => !given.has(name.toLowerCase()))
        .concat(told.filter(([, value]) => value !== null));
    const lines = [`${method} ${target} ${version}`, ...all.map(([n, v]) => `${n}: ${v}`), '', ''];
    return Buffer.concat([bytes(lines.join(lineEnd)), payload]);
}

// Head lines as they are, then the body as it is.
export const raw = (lines, body = '') =>
    Buffer.concat([bytes([...lines, '', ''].join('\r\n')), utf8(body)]);

export const chunk = (data, extension = '') => {
    const payload = utf8(data);
    return Buffer.concat([bytes(payload.length.toString(16) + extension + '\r\n'), payload,
        bytes('\r\n')]);
};
export const LAST_CHUNK = bytes('0\r\n\r\n');

export function header(message, name) {
    const found = message.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase());
    return found.length === 0 ? undefined : found.map(([, value]) => value).join(', ');
}

function parseHead(kind, head) {
    const lines = head.toString('latin1').split('\r\n');
    const headers = lines.slice(1).map((line) => {
        const colon = line.indexOf(':');
        if (colon <= 0 || /[\n\r\0]/.test(line)) {
            throw new Error(`malformed header line: ${JSON.stringify(line)}`);
        }
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const message = { kind, line: lines[0], headers, head: Buffer.concat([head, bytes('\r\n\r\n')]) };
    if (kind === 'request') {
        [message.method, message.target, message.version] = lines[0].split(' ');
    } else {
        const match = /^HTTP\/1\.([01]) (\d{3}) ?(.*)$/.exec(lines[0]);
        if (!match) {
            throw new Error(`malformed status line: ${JSON.stringify(lines[0])}`);
        }
        message.status = Number(match[2]);
        message.reason = match[3];
    }
    return message;
}

// How the body of a parsed head is delimited.
function framing(message) {
    const coding = header(message, 'transfer-encoding');
    const length = header(message, 'content-length');
    if (coding !== undefined && length !== undefined) {
        throw new Error('both Content-Length and Transfer-Encoding');
    }
    if (message.kind === 'answer' && (message.status < 200 || message.status === 204
                                      || message.status === 304)) {
        return { state: 'done' };
    }
    if (coding !== undefined) {
        if (coding.toLowerCase() !== 'chunked') {
            throw new Error(`transfer coding ${coding}`);
        }
        return { state: 'size' };
    }
    if (length !== undefined) {
        if (!/^\d+$/.test(length)) {
            throw new Error(`content length ${length}`);
        }
        return { state: Number(length) === 0 ? 'done' : 'length', left: Number(length) };
    }
    return { state: message.kind === 'request' ? 'done' : 'close' };
}

// Reads messages piece by piece. Calls on.head(message), on.body(message, piece) and
// on.message(message); throws on what is not valid, since headgate must never send that.
export class MessageReader {
    constructor(kind, on = {}) {
        this.kind = kind;
        this.on = on;
        this.state = 'head';
        this.held = Buffer.alloc(0);
        this.message = null;
    }

    push(piece) {
        let rest = piece;
        while (rest.length > 0) {
            rest = this.#step(rest);
        }
    }

    // The peer said FIN: true when that ends a message properly (or none was begun).
    end() {
        if (this.state === 'close') {
            this.#finish();
            return true;
        }
        return this.state === 'head' && this.held.length === 0;
    }

    #step(rest) {
        switch (this.state) {
        case 'head': return this.#head(rest);
        case 'length': return this.#counted(rest);
        case 'data': return this.#counted(rest);
        case 'close': this.#body(rest); return Buffer.alloc(0);
        default: return this.#line(rest);
        }
    }

    #head(rest) {
        this.held = Buffer.concat([this.held, rest]);
        const at = this.held.indexOf('\r\n\r\n');
        if (at < 0) {
            return Buffer.alloc(0);
        }
        const after = this.held.subarray(at + 4);
        this.message = parseHead(this.kind, this.held.subarray(0, at));
        this.message.pieces = [];
        this.held = Buffer.alloc(0);
        const { state, left } = framing(this.message);
        this.message.framing = { size: 'chunked', length: 'length', close: 'close', done: 'none' }[state];
        this.state = state;
        this.left = left;
        this.on.head?.(this.message);
        if (state === 'done') {
            this.#finish();
        }
        return after;
    }

    #counted(rest) {
        const take = Math.min(this.left, rest.length);
        this.#body(rest.subarray(0, take));
        this.left -= take;
        if (this.left === 0) {
            if (this.state === 'length') {
                this.#finish();
            } else {
                this.state = 'gap';
            }
        }
        return rest.subarray(take);
    }

    // One line of chunked framing: a size, the gap after a chunk, a trailer.
    #line(rest) {
        this.held = Buffer.concat([this.held, rest]);
        const at = this.held.indexOf('\r\n');
        if (at < 0) {
            return Buffer.alloc(0);
        }
        const line = this.held.subarray(0, at).toString('latin1');
        const after = this.held.subarray(at + 2);
        this.held = Buffer.alloc(0);
        if (this.state === 'size') {
            if (!/^[0-9a-fA-F]+(;.*)?$/.test(line)) {
                throw new Error(`chunk size ${JSON.stringify(line)}`);
            }
            this.left = parseInt(line, 16);
            this.state = this.left === 0 ? 'trailers' : 'data';
        } else if (this.state === 'gap') {
            if (line !== '') {
                throw new Error(`after a chunk: ${JSON.stringify(line)}`);
            }
            this.state = 'size';
        } else if (line === '') {
            this.#finish();
        }
        return after;
    }

    #body(piece) {
        if (piece.length > 0) {
            this.message.pieces.push(Buffer.from(piece));
            this.on.body?.(this.message, piece);
        }
    }

    #finish() {
        const message = this.message;
        message.body = Buffer.concat(message.pieces);
        this.state = 'head';
        this.message = null;
        this.on.message?.(message);
    }
}
