// SPDX-License-Identifier: Apache-2.0
// The official SDKs, unmodified and with their own retries on, before a sick provider. With a healthy one
// behind it each sees one whole answer; alone, one error of the right class; and no more calls come
// than its own rules and what we told it allow. Each case has providers of its own, so that what the
// breakers learned in one says nothing in another; the cases of a client run side by side.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { after, before, describe } from './lib/test.mjs';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { healthy } from './lib/samples.mjs';
import { CLIENTS } from './lib/sdk_clients.mjs';
import { AFTER_CONTENT, BEFORE_CONTENT } from './lib/sdk_faults.mjs';
import { Upstream } from './lib/upstream.mjs';
import { patient, until } from './lib/wire.mjs';

requireBinary();

const LIMIT = { timeout: patient(60000) };
const ms = (value) => `${patient(value)}ms`;
const timeouts = { head: ms(1500), first_content: ms(1500), idle: ms(1000), content_idle: ms(1000) };
// Their breakers and pauses would only change when the SDKs' own further calls are answered, and how.
const SICK = { breaker: { failures: 1000, open: '100ms' } };
const retry = { base: '20ms' };

// What is told when no other provider is left: status for OpenAI's and Anthropic's clients, our code, and
// whether a wait is told or that trying again is of no use. Both tried twice by headgate, where it may.
const ALONE = {
    '503 in JSON': { status: { openai: 503, anthropic: 529 }, code: 'upstream_overloaded', retry: 'wait' },
    529: { status: { openai: 503, anthropic: 529 }, code: 'upstream_overloaded', retry: 'wait' },
    '429 with a wait': { status: 429, code: 'rate_limit_exceeded', retry: 'wait' },
    500: { status: 502, code: 'upstream_error', retry: 'no' },
    refused: { status: 502, code: 'upstream_connect', retry: 'no' },
    'reset before the head': { status: 502, code: 'upstream_reset', retry: 'no' },
    'no head': { status: 504, code: 'upstream_timeout', retry: 'no' },
    'cut before content': { status: 502, code: 'upstream_truncated', retry: 'no' },
    'an error first': { status: 502, code: 'upstream_error', retry: 'no' },
    'a page': { status: 502, code: 'upstream_bad_body', retry: 'no' },
    'an empty answer': { status: 502, code: { whole: 'upstream_bad_body', stream: 'upstream_empty_stream' }, retry: 'no' },
    401: { status: 502, code: 'upstream_auth', retry: 'no' },
    quota: { status: 503, code: 'upstream_quota', retry: 'no' }, // a wait is told, but one too long to wait
    'JSON cut short': { status: { whole: 502, stream: 504 }, code: { whole: 'upstream_bad_body', stream: 'upstream_timeout' }, retry: 'no' },
};
assert.deepEqual(Object.keys(ALONE).sort(), Object.keys(BEFORE_CONTENT).sort());

const callsAt = (upstream) => upstream.requests.filter(({ method }) => method === 'POST').length;

// A provider that is sick is so for headgate's own probes too.
const sick = (script) => (exchange) => (exchange.request.method === 'POST' ? script(exchange) : exchange.reset());

const pick = (value, ...keys) => (typeof value === 'object' ? value[keys.find((key) => key in value)] : value);

// One headgate for a client; providers and routes are added before it starts.
class Bench {
    providers = {};
    routes = {};
    upstreams = [];

    constructor(client) {
        this.client = client;
    }

    async upstream(script) {
        const upstream = await Upstream.start();
        upstream.play(script);
        this.upstreams.push(upstream);
        return upstream;
    }

    provider(origin, more = {}) {
        const name = `p${Object.keys(this.providers).length}`;
        const kind = this.client.dialect;
        this.providers[name] = { kind, base_url: kind === 'openai' ? `${origin}/v1` : origin, credential: CANARY[kind === 'openai' ? 'provider' : kind], ...more };
        return { provider: name };
    }

    // An address of its own where nobody listens: a port that only the system could use.
    nobody() {
        this.nobodies = (this.nobodies ?? 0) + 1;
        return `http://127.0.1.${this.nobodies}:1`;
    }

    // { model, primary, secondary }: a script, or null for nobody there; with a healthy second one or alone.
    async place(script, isAlone) {
        const primary = script === null ? null : await this.upstream(sick(script));
        const secondary = isAlone ? null : await this.upstream(healthy);
        const targets = [this.provider(primary?.origin ?? this.nobody(), SICK)];
        if (secondary !== null) {
            targets.push(this.provider(secondary.origin));
        }
        const model = `m${Object.keys(this.routes).length}`;
        this.routes[model] = { targets, timeouts, retry };
        return { model, primary, secondary };
    }

