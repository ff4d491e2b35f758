// SPDX-License-Identifier: Apache-2.0
// Connections that never bring a whole head, from as many addresses of 127.0.0.0/8 as wanted. Small
// floods run inside of a test; large ones in a process of their own, so that they do not slow down
// what the test measures: `Flood.apart` starts this file as a program.
import { fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

export class Flood {
    opened = 0;
    open = new Set();  // their numbers, in the order of connecting
    ended = [];        // { number, after (ms), text }, in the order of ending

    // from: addresses, taken in turn. start: sent at once ('' for nothing); drip: sent each `every` ms.
    constructor({ port, from, start = '', drip = '', every = 5000 }) {
        Object.assign(this, { port, from, start, drip, every, sockets: new Map() });
    }

    // Opens one more; resolves when it stands.
    one() {
        const number = this.opened;
        this.opened += 1;
        return new Promise((resolve) => {
            const socket = net.connect({ host: '127.0.0.1', port: this.port, localAddress: this.from[number % this.from.length] });
            const begun = Date.now();
            let text = '';
            let timer;
            socket.unref();
            socket.on('connect', () => {
                this.open.add(number);
                this.sockets.set(number, socket);
                if (this.start !== '') {
                    socket.write(this.start);
                }
                if (this.drip !== '') {
                    timer = setInterval(() => socket.write(this.drip), this.every);
                }
                resolve();
            });
            socket.on('data', (piece) => { text += piece.toString('latin1').slice(0, 200); });
            socket.on('error', () => {});
            socket.on('close', () => {
                clearInterval(timer);
                this.open.delete(number);
                this.sockets.delete(number);
                this.ended.push({ number, after: Date.now() - begun, text });
                resolve();
            });
        });
    }

    // Opens `count`, `width` of them at a time.
    async grow(count, width = 50) {
        for (let left = count; left > 0; left -= width) {
            await Promise.all(Array.from({ length: Math.min(left, width) }, () => this.one()));
        }
    }

    stop() {
        this.sockets.forEach((socket) => socket.destroy());
    }

    // How it ended for each: refused (408), closed without a word, still open.
    summary() {
        const refused = this.ended.filter(({ text }) => text.startsWith('HTTP/1.1 408'));
        return { opened: this.opened, open: this.open.size, ended: this.ended.length, refused: refused.length,
                 soonest: Math.min(...refused.map(({ after }) => after)), latest: Math.max(...refused.map(({ after }) => after)) };
    }

    // The same in another process: { grown: a promise, end(): its summary }.
    static apart(options, count, width) {
        const child = fork(fileURLToPath(import.meta.url), [], { stdio: 'inherit' });
        const told = (what) => new Promise((resolve, reject) => {
            child.on('message', (message) => message[what] && resolve(message[what]));
            child.once('exit', () => reject(new Error('the flood ended by itself')));
        });
        const grown = told('grown');
        child.send({ options, count, width });
        return { grown, async end() {
            const summary = told('summary');
            child.send({ end: true });
            return summary;
        } };
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.send) {
    let flood;
    process.on('message', async ({ options, count, width, end }) => {
        if (end) {
            process.send({ summary: flood.summary() }, () => process.exit(0));
            return;
        }
        flood = new Flood(options);
        await flood.grow(count, width);
        await sleep(0);
        process.send({ grown: flood.summary() });
    });
}
