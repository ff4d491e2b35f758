// SPDX-License-Identifier: Apache-2.0
// Calls at a fixed rate, however long the answers take (open loop), whole ones and streams in turn.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CANARY } from './headgate.mjs';
import { patient } from './wire.mjs';

const SAID = [{ role: 'user', content: 'Say hello.' }];
const BODIES = [false, true].map((stream) => JSON.stringify({ model: 'm', stream, messages: SAID }));

// Whether this is one whole good answer.
function isWhole(answer, text, isStream) {
    if (answer.statusCode !== 200 || !answer.complete) {
        return false;
    }
    return isStream ? text.endsWith('data: [DONE]\n\n') && text.split('data: [DONE]').length === 2 && !text.includes('"error"')
                    : JSON.parse(text).choices.length === 1;
}

export class Load {
    calls = []; // { marker, at, took (ms), isGood, status, attempts, why }
    #isOver = false;

    // patience: how long an answer may be silent, in ms.
    constructor(port, { perSecond, patience = 20000 }) {
        Object.assign(this, { port, perSecond, patience });
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 4096 });
    }

    start() {
        this.running = this.#run();
        return this;
    }

    async #run() {
        const begun = performance.now();
        const pending = new Set();
        for (let sent = 0; !this.#isOver;) {
            const due = Math.floor((performance.now() - begun) * this.perSecond / 1000);
            for (; sent < due; sent += 1) {
                const one = this.#call(sent).finally(() => pending.delete(one));
                pending.add(one);
            }
            await sleep(1);
        }
        await Promise.all(pending);
        this.agent.destroy();
    }

    async stop() {
        this.#isOver = true;
        await this.running;
    }

    #call(number) {
        const isStream = number % 2 === 1;
        const marker = `load.${number}${isStream ? '-stream' : ''}`;
        const body = BODIES[Number(isStream)];
        const call = { marker, at: Date.now(), isGood: false };
        const begun = performance.now();
        this.calls.push(call);
        return new Promise((resolve) => {
            const over = (why) => {
                if (call.took === undefined) {
                    call.took = performance.now() - begun;
                    call.why = why;
                    resolve();
                }
            };
            const request = http.request({ host: '127.0.0.1', port: this.port, agent: this.agent, method: 'POST',
                path: '/v1/chat/completions', timeout: patient(this.patience),
                headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body),
                           Authorization: `Bearer ${CANARY.app}`, 'x-client-request-id': marker, 'x-request-id': marker } }, (answer) => {
                const pieces = [];
                call.status = answer.statusCode;
                answer.on('data', (piece) => pieces.push(piece));
                answer.on('error', (error) => over(error.message));
                answer.on('end', () => {
                    const text = Buffer.concat(pieces).toString();
                    call.isGood = isWhole(answer, text, isStream);
                    over(call.isGood ? undefined : text.slice(-300));
                });
            });
            request.on('timeout', () => request.destroy(new Error('no answer')));
            request.on('error', (error) => over(error.message));
            request.end(body);
        });
    }
}

// The p-th percentile, of a list of numbers.
export function percentile(values, p) {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p / 100))];
}
