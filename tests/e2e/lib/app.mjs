// SPDX-License-Identifier: Apache-2.0
// The app's side as a raw socket: sends exactly the bytes it is told, in the pieces it is told, and
// reads answers strictly. One App is one connection.
import net from 'node:net';
import { MessageReader, bytes, request, within } from './wire.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

export class App {
    // `where` is a port of 127.0.0.1 or the path of a Unix socket; `from`: an own address 127.x.
    static async connect(where, { from } = {}) {
        const app = new App();
        const socket = net.connect(typeof where === 'number'
            ? { host: '127.0.0.1', port: where, localAddress: from } : { path: where });
        app.#adopt(socket);
        await within(new Promise((resolve, reject) => {
            socket.once('connect', resolve);
            socket.once('error', reject);
        }), 5000, 'connect');
        return app;
    }

    answers = [];    // complete ones, interim ones left out
    interim = [];    // 1xx
    received = Buffer.alloc(0);
    fault = null;    // why the bytes that came are no valid answer
    ended = null;    // 'fin' or 'reset', with endedAt
    #taken = 0;
    #waiters = new Set();

    #adopt(socket) {
        this.socket = socket;
        socket.setNoDelay(true);
        socket.unref();
        this.reader = new MessageReader('answer', {
            head: (message) => { this.current = message; message.at = Date.now(); },
            message: (message) => {
                (message.status < 200 ? this.interim : this.answers).push(message);
            },
        });
        socket.on('data', (piece) => {
            this.bytesIn = (this.bytesIn ?? 0) + piece.length;
            if (this.received.length < 65536) {
                this.received = Buffer.concat([this.received, piece]);
            }
            this.#guard(() => this.reader.push(piece));
        });
        socket.on('end', () => this.#over('fin'));
        socket.on('error', () => this.#over('reset'));
        socket.on('close', () => this.#over('reset'));
    }

    #guard(act) {
        if (this.fault === null) {
            try {
                act();
            } catch (error) {
                this.fault = error;
            }
        }
        this.#tell();
    }

    #over(how) {
        if (this.ended === null) {
            this.ended = how;
            this.endedAt = Date.now();
            this.#guard(() => {
                this.endedCleanly = this.reader.end();
            });
        }
    }

    #tell() {
        for (const wake of this.#waiters) {
            wake();
        }
    }

    async #wait(ready, ms, what) {
        if (ready()) {
            return;
        }
        let wake;
        try {
            await within(new Promise((resolve) => {
                wake = () => ready() && resolve();
                this.#waiters.add(wake);
            }), ms, what);
        } catch (error) {
            error.message += `; received ${JSON.stringify(this.received.toString('latin1').slice(0, 300))}`
                + `, connection ${this.ended ?? 'open'}`;
            throw error;
        } finally {
            this.#waiters.delete(wake);
        }
    }

    // Writes are ignored once the other side is gone: tests look at what came back.
    send(data) {
        if (!this.socket.destroyed && this.socket.writable) {
            this.socket.write(bytes(data));
        }
        return this;
    }

    // Each piece in a write of its own, with a turn of the loop (or `gap` ms) between.
    async sendPieces(pieces, gap = 0) {
        for (const piece of pieces) {
            if (this.ended !== null) {
                return this;
            }
            this.send(piece);
            await (gap === 0 ? new Promise((resolve) => setImmediate(resolve)) : sleep(gap));
        }
        return this;
    }

    // The next complete answer.
    async answer(ms = 5000) {
        await this.#wait(() => this.fault !== null || this.answers.length > this.#taken
                         || this.ended !== null, ms, 'an answer');
        if (this.answers.length > this.#taken) {
            return this.answers[this.#taken++];
        }
        throw this.fault ?? new Error(`connection ${this.ended} without a complete answer; received `
            + JSON.stringify(this.received.toString('latin1').slice(0, 300)));
    }

    // The head of the answer that is coming in (a stream).
    async head(ms = 5000) {
        await this.#wait(() => this.current || this.fault !== null || this.ended !== null, ms, 'a head');
        if (!this.current) {
            throw this.fault ?? new Error(`connection ${this.ended} without a head`);
        }
        return this.current;
    }

    // Until the body that is coming in holds this text.
    async text(part, ms = 5000) {
        await this.#wait(() => this.current
            && Buffer.concat(this.current.pieces).includes(part), ms, `the text ${part}`);
    }

    // Waits for the other side to close; tells how.
    async closed(ms = 5000) {
        await this.#wait(() => this.ended !== null, ms, 'the end of the connection');
        return this.ended;
    }

    get isOpen() {
        return this.ended === null;
    }

    finish() { this.socket.end(); }
    reset() { this.socket.resetAndDestroy(); }
    close() { this.socket.destroy(); }
}

// One request on a connection of its own; gives the complete answer.
export async function ask(where, what, ms = 5000) {
    const app = await App.connect(where);
    try {
        app.send(Buffer.isBuffer(what) || typeof what === 'string' ? what : request(what));
        return await app.answer(ms);
    } finally {
        app.close();
    }
}
