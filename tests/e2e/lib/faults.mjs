// SPDX-License-Identifier: Apache-2.0
// What the tests of provider faults share: one headgate with short timeouts before one scripted
// provider, one call, and what must hold after a fault: exactly one answer, the request once at the
// provider, a line in the log, and healthy calls afterwards.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './app.mjs';
import { Headgate, providersAt } from './headgate.mjs';
import { checkRefusal } from './rows.mjs';
import { good, healthy, upstreamFile } from './samples.mjs';
import { Upstream } from './upstream.mjs';
import { patient } from './wire.mjs';

// Short enough for a test, long enough for a loaded machine; in milliseconds.
const TIMEOUTS = { connect: 700, write: 900, head: 900, first_content: 700, idle: 900, content_idle: 1500,
    total: 2500, stream_total: 6000 };
const timeouts = Object.fromEntries(Object.entries(TIMEOUTS).map(([name, ms]) => [name, `${patient(ms)}ms`]));

// One target, asked once: what it does is what the app is told.
export const route = (provider) => ({ targets: [{ provider }], timeouts, retry: { attempts: 1 } });

// A whole good answer and the pieces of it as bytes.
export const WHOLE = upstreamFile('openai-chat.json').toString();
export const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
export const counted = (lines = '', body = WHOLE) => `${HEAD}${lines}Content-Length: ${body.length}\r\n\r\n${body}`;

// Scripts: bytes as they are, and then the end of the connection.
export const says = (text) => (exchange) => exchange.send(text);
export const saysAndEnds = (text) => async (exchange) => {
    await exchange.send(text);
    exchange.end();
};

const modelFor = (operation) => (operation === 'messages' ? 'quick-claude' : 'quick');

export class FaultBench {
    static async start() {
        const bench = new FaultBench();
        const upstream = await Upstream.start();
        bench.upstream = upstream.play(healthy);
        const own = { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: 'passthrough' };
        bench.headgate = await Headgate.start({
            providers: { ...providersAt(upstream), own },
            routes: { quick: route('openai'), 'quick-claude': route('anthropic'), 'quick-own': route('own'),
                again: { ...route('openai'), retry: { attempts: 2 } } },
            limits: { response: '1MiB' },
        }, { resets: true });
        return bench;
    }

    async stop() {
        await this.headgate?.stop();
        await this.upstream?.stop();
    }

    request(operation = 'chat', more = {}) {
        return good(operation, { model: modelFor(operation), ...more });
    }

    call(operation, more) {
        return ask(this.headgate.port, this.request(operation, more), 15000);
    }

    stream(operation, more) {
        return this.call(operation, { stream: true, ...more });
    }

    // The next row of a table: what the provider does, and nothing held against it yet.
    async row(script) {
        await this.headgate.reset();
        this.upstream.play(script);
    }

    // Two healthy calls, one on each kind of connection that a fault may have left behind.
    async recovers() {
        this.headgate.check();
        this.upstream.check();
        await this.row(healthy);
        for (let i = 0; i < 2; i += 1) {
            const answer = await this.call();
            assert.equal(answer.status, 200, `the next healthy call: ${answer.body}`);
        }
    }

    // Plays a script, makes one call, judges the refusal, in both dialects where the fault is not of
    // one, and checks that the provider saw the request once. outcome: the log's word for it.
    async refusesWith(script, status, code, { stream = false, operations = ['chat', 'messages'], outcome } = {}) {
        for (const operation of operations) {
            await this.recovers();
            this.upstream.dropConnections();
            await sleep(20);
            this.upstream.forget();
            this.upstream.play(script);
            const answer = await this.call(operation, stream ? { stream: true } : {});
            checkRefusal(answer, { status, code, dialect: operation === 'messages' ? 'anthropic' : 'openai' });
            assert.equal(this.upstream.heads.length, 1, 'requests at the provider');
            const line = await this.headgate.callLine(answer);
            assert.equal(line.status, answer.status);
            if (outcome !== undefined) {
                assert.equal(line.outcome, outcome);
            }
        }
        await this.recovers();
    }
}
