// SPDX-License-Identifier: Apache-2.0
// Many apps that spend one budget through one or several headgates at once: providers whose calls cost
// 0.1 to 0.8 % of it and fail now and then, repeated calls, and what must be true when all is quiet.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './app.mjs';
import { CANARY, Headgate, temporary } from './headgate.mjs';
import { recordsIn } from './records.mjs';
import { good } from './samples.mjs';
import { Upstream } from './upstream.mjs';
import { header, patient, until } from './wire.mjs';

export const LIMIT = 100000000n; // nanodollars: 0.10 USD
// 1 USD per million in, 10 out: 100 tokens in, and 0 to 70 out, are 0.1 to 0.8 % of the limit.
const PRICES = ['first', 'second'].map((provider) => `  - { provider: ${provider}, model: m, input: 1, output: 10, source: made-up }`);

// Chance that can be had again.
export function chance(seed) {
    let state = seed >>> 0;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 4294967296) * below);
    };
}

export class Spenders {
    static async start({ processes = 1, ledger, seed = 1, fails = 10, limit = '0.10 USD', budget = {}, settings = {} } = {}) {
        const one = new Spenders();
        one.dir = temporary();
        one.draw = chance(seed);
        one.ledger = ledger;
        one.settings = settings;
        one.budgets = [{ name: 'all', scope: 'team', limit, window: 'total', ...budget }];
        fs.writeFileSync(path.join(one.dir, 'prices.yaml'), `version: 1\nprices:\n${PRICES.join('\n')}\n`);
        one.upstream = await Upstream.start();
        one.upstream.play((exchange) => one.#answer(exchange, fails));
        one.headgates = [];
        for (let i = 0; i < processes; i += 1) {
            one.headgates.push(await one.launch(i));
        }
        if (ledger) { // a server that nobody knows yet is given two seconds, by each
            await Promise.all(one.headgates.map((headgate) => until(async () => (await one.ask(headgate)).status === 200, patient(15000), 'the ledger')));
        }
        return one;
    }

    async #answer(exchange, fails) {
        if (!exchange.request.target.startsWith('/second') && fails > 0 && this.draw(100) < fails) {
            return exchange.json({ error: { message: 'for once', type: 'server_error' } }, 500);
        }
        const output = this.draw(71);
        return exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
            usage: { prompt_tokens: 100, completion_tokens: output, total_tokens: 100 + output } });
    }

    launch(i, more = {}) {
        return Headgate.start({
            state_dir: path.join(this.dir, `state-${i}`),
            providers: {
                first: { kind: 'openai', base_url: `${this.upstream.origin}/v1`, credential: CANARY.provider },
                second: { kind: 'openai', base_url: `${this.upstream.origin}/second/v1`, credential: CANARY.provider },
            },
            routes: { one: { targets: [{ provider: 'first', model: 'm' }, { provider: 'second', model: 'm' }], retry: { attempts: 3, base: '1ms' } } },
            prices: { files: [path.join(this.dir, 'prices.yaml')] },
            budgets: this.budgets, ...(this.ledger ? { ledger: this.ledger } : {}), ...this.settings,
        }, more);
    }

    async ask(headgate) {
        const answer = await ask(headgate.port, good('chat', { model: 'one', max_tokens: 71 }), patient(20000));
        return { status: answer.status, cost: header(answer, 'x-headgate-cost-usd'), code: answer.status >= 400 ? JSON.parse(answer.body.toString()).error.code : undefined };
    }

    // One call; a repeat sends the same one twice at once, with the same Idempotency-Key.
    async call(headgate, { repeats = 0 } = {}) {
        const isTwice = repeats > 0 && this.draw(100) < repeats;
        const headers = isTwice ? { 'Idempotency-Key': `k-${this.draw(2 ** 31)}-${this.draw(2 ** 31)}`, Authorization: `Bearer ${CANARY.app}` } : undefined;
        const wanted = good('chat', { model: 'one', max_tokens: 71 }, headers ? { headers } : {});
        const answers = await Promise.all([ask(headgate.port, wanted, patient(20000)), ...(isTwice ? [ask(headgate.port, wanted, patient(20000))] : [])]);
        return answers.map((answer) => answer.status);
    }

    // So many apps at each headgate, each with so many calls or until it is refused often enough.
    async spend({ apps, calls, repeats = 0, refusals = 3 }) {
        const statuses = new Map();
        await Promise.all(this.headgates.flatMap((headgate) => Array.from({ length: apps }, async () => {
            for (let i = 0, refused = 0; i < calls && refused < refusals; i += 1) {
                for (const status of await this.call(headgate, { repeats })) {
                    statuses.set(status, (statuses.get(status) ?? 0) + 1);
                    refused += status === 402;
                }
            }
        })));
        return statuses;
    }

    records() {
        return fs.readdirSync(this.dir).filter((name) => name.startsWith('state-'))
            .flatMap((name) => recordsIn(path.join(this.dir, name)));
    }

    charged() {
        const ids = new Set();
        let sum = 0n;
        for (const record of this.records()) {
            assert.ok(!ids.has(record.record_id), `${record.record_id} twice`);
            ids.add(record.record_id);
            sum += BigInt(record.charged_nusd ?? 0);
        }
        return sum;
    }

    // The counter of the budget, as one headgate sees it.
    async counter(headgate = this.headgates[0]) {
        const answer = await ask(headgate.admin, { method: 'GET', target: '/admin/v1/budgets', host: `127.0.0.1:${headgate.admin}` }, 5000);
        assert.equal(answer.status, 200, answer.body.toString());
        return JSON.parse(answer.body.toString()).budgets.find((one) => one.budget === 'all');
    }

    // All quiet: nothing held or presumed, and the ledger is the sum of the records.
    async settled(limit = LIMIT, ms = 10000) {
        let counter;
        let sum;
        await until(async () => {
            counter = await this.counter().catch(() => null);
            sum = this.charged();
            return counter && BigInt(counter.held_nusd) === 0n && BigInt(counter.presumed_nusd) === 0n && BigInt(counter.settled_nusd) === sum;
        }, ms, 'that all is settled').catch((error) => {
            error.message += `: ${JSON.stringify(counter)}, records ${sum}`;
            throw error;
        });
        assert.ok(sum <= limit, `${sum} of ${limit} were spent`);
        return sum;
    }

    async stop() {
        await Promise.all(this.headgates.map((headgate) => headgate.stop()));
        await this.upstream.stop();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }

    async kill() {
        await Promise.allSettled(this.headgates.map((headgate) => headgate?.kill()));
        await this.upstream?.stop();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}
