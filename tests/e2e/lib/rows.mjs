// SPDX-License-Identifier: Apache-2.0
// Table tests of hostile input: each row says what is sent and the one right answer; everything that
// must hold after every row (bad-input.md, head) is checked here, in one place.
import assert from 'node:assert/strict';
import { App } from './app.mjs';
import { CANARY, Headgate, providersAt } from './headgate.mjs';
import { good, healthy } from './samples.mjs';
import { Upstream } from './upstream.mjs';
import { bytes, header, request } from './wire.mjs';

// The error of an answer in the form of its dialect: { type, code, message, param }.
export function errorOf(answer, dialect = 'openai') {
    assert.match(header(answer, 'content-type') ?? '', /^application\/json/);
    const body = JSON.parse(answer.body.toString('utf8'));
    if (dialect === 'anthropic') {
        assert.equal(body.type, 'error', 'the Anthropic form');
    } else {
        assert.equal(body.type, undefined, 'the OpenAI form');
        assert.ok('param' in body.error && 'code' in body.error, 'the OpenAI form has param and code');
    }
    assert.equal(typeof body.error.type, 'string');
    assert.equal(typeof body.error.message, 'string');
    return body.error;
}

const listed = (wanted) => (Array.isArray(wanted) ? wanted : [wanted]);

// Every error tells SDKs when to ask again or not to, or they multiply our own attempts (conventions.md
// 1.7): a wait of 1 to 60 s alone when it is known and can be told, 60 s and "do not" when it is longer.
export function checkWait(answer) {
    const told = header(answer, 'retry-after');
    const ms = header(answer, 'retry-after-ms');
    const refrain = header(answer, 'x-should-retry');
    const text = JSON.stringify({ status: answer.status, told, ms, refrain });
    assert.ok(refrain === undefined || refrain === 'false', `x-should-retry, once and "false": ${text}`);
    if (told === undefined) {
        assert.equal(refrain, 'false', `no wait to keep and no word against asking again: ${text}`);
        assert.equal(ms, undefined, text);
        return;
    }
    assert.match(told, /^([1-9]|[1-5]\d|60)$/, `a wait of 1 to 60 s, told once: ${text}`);
    assert.match(ms ?? '', /^[1-9]\d*$/, text);
    assert.equal(Math.ceil(Number(ms) / 1000), Number(told), `the same in milliseconds: ${text}`);
    assert.ok(refrain === undefined || told === '60', `a wait to keep and a word against it: ${text}`);
}

// One refusal of ours: status, code (Anthropic bodies have none), form, no echo of what was sent.
export function checkRefusal(answer, { status, code, dialect = 'openai', type }) {
    const text = answer.body.toString('utf8');
    assert.ok(listed(status).includes(answer.status), `status ${answer.status} (wanted ${status}): ${text}`);
    if (answer.status >= 400) {
        const error = errorOf(answer, dialect);
        assert.match(error.message, /^headgate: /);
        if (code !== undefined && dialect === 'openai') {
            assert.ok(listed(code).includes(error.code), `code ${error.code} (wanted ${code})`);
        }
        if (type !== undefined) {
            assert.equal(error.type, type);
        }
        for (const secret of Object.values(CANARY)) {
            assert.ok(!text.includes(secret), 'an error repeats what was sent');
        }
        assert.ok(header(answer, 'x-request-id'), 'an error has a request id');
        checkWait(answer);
    }
}

// headgate between an app and a healthy provider.
export class Bench {
    static async start(settings = {}, options = {}) {
        const bench = new Bench();
        bench.upstream = await Upstream.start();
        bench.upstream.play(healthy);
        bench.headgate = await Headgate.start(
            { providers: providersAt(bench.upstream), ...settings }, options);
        bench.port = bench.headgate.port;
        bench.host = `127.0.0.1:${bench.port}`;
        return bench;
    }

    async stop() {
        await this.headgate?.stop();
        await this.upstream?.stop();
    }

    request(what) {
        return request({ host: this.host, ...what });
    }

    // The next good request, on `app` or on a new connection.
    async serves(app) {
        const own = app ?? await App.connect(this.port);
        own.send(this.request(good()));
        const answer = await own.answer(5000);
        assert.equal(answer.status, 200, answer.body.toString());
        if (!app) {
            own.close();
        }
    }

    // row: { send: bytes or list of pieces, gap, half: also send FIN, answers: [expectations],
    // after: 'close' | 'keep', forward: how many reach the provider (null: any), ms, also(answers, seen) }.
    // An expectation of 200 is a served request; the rest are refusals.
    async check(row) {
        const { send, gap = 0, half = false, after, forward = 0, ms = 1500, answers = [], also } = row;
        const before = this.upstream.requests.length;
        const app = await App.connect(this.port);
        const sending = app.sendPieces(Array.isArray(send) ? send : [send], gap);
        if (half) {
            await sending;
            app.finish();
        }
        const got = [];
        for (const wanted of answers) {
            const answer = await app.answer(ms);
            got.push(answer);
            if (wanted.status === 200) {
                assert.equal(answer.status, 200, answer.body.toString('utf8').slice(0, 500));
            } else {
                checkRefusal(answer, wanted);
            }
        }
        await this.#after(app, after, got.at(-1));
        await sending;
        await also?.(got, this.upstream.requests.slice(before), app);
        app.close();
        await this.serves();
        const goods = after === 'keep' ? 2 : 1;
        if (forward !== null) {
            assert.equal(this.upstream.requests.length - before - goods, forward, 'requests at the provider');
        }
        this.upstream.check();
        this.headgate.check();
        for (const answer of got) {
            assert.equal((await this.headgate.callLine(answer)).status, answer.status);
        }
    }

    async #after(app, after, last) {
        if (after === 'close') {
            assert.equal(await app.closed(2000), 'fin', 'a lingering close: the answer is never lost to a reset');
            if (last) {
                assert.equal(header(last, 'connection')?.toLowerCase(), 'close');
            }
            assert.equal(app.fault, null);
        } else if (after === 'keep') {
            assert.ok(app.isOpen, 'the connection stays usable');
            await this.serves(app);
        }
    }
}

export { bytes };
