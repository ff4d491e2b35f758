// SPDX-License-Identifier: Apache-2.0
// Row BF33 of bad-input.md: mutated requests through nginx and HAProxy in front, which use their
// connections to headgate again and again. Two readers that disagree about where a request ends
// would make two out of one, or a wrong one out of the next. What must hold: headgate never sees
// more requests than the front says it passed on, and the provider gets each body once, as it was
// sent, or not at all. Both have to be installed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './lib/app.mjs';
import { freePort, requireBinary, temporary } from './lib/headgate.mjs';
import { Bench } from './lib/rows.mjs';
import { good } from './lib/samples.mjs';
import { bytes, patient, until } from './lib/wire.mjs';

requireBinary();

const FULL = process.env.HEADGATE_TEST_SCALE === 'full';
const MUTANTS = Number(process.env.HEADGATE_TEST_MUTANTS ?? (FULL ? 500000 : 1500)); // through each front
const SEED = Number(process.env.SEED ?? 0x9e3779b9);
const BATCH = 1000; // after so many everything is counted
const WIDTH = 32;   // connections at a time

// ---- the fronts ----

// nginx writes a line per request: 'passed' when a server was chosen for it. HAProxy counts.
const NGINX = ({ dir, port, to }) => `
worker_processes 1;
daemon off;
master_process off;
pid ${dir}/pid;
error_log /dev/null crit;
events { worker_connections 512; }
http {
    map $upstream_addr $fate { default passed; "" kept; }
    log_format fate $fate;
    access_log ${dir}/access fate;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${dir}/${one};`).join(' ')}
    upstream headgate { server 127.0.0.1:${to}; keepalive 32; }
    server {
        listen 127.0.0.1:${port};
        client_body_timeout 2s;
        client_header_timeout 2s;
        underscores_in_headers on;
        ignore_invalid_headers off;
        location / {
            proxy_pass http://headgate;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_request_buffering off;
            proxy_next_upstream off;
            proxy_ignore_client_abort on;
        }
    }
}
`;
const HAPROXY = ({ dir, port, to }) => `
global
    stats socket ${dir}/stats mode 600
    maxconn 512
defaults
    mode http
    timeout connect 2s
    timeout client 2s
    timeout server 5s
    retries 0
    http-reuse always
frontend apps
    bind 127.0.0.1:${port}
    default_backend headgate
backend headgate
    server headgate 127.0.0.1:${to}
