// SPDX-License-Identifier: Apache-2.0
// What the providers that run as processes of their own share: reading requests with little work,
// answers that are ready as bytes, and being asked things from the test. `startApart` runs a file
// as such a process; inside, `serveParent` answers.
import { fork } from 'node:child_process';
import { upstreamFile } from './samples.mjs';
import { LAST_CHUNK, bytes, chunk, within } from './wire.mjs';

const whole = upstreamFile('openai-chat.json');
const stream = upstreamFile('openai-chat.sse');

export const WHOLE = Buffer.concat([bytes(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${whole.length}\r\n\r\n`), whole]);
export const STREAM = Buffer.concat([bytes('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
    chunk(stream), LAST_CHUNK]);

// Requests of one connection. head({ id, length, isStream, isCall }) when a head was read; part(got) with each
// piece of the body (the bytes of it so far); whole() at its end. What a test wants to know of a
// request stands in the head: x-client-request-id as `<marker>` or `<marker>-stream`. What is no call is a probe of headgate's own.
export class LeanReader {
    #held = null;
    #request = null;
    #got = 0;

    constructor(on) {
        this.on = on;
    }

    push(piece) {
        let rest = piece;
        while (rest.length > 0) {
            rest = this.#request === null ? this.#head(rest) : this.#body(rest);
        }
    }

    #head(rest) {
        const all = this.#held === null ? rest : Buffer.concat([this.#held, rest]);
        const end = all.indexOf('\r\n\r\n');
        if (end < 0) {
            this.#held = all;
            return Buffer.alloc(0);
        }
        this.#held = null;
        const head = all.toString('latin1', 0, end);
        const id = /\r\nx-client-request-id: *([^\r]*)/i.exec(head)?.[1] ?? '';
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        this.#request = { id, length, isStream: id.endsWith('-stream'), isCall: head.startsWith('POST ') };
        this.#got = 0;
        this.on.head?.(this.#request);
        return this.#ended() ? all.subarray(end + 4) : this.#body(all.subarray(end + 4));
    }

    #body(rest) {
        const take = Math.min(rest.length, this.#request.length - this.#got);
        this.#got += take;
        if (take > 0) {
            this.on.part?.(this.#request, this.#got);
        }
        this.#ended();
        return rest.subarray(take);
    }

    #ended() {
        if (this.#request === null || this.#got < this.#request.length) {
            return false;
        }
        const request = this.#request;
        this.#request = null;
        this.on.whole?.(request);
        return true;
    }
}

// ---- the two ends of being asked ----

// In the process of its own: acts[name](value) answers each question.
export function serveParent(acts) {
    process.on('message', async ({ number, name, value }) => {
        process.send({ number, value: await acts[name](value) });
    });
    process.on('disconnect', () => process.exit(0)); // the test is gone
}

const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

// In the test: { ask(name, value), stop() }.
export function startApart(file) {
    const child = fork(file, [], { stdio: 'inherit' });
    const waiting = new Map();
    let asked = 0;
    alive.add(child);
    child.on('message', ({ number, value }) => {
        waiting.get(number)?.(value);
        waiting.delete(number);
    });
    child.unref();
    child.channel?.unref();
    return {
        pid: child.pid,
        ask(name, value) {
            asked += 1;
            const number = asked;
            return within(new Promise((resolve) => {
                waiting.set(number, resolve);
                child.send({ number, name, value });
            }), 10000, `the provider's process: ${name}`);
        },
        stop() {
            alive.delete(child);
            child.kill('SIGKILL');
        },
    };
}
