// SPDX-License-Identifier: Apache-2.0
// Runs sinks_rig over a journal of its own; servers that take batches or are a Redis.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { start } from './children.mjs';
import { environment, temporary } from './headgate.mjs';
import { until } from './wire.mjs';

export const RIG = process.env.HEADGATE_SINKS_RIG;

export const idOf = (n) => `01930000-0000-7000-8000-${String(n).padStart(12, '0')}-1`;
export const idsOf = (first, count) => Array.from({ length: count }, (_, i) => idOf(first + i));
// A last line without its end is still being written.
export const idsIn = (text) => text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line).record_id);

// A folder with a journal, a state and settings; a process at a time over them.
export class Sinks {
    constructor(sinks, more = {}) {
        this.folder = temporary();
        this.settle(sinks, more);
    }

    settle(sinks, more = {}) {
        const providers = { a: { kind: 'fixtures', fixtures: { dialect: 'openai' } } };
        fs.writeFileSync(this.at('headgate.yaml'), `version: 1\n${Object.entries({ providers, sinks, ...more })
            .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join('')}`);
    }

    at(name) {
        return path.join(this.folder, name);
    }

    // `stdout`: what it is for the process: 'pipe' (collected in .out), 'ignore', a descriptor.
    async start({ stdout = 'ignore', blocks, env = {} } = {}) {
        fs.mkdirSync(this.at('state'), { recursive: true });
        this.said = [];
        this.out = '';
        const args = [RIG, this.at('headgate.yaml'), this.at('journal'), this.at('state')];
        // No file may get larger than so many blocks of 512 bytes.
        const limited = ['sh', '-c', `trap '' XFSZ; ulimit -S -f ${blocks}; exec "$@"`, 'sh', ...args];
        const [command, ...rest] = blocks ? limited : args;
        this.child = start(command, rest, { stdio: ['pipe', stdout, 'pipe'], cwd: this.folder, env: environment(env) });
        let begun = '';
        this.child.stderr.setEncoding('utf8').on('data', (text) => {
            const lines = (begun + text).split('\n');
            begun = lines.pop();
            this.said.push(...lines.map((line) => line[0] === '{' ? JSON.parse(line) : { event: 'text', text: line }));
        });
        this.child.stdin.on('error', () => {});
        if (stdout === 'pipe') {
            this.child.stdout.setEncoding('utf8').on('data', (text) => { this.out += text; });
        }
        await this.hear('ready');
    }

    events(event) {
        return this.said.filter((line) => line.event === event);
    }

    async hear(event, count = 1, ms = 20000) {
        await until(() => {
            const texts = this.events('text');
            if (texts.length > 0) {
                throw new Error(texts.map((line) => line.text).join('\n'));
            }
            return this.events(event).length >= count;
        }, ms, `event ${event}`);
        return this.events(event)[count - 1];
    }

    say(line) {
        this.child.stdin.write(`${line}\n`);
    }

    append(first, count) {
        this.say(`append ${first} ${count}`);
    }

    // The counts of each sink, by its place in the settings.
    async counts(i = 0) {
        const before = this.events('counts').length;
        this.say('counts');
        await until(() => this.events('counts').length > before + i, 5000, 'counts');
        return this.events('counts')[before + i];
    }

    async delivered(count, i = 0, ms = 20000) {
        let seen;
        await until(async () => {
            seen = await this.counts(i);
            return seen.delivered >= count;
        }, ms, `${count} delivered`);
        return seen;
    }

    async finish(ms = 5000) {
        this.say(`finish ${ms}`);
        const code = await this.child.ended;
        if (code !== 0) {
            throw new Error(`ended with ${code}: ${JSON.stringify(this.said.slice(-3))}`);
        }
    }

    async kill() {
        this.child.kill('SIGKILL');
        await this.child.ended;
    }

    async remove() {
        if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
            await this.kill();
        }
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

// Takes batches. `answer(request, i)` gives { status, headers, delay, hang, body }; kept: all that came.
export class Receiver {
    constructor(answer = () => ({})) {
        this.answer = answer;
        this.requests = [];
        this.connections = 0;
    }

    async start(port = 0) {
        this.server = http.createServer((incoming, outgoing) => this.take(incoming, outgoing));
        this.sockets = new Set();
        this.server.on('connection', (socket) => {
            this.connections++;
            this.sockets.add(socket);
            socket.on('close', () => this.sockets.delete(socket));
        });
        await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
        this.port = this.server.address().port;
        this.url = `http://127.0.0.1:${this.port}/v1/records`;
        return this;
    }

    take(incoming, outgoing) {
        const parts = [];
        incoming.on('data', (part) => parts.push(part));
        incoming.on('end', () => {
            const request = { method: incoming.method, url: incoming.url, headers: incoming.headers, at: Date.now(), body: Buffer.concat(parts).toString() };
            const { status = 200, headers = {}, delay = 0, hang = false, body = '' } = this.answer(request, this.requests.length) ?? {};
            this.requests.push({ ...request, status });
            if (!hang) {
                setTimeout(() => outgoing.writeHead(status, headers).end(body), delay);
            }
        });
    }

    // What it said yes to.
    ids() {
        return this.requests.filter(({ status }) => status < 300).flatMap(({ body }) => idsIn(body));
    }

    async stop() {
        this.sockets.forEach((socket) => socket.destroy());
        await new Promise((resolve) => this.server.close(resolve));
    }
}
