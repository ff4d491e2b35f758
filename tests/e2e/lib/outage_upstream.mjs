// SPDX-License-Identifier: Apache-2.0
// Two providers in one process of their own, light enough for some hundred calls a second. Each can be
// told to be healthy, to be gone (connections reset, new ones refused), to fail: 503 in JSON, and RST
// after each third call; or to be silent: to take calls and never answer them. When each call came is kept.
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { LeanReader, WHOLE, serveParent, startApart } from './lean.mjs';
import { upstreamFile } from './samples.mjs';
import { LAST_CHUNK, bytes, chunk } from './wire.mjs';

export const startOutageUpstream = () => startApart(fileURLToPath(import.meta.url));

const WHOLE_MS = 8;   // until a whole answer
const PIECE_MS = 4;    // between the pieces of a stream
const PORTS = [20000, 32000]; // below those that the kernel gives to connections: free again when we return

const STREAM_HEAD = bytes('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
const PIECES = [STREAM_HEAD, ...String(upstreamFile('openai-chat.sse')).split(/(?<=\n\n)/).map((event) => chunk(event)), LAST_CHUNK];
const REFUSAL = '{"error":{"message":"The server is overloaded.","type":"server_error","param":null,"code":null}}';
const UNAVAILABLE = bytes(`HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: ${REFUSAL.length}\r\n\r\n${REFUSAL}`);

// At most so many writes for one stream, however many events the file has.
function gathered(pieces, count) {
    const size = Math.ceil(pieces.length / count);
    return Array.from({ length: Math.ceil(pieces.length / size) }, (_, i) => Buffer.concat(pieces.slice(i * size, (i + 1) * size)));
}
const STREAM_WRITES = gathered(PIECES, 5);

class Provider {
    state = 'healthy';
    times = [];       // when each call came, ms of the wall clock
    failures = 0;
    sockets = new Set();

    async listen() {
        for (let tries = 1; this.server === undefined; tries += 1) {
            this.port = PORTS[0] + Math.floor(Math.random() * (PORTS[1] - PORTS[0]));
            await this.#open().catch((error) => {
                if (tries === 20) {
                    throw error;
                }
            });
        }
        return this.port;
    }

    #open() {
        const server = net.createServer((socket) => this.#take(socket));
        return new Promise((resolve, reject) => {
            server.once('error', reject);
            server.listen({ host: '127.0.0.1', port: this.port, backlog: 511 }, () => {
                this.server = server;
                resolve();
            });
        });
    }

    async become(state) {
        this.state = state;
        if (state === 'gone') {
            const { server } = this;
            this.server = undefined;
            const closed = new Promise((resolve) => server.close(resolve)); // first, as when a process dies
            this.sockets.forEach((socket) => socket.resetAndDestroy());
            await closed;
        } else if (this.server === undefined) {
            await this.#open();
        }
        return Date.now();
    }

    #take(socket) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        this.sockets.add(socket);
        socket.on('close', () => this.sockets.delete(socket));
        const reader = new LeanReader({ whole: (request) => this.#answer(socket, request) });
        socket.on('data', (piece) => reader.push(piece));
    }

    #answer(socket, request) {
        if (request.isCall) {
            this.times.push(Date.now());
        }
        if (this.state === 'silent') {
            return;
        }
        if (this.state === 'failing') {
            this.failures += Number(request.isCall);
            if (request.isCall && this.failures % 3 === 0) {
                socket.resetAndDestroy();
            } else {
                socket.write(UNAVAILABLE);
            }
        } else if (request.isStream) {
            this.#stream(socket, 0);
        } else {
            setTimeout(() => this.#write(socket, WHOLE), WHOLE_MS);
        }
    }

    // One timer after the other: timers of different lengths may overtake each other.
    #stream(socket, at) {
        if (at < STREAM_WRITES.length) {
            setTimeout(() => {
                this.#write(socket, STREAM_WRITES[at]);
                this.#stream(socket, at + 1);
            }, PIECE_MS);
        }
    }

    #write(socket, piece) {
        if (socket.writable) {
            socket.write(piece);
        }
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
    const providers = { primary: new Provider(), secondary: new Provider() };
    serveParent({
        listen: async () => ({ primary: await providers.primary.listen(), secondary: await providers.secondary.listen() }),
        become: ({ name, state }) => providers[name].become(state),
        times: (since) => Object.fromEntries(Object.entries(providers).map(([name, { times }]) =>
            [name, times.filter((time) => time >= since)])),
    });
}