    async start() {
        this.headgate = await Headgate.start({ providers: this.providers, routes: this.routes });
    }

    async stop() {
        await this.headgate?.stop();
        await Promise.all(this.upstreams.map((upstream) => upstream.stop()));
    }

    // { text, error, said, lines }: what the SDK gave, and the lines of the calls it made for it.
    async call(mode, model, calls) {
        const id = `${model}.${mode}`;
        const how = { origin: `http://127.0.0.1:${this.headgate.port}`, model, id, said: (piece) => { result.said += piece; } };
        const result = { said: '' };
        await this.client[mode](how).then((text) => { result.text = text; }, (error) => { result.error = error; });
        const lines = () => this.headgate.callLines().filter((line) => line.request_id === id);
        await until(() => lines().length >= calls, 5000, `${calls} calls of ${id}, ${result.error ?? result.text}`);
        await sleep(50);
        result.lines = lines();
        assert.equal(result.lines.length, calls, `calls: ${JSON.stringify(result.lines.map(({ status, reason, tries }) => ({ status, reason, tries })))}`);
        return result;
    }
}

function suite(client) {
    const bench = new Bench(client);
    const places = new Map();
    const reference = {};
    const at = (fault, mode, isAlone) => places.get(`${fault}, ${mode}, ${isAlone}`);
    before(async () => {
        const well = await bench.place(healthy, true);
        for (const mode of ['whole', 'stream']) {
            for (const [fault, script] of Object.entries(BEFORE_CONTENT)) {
                places.set(`${fault}, ${mode}, true`, await bench.place(script, true));
                places.set(`${fault}, ${mode}, false`, await bench.place(script, false));
            }
        }
        for (const [fault, script] of Object.entries(AFTER_CONTENT)) {
            places.set(`${fault}, stream, false`, await bench.place(script, false));
        }
        await bench.start();
        for (const mode of ['whole', 'stream']) {
            reference[mode] = (await bench.call(mode, well.model, 1)).text;
            assert.ok(reference[mode].length > 0);
        }
    });
    after(() => bench.stop());

    for (const mode of ['whole', 'stream']) {
        for (const fault of Object.keys(BEFORE_CONTENT)) {
            test(`${fault}, ${mode}: the other provider's answer`, LIMIT, async () => {
                const { model, primary, secondary } = at(fault, mode, false);
                const { text, error, said, lines: [line] } = await bench.call(mode, model, 1);
                assert.equal(error, undefined, `${error} ${line.tries}`);
                assert.equal(text, reference[mode], 'one whole answer');
                assert.equal(said, mode === 'stream' ? text : '', 'and nothing else');
                assert.equal(line.status, 200);
                assert.equal(callsAt(secondary), 1);
                if (primary !== null) {
                    assert.equal(callsAt(primary), line.attempts - 1, line.tries);
                }
            });
            test(`${fault}, ${mode}: alone`, LIMIT, async () => {
                const wanted = ALONE[fault];
                const { model, primary } = at(fault, mode, true);
                const { text, error, said, lines } = await bench.call(mode, model, client.tries[wanted.retry]);
                assert.equal(text, undefined, 'no answer');
                assert.equal(said, '');
                const { status, code, isRight } = client.fault(error);
                assert.equal(status, pick(wanted.status, client.dialect, mode), String(error));
                assert.ok(isRight, `${error.constructor.name}: ${error}`);
                if (code) {
                    assert.equal(code, pick(wanted.code, mode));
                }
                assert.ok(lines.every((line) => line.status === status), JSON.stringify(lines));
                if (primary !== null) {
                    assert.equal(callsAt(primary), lines.reduce((sum, line) => sum + (line.attempts ?? 0), 0));
                }
            });
        }
    }
    for (const fault of Object.keys(AFTER_CONTENT)) {
        test(`${fault}: one error, after what was said`, LIMIT, async () => {
            const { model, primary, secondary } = at(fault, 'stream', false);
            const { text, error, said, lines: [line] } = await bench.call('stream', model, 1);
            assert.equal(text, undefined, 'not taken for an answer');
            assert.ok(error instanceof Error);
            assert.match(error.message, fault === 'an error after content' ? /upstream died/ : /headgate: /);
            assert.ok(said.length > 0 && reference.stream.startsWith(said), said);
            assert.equal(line.attempts, 1);
            assert.deepEqual([callsAt(primary), callsAt(secondary)], [1, 0]);
        });
    }
}

describe('SDKs before a sick provider', { concurrency: 4 }, () => {
    for (const client of CLIENTS) {
        describe(client.name, { concurrency: 16 }, () => suite(client));
    }
});
