// SPDX-License-Identifier: Apache-2.0
// A provider made of raw sockets, plain or TLS, that does exactly what a script says: right answers
// in any framing and any pieces, wrong ones, late ones, none, cuts and resets. It records each
// request byte for byte, and when each connection ended.
import net from 'node:net';
import tls from 'node:tls';
import { MessageReader, LAST_CHUNK, bytes, chunk, header, pairs, utf8, until, within } from './wire.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

// The pieces of an answer. framing: length, chunked, close. `sizes`: cut the body into pieces of
// this many bytes (chunked: each its own chunk).
export function answerPieces({
    status = 200, reason = 'OK', headers = {}, body = '', framing = 'length', size = 0,
} = {}) {
    const payload = utf8(body);
    const told = pairs(headers);
    const lines = [`HTTP/1.1 ${status} ${reason}`];
    if (!told.some(([name]) => name.toLowerCase() === 'content-type')) {
        lines.push('Content-Type: application/json');
    }
    lines.push(...told.map(([name, value]) => `${name}: ${value}`));
    lines.push({ length: `Content-Length: ${payload.length}`, chunked: 'Transfer-Encoding: chunked',
                 close: 'Connection: close' }[framing]);
    const cuts = [];
    for (let at = 0; at < payload.length; at += size || payload.length) {
        cuts.push(payload.subarray(at, at + (size || payload.length)));
    }
    const head = bytes(lines.join('\r\n') + '\r\n\r\n');
    if (framing !== 'chunked') {
        return [head, ...cuts];
    }
    return [head, ...cuts.map((cut) => chunk(cut)), LAST_CHUNK];
}

// One request and what is done about it. Given to the script.
export class Exchange {
    constructor(upstream, socket, message) {
        this.upstream = upstream;
        this.socket = socket;
        this.request = message;
    }

    get isOpen() {
        return !this.socket.destroyed && this.socket.writable;
    }

    // Writes and waits until the kernel has taken it, so that back-pressure is seen.
    async send(data) {
        if (this.isOpen) {
            await new Promise((resolve) => this.socket.write(bytes(data), resolve));
        }
        return this;
    }

    async sendPieces(pieces, gap = 0) {
        for (const piece of pieces) {
            await this.send(piece);
            await (gap === 0 ? new Promise((resolve) => setImmediate(resolve)) : sleep(gap));
        }
        return this;
    }

    // A whole answer; see answerPieces. framing close also ends the connection.
    async answer(what = {}) {
        const pieces = answerPieces(what);
        if (what.size) {
            await this.sendPieces(pieces, what.gap ?? 0);
        } else {
            await this.send(Buffer.concat(pieces));
        }
        if (what.framing === 'close') {
            this.end();
        }
        return this;
    }

    json(value, status = 200, headers = {}) {
        return this.answer({ status, headers, body: JSON.stringify(value) });
    }

    // The head of a chunked event stream, then events by event().
    streamHead(headers = {}) {
        return this.send(bytes(['HTTP/1.1 200 OK', 'Content-Type: text/event-stream',
            'Transfer-Encoding: chunked', ...pairs(headers).map(([n, v]) => `${n}: ${v}`), '', '']
            .join('\r\n')));
    }

    event(text) { return this.send(chunk(text)); }
    streamEnd() { return this.send(LAST_CHUNK); }

    end() { this.socket.end(); }
    // On TLS the raw connection below is reset: a TLS socket cannot do so itself.
    reset() { this.upstream.rawOf(this.socket).resetAndDestroy(); }

    // Resolves when headgate closes this connection.
    closed(ms = 5000) {
        return within(new Promise((resolve) => {
            if (this.socket.destroyed) {
                resolve();
            } else {
                this.socket.once('close', resolve);
                this.socket.once('end', resolve);
            }
        }), ms, 'headgate closes its connection to the provider');
    }
}

export class Upstream {
    // tls: { key, cert, ... } of tls.createServer, or nothing for plain.
    // port: of 127.0.0.1; any free one by default.
    static async start({ tls: secure, port = 0 } = {}) {
        const upstream = new Upstream();
        const take = (socket) => upstream.#take(socket);
        upstream.server = secure ? tls.createServer({ ...secure }, take)
                                 : net.createServer({ allowHalfOpen: false }, take);
        upstream.server.on('tlsClientError', (error) => upstream.tlsErrors.push(error));
        upstream.secure = Boolean(secure);
        upstream.server.on('connection', (socket) => upstream.#count(socket));
        await new Promise((resolve, reject) => {
            upstream.server.once('error', reject);
            upstream.server.listen(port, '127.0.0.1', resolve);
        });
        upstream.server.unref(); // a test that failed before its stop() must not keep the run alive
        upstream.port = upstream.server.address().port;
        return upstream;
    }

    requests = [];       // complete ones, in order
    heads = [];          // every head seen, complete or not
    connections = 0;
    open = new Set();    // raw sockets
    tlsErrors = [];
    #script = {};

    get origin() {
        return `${this.secure ? 'https' : 'http'}://127.0.0.1:${this.port}`;
    }

    // The script: a function called with each complete request, or { connect, head, request }:
    // connect(socket) as soon as a connection stands, head(exchange) when a head was read (return
    // false to stop reading), request(exchange) when the request is complete.
    play(script) {
        this.#script = typeof script === 'function' ? { request: script } : script;
        return this;
    }

    // Forgets what was seen, for the next row of a table.
    forget() {
        this.requests = [];
        this.heads = [];
        this.connections = 0;
    }

    rawOf(socket) {
        return [...this.open].find((one) => one.remotePort === socket.remotePort) ?? socket;
    }

    #count(socket) {
        socket.unref();
        this.connections += 1;
        this.open.add(socket);
        socket.on('close', () => this.open.delete(socket));
        socket.on('error', () => {});
        this.#script.accept?.(socket);
    }

    #take(socket) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        const connection = this.connections;
        let exchange = null;
        const reader = new MessageReader('request', {
            head: (message) => {
                message.connection = connection;
                message.alpn = socket.alpnProtocol;
                this.heads.push(message);
                exchange = new Exchange(this, socket, message);
                if (this.#script.head?.(exchange) === false) {
                    socket.removeAllListeners('data');
                    socket.pause();
                }
            },
            message: (message) => {
                message.json = () => JSON.parse(message.body.toString('utf8'));
                this.requests.push(message);
                Promise.resolve(this.#script.request?.(exchange)).catch((error) => {
                    this.fault = error;
                });
            },
        });
        socket.on('data', (piece) => {
            try {
                reader.push(piece);
            } catch (error) {
                this.fault = error; // headgate sent something malformed: looked at by check()
                socket.destroy();
            }
        });
        this.#script.connect?.(socket);
    }

    // Resolves with the n-th request from now on.
    async request(n = 1, ms = 5000) {
        await until(() => this.requests.length >= n, ms, `request ${n} at the provider`);
        return this.requests[n - 1];
    }

    // Throws what went wrong inside a script or in the bytes of a request.
    check() {
        if (this.fault) {
            throw this.fault;
        }
    }

    dropConnections() {
        for (const socket of this.open) {
            socket.destroy();
        }
    }

    async stop() {
        this.dropConnections();
        await new Promise((resolve) => this.server.close(resolve));
        this.check();
    }
}

export const credentialOf = (message) =>
    header(message, 'authorization') ?? header(message, 'x-api-key');