`;

class Front {
    static async start(kind, to) {
        const front = new Front();
        const dir = temporary();
        const port = await freePort();
        const file = path.join(dir, 'front.conf');
        fs.writeFileSync(file, { nginx: NGINX, haproxy: HAPROXY }[kind]({ dir, port, to }));
        Object.assign(front, { kind, dir, port, before: 0 });
        front.process = spawn(kind, kind === 'nginx' ? ['-p', dir, '-c', file, '-e', '/dev/null'] : ['-db', '-f', file],
            { stdio: ['ignore', 'ignore', 'inherit'] });
        front.process.unref(); // a failed test must not keep the run alive
        process.on('exit', () => front.process.kill('SIGKILL'));
        await until(() => ask(port, { method: 'GET', target: '/livez', host: '127.0.0.1' }, 1000).then((answer) => answer.status === 200, () => false), 5000, kind);
        return front;
    }

    // How many requests it has passed on so far.
    async count() {
        const all = this.kind === 'nginx' ? fs.readFileSync(path.join(this.dir, 'access'), 'latin1').split('passed').length - 1
                                          : await this.#chosen();
        return all - this.before;
    }

    // How often HAProxy has chosen the server ("lbtot"). Lines of a log may be dropped under load.
    async #chosen() {
        const socket = net.connect({ path: path.join(this.dir, 'stats') });
        let text = '';
        socket.on('data', (piece) => { text += piece; });
        socket.write('show stat -1 4 -1\n');
        await new Promise((resolve) => socket.once('close', resolve));
        const [names, values] = text.split('\n').map((line) => line.split(','));
        return Number(values[names.indexOf('lbtot')]);
    }

    async stop() {
        this.process.kill('SIGTERM');
        await new Promise((resolve) => this.process.once('close', resolve));
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

// ---- the mutants ----

const ALPHABET = bytes('\r\n\t :;,0123456789abcdefXTE\0\x7f\xff');
const HIDDEN = 'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ';

class Mutants {
    #state;
    constructor(seed) { this.#state = seed; }

    dice(sides) {
        this.#state = (Math.imul(this.#state, 1103515245) + 12345) >>> 0;
        return (this.#state >>> 8) % sides;
    }

    pick(list) { return list[this.dice(list.length)]; }

    // { body: what the provider may get, mutant: what is sent }
    next(number, host) {
        const sent = good('chat', { user: `turn-${number}.` });
        const turn = this.dice(6); // one of six is good: it would be the victim
        const mutant = turn < 2 ? this.#framed(sent.body, host, number) : this.#spoilt(sent.body, host, turn < 5);
        return { body: sent.body, mutant };
    }

    #head(host, more) {
        return ['POST /v1/chat/completions HTTP/1.1', `Host: ${host}`, 'Content-Type: application/json', ...more];
    }

    // One to three bytes of the head are others; or none.
    #spoilt(body, host, isSpoilt) {
        const head = bytes([...this.#head(host, [`Content-Length: ${body.length}`]), '', ''].join('\r\n'));
        for (let i = 0; isSpoilt && i <= this.dice(3); i += 1) {
            head[this.dice(head.length)] = ALPHABET[this.dice(ALPHABET.length)];
        }
        return Buffer.concat([head, bytes(body)]);
    }

    // Two lengths that disagree, in many spellings; one reading of them finds a second request.
    #framed(body, host, number) {
        const hidden = body.replace('turn-', 'hidden-');
        const second = HIDDEN + `${hidden.length}\r\n\r\n${hidden}`;
        const chunked = `${body.length.toString(16)}${this.pick(['', ';a=b', ';\n', ' ', '\t', ';a="\r\n"'])}${this.pick(['\r\n', '\n'])}${body}\r\n0\r\n${this.pick(['', 'A: b\r\n', 'Content-Length: 5\r\n'])}\r\n`;
        const payload = this.pick([body + second, chunked + second, `0\r\n\r\n${second}`, chunked, body]);
        const length = this.pick([body.length, payload.length, chunked.length, 5, 0, number]);
        const coding = this.pick(['chunked', 'xchunked', 'chunked, identity', 'identity, chunked', '\tchunked', 'chunked\t', 'Chunked', '"chunked"', 'chunked;q=1', '\x0bchunked', 'gzip, chunked', '']);
        const te = this.pick(['Transfer-Encoding', 'Transfer-Encoding ', 'transfer-encoding', 'Transfer_Encoding', 'Transfer-Encoding\0', ' Transfer-Encoding', 'X: y\nTransfer-Encoding']);
        const cl = this.pick(['Content-Length', 'Content-Length ', 'content-length', 'Content_Length', 'Content-Length\t', 'X: y\rContent-Length']);
        const value = this.pick([`${length}`, `+${length}`, `0${length}`, `${length}, ${length}`, `${length},5`, ` ${length} `, `${length}\x0b`, `0x${length.toString(16)}`, `-${length}`, `${length}.0`]);
        const lines = this.pick([[`${te}: ${coding}`, `${cl}: ${value}`], [`${cl}: ${value}`, `${te}: ${coding}`], [`${te}: ${coding}`], [`${cl}: ${value}`],
            [`${cl}: ${value}`, `Content-Length: ${body.length}`], [`${te}: ${coding}`, 'Transfer-Encoding: chunked'], ['Connection: Content-Length', `${cl}: ${value}`],
            ['Expect: 100-continue', `${cl}: ${value}`], ['Upgrade: h2c', 'Connection: Upgrade', `${cl}: ${value}`]]);
        return Buffer.concat([bytes([...this.#head(host, lines), '', ''].join('\r\n')), bytes(payload)]);
    }
}

// Sends, says that nothing more comes, and waits for the other side to close.
function send(port, mutant) {
    return new Promise((resolve) => {
        const socket = net.connect({ host: '127.0.0.1', port });
        socket.setTimeout(patient(8000), () => socket.destroy());
        socket.on('data', () => {});
        socket.on('error', () => {});
        socket.on('close', resolve);
        socket.end(mutant);
    });
}

// ---- the row ----

for (const kind of ['nginx', 'haproxy']) {
    test(`BF33 ${MUTANTS} mutants through ${kind} never become more requests than were sent`, { timeout: patient(FULL ? 1800000 : 60000) }, async () => {
        const own = await Bench.start();
        const front = await Front.start(kind, own.port);
        const mutants = new Mutants(SEED);
        const begun = Date.now();
        let calls = 0;
        let served = 0;
        own.headgate.stderr = '';
        front.before = await front.count(); // those that asked whether it is ready
        for (let number = 0; number < MUTANTS;) {
            const batch = new Map(); // body: the mutant it came in
            const left = Array.from({ length: Math.min(BATCH, MUTANTS - number) }, () => {
                const { body, mutant } = mutants.next(number, `127.0.0.1:${own.port}`);
                number += 1;
                batch.set(body, mutant);
                return mutant;
            });
            await Promise.all(Array.from({ length: WIDTH }, async () => {
                while (left.length > 0) {
                    await send(front.port, left.pop());
                }
            }));
            own.headgate.check();
            calls += own.headgate.callLines().length;
            own.headgate.stderr = '';
            for (const { body } of own.upstream.requests) {
                const text = body.toString('latin1');
                const turn = text.replace('hidden-', 'turn-');
                // The hidden one may come as well, once, where the front took it for a request too:
                // the counts below tell.
                assert.ok(batch.has(turn), `not as sent: ${JSON.stringify(text)}`);
                assert.ok(batch.get(text) !== null, `twice: ${JSON.stringify(text)}`);
                batch.set(text, null);
                served += 1;
            }
            own.upstream.check();
            own.upstream.forget();
            await until(async () => await front.count() >= calls, 3000, `headgate saw ${calls} requests, more than ${kind} passed on`);
        }
        await sleep(100);
        assert.ok(served > MUTANTS / 10 && calls > served, `${served} served of ${calls} calls`);
        if (MUTANTS > 10000) {
            console.log(`BF33 ${kind}: ${MUTANTS} mutants in ${Date.now() - begun} ms; passed on ${await front.count()}, calls ${calls}, served ${served}`);
        }
        assert.equal((await ask(front.port, { ...good(), host: '127.0.0.1' })).status, 200, 'a good request is served');
        await front.stop();
        await own.stop();
    });
}
