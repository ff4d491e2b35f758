// SPDX-License-Identifier: Apache-2.0
// What is written down of each attempt, and who pays: every row of the charges (docs/metering.md) that
// can be played from outside, priced by a file of prices with round figures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { begun, complete, DONE, providerError, ROLE, STOP, STREAM, streams, twenty } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { chunk, header, request, until } from './lib/wire.mjs';

requireBinary();

// Picodollars a token: input 1, output 10, cache 0.1 USD per million.
const IN = 1_000_000;
const OUT = 10_000_000;
const CACHE = 100_000;
const PRICES = `version: 1
prices:
  - { provider: first, model: m, input: 1, cache_read: 0.10, output: 10, source: "made up" }
  - { provider: second, model: m, input: 2, output: 20, source: "made up" }
  - { provider: drained, model: m, input: 1, output: 10, source: "made up" }
  - { provider: claude, model: m, input: 1, cache_read: 0.10, output: 10, source: "made up" }
`;
const SHORT = { connect: '700ms', head: '900ms', first_content: '900ms', idle: '900ms', total: '9s', stream_total: '9s' };

let first;
let second;
let headgate;
let dir;

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    first = await Upstream.start();
    second = await Upstream.start();
    const at = (upstream, more = {}) => ({ kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider,
        breaker: { failures: 1000, ratio: '100%', silence: 'off' }, ...more });
    const claude = at(first, { kind: 'anthropic', base_url: first.origin });
    headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: at(first), second: at(second, { credential: CANARY.anthropic }), drained: at(first, { on_abort: 'drain' }), claude, gone: at(first, { base_url: 'http://127.0.0.1:1/v1' }) },
        routes: {
            one: { targets: [{ provider: 'first', model: 'm' }], retry: { attempts: 1 }, timeouts: SHORT },
            pair: { targets: [{ provider: 'first', model: 'm' }, { provider: 'second', model: 'm' }], retry: { attempts_per_target: 1 }, timeouts: SHORT },
            drained: { targets: [{ provider: 'drained', model: 'm' }], timeouts: SHORT },
            hedged: { targets: [{ provider: 'first', model: 'm' }, { provider: 'second', model: 'm' }],
                timeouts: { ...SHORT, head: '8s', first_content: '8s' }, hedge: { after: '100ms' } },
            claude: { targets: [{ provider: 'claude', model: 'm' }], retry: { attempts: 1 }, timeouts: SHORT },
            gone: { targets: [{ provider: 'gone', model: 'm' }], retry: { attempts: 1 }, timeouts: SHORT },
            unknown: { targets: [{ provider: 'first', model: 'nobody-knows' }], retry: { attempts: 1 }, timeouts: SHORT },
        },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await first?.stop();
    await second?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
afterEach(async () => {
    await headgate.reset();
    headgate.check();
});

const state = () => path.join(headgate.dir, 'state');
const recordsOf = (id, count = 1) => until(() => {
    const found = recordsIn(state()).filter((record) => record.call_id === id || record.request_id === id);
    return found.length >= count ? found : null;
}, 4000, `${count} records of call ${id}`);

const call = (model, more = {}, extra = {}, operation = 'chat') => ask(headgate.port, good(operation, { model, ...more }, extra), 12000);
const costOf = (record) => BigInt(record.cost_pusd);
const usageChunk = (usage) => `data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":${JSON.stringify(usage)}}\n\n`;
const whole = (usage, more = {}) => (exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there' }, finish_reason: 'stop' }], usage, ...more });
const sse = (text) => async (exchange) => {
    await exchange.streamHead();
    await exchange.event(text);
    await exchange.streamEnd();
};

function assertCost(record, tokens) {
    const expected = BigInt((tokens.input ?? 0) * IN + (tokens.cache_read ?? 0) * CACHE + (tokens.output ?? 0) * OUT);
    assert.equal(costOf(record), expected, JSON.stringify(record));
    assert.equal(BigInt(record.charged_nusd), (expected + 999n) / 1000n);
}

describe('what is charged', () => {
    test('1: a whole answer as it is told, and its cost in the head', async () => {
        first.play(whole({ prompt_tokens: 100, completion_tokens: 7, total_tokens: 107, prompt_tokens_details: { cached_tokens: 60 } }, { service_tier: 'default' }));
        const answer = await call('one', {}, { headers: { 'x-headgate-trace': 'unit-1', 'x-headgate-tags': 'a, b', 'x-request-id': 'app-1' } });
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assertCost(record, { input: 40, cache_read: 60, output: 7 });
        assert.equal(header(answer, 'x-headgate-cost-usd'), '0.000116');
        assert.equal((await headgate.callLine(answer)).cost_usd, '0.000116');
        const { charge, provenance, outcome, phase, status, upstream_status, attempt, trace, tags, request_id, provider, model, model_asked,
            route, operation, stream, tier, price, usage_raw, flags } = record;
        assert.deepEqual({ charge, provenance, outcome, phase, status, upstream_status, attempt, trace, tags, request_id, provider, model, model_asked, route, operation, stream, tier, price, flags },
            { charge: 'complete', provenance: 'provider', outcome: 'ok', phase: 'complete', status: 200, upstream_status: 200, attempt: 1,
                trace: 'unit-1', tags: ['a', 'b'], request_id: 'app-1', provider: 'first', model: 'm', model_asked: 'one', route: 'one', operation: 'chat',
                stream: false, tier: 'default', price: 'first/m@', flags: undefined });
        assert.equal(usage_raw.prompt_tokens, 100);
        assert.equal(JSON.stringify(record).includes('Hello'), false, 'nothing of the prompt or the answer');
    });
    test('1: a stream by its last figures, which the app does not see', async () => {
        first.play(sse(ROLE + twenty + STOP + usageChunk({ prompt_tokens: 9, completion_tokens: 20, total_tokens: 29 }) + DONE));
        const answer = await call('one', { stream: true });
        assert.equal(answer.body.includes('"usage"'), false);
        assert.equal(header(answer, 'x-headgate-cost-usd'), undefined, 'nobody knows it before the head');
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assertCost(record, { input: 9, output: 20 });
        assert.equal(record.provenance, 'provider');
        assert.ok(record.ttfc_us > 0 && record.ttfb_us > 0 && record.total_us >= record.ttfc_us);
    });
    test('2: an answer that tells nothing is estimated', async () => {
        first.play(whole(null));
        const answer = await call('one');
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.equal(record.charge, 'complete_untold');
        assert.equal(record.provenance, 'estimated');
        assert.deepEqual(record.flags, ['estimated', 'usage_missing']);
        assert.ok(record.input > 0 && record.output > 0);
        assertCost(record, record);
    });
    test('2: a stream that tells its input alone is partly estimated', async () => {
        first.play(sse(ROLE + twenty + STOP + usageChunk({ prompt_tokens: 9 }) + DONE));
        const answer = await call('one', { stream: true });
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.equal(record.provenance, 'partial');
        assert.equal(record.input, 9);
        assert.ok(record.output >= 10, `${record.output} tokens for twenty events`);
    });
    const leave = async (model, play, id, until_) => {
        first.play(play);
        const app = await App.connect(headgate.port);
        app.send(request(good('chat', { model, stream: true }, { headers: { 'x-request-id': id } })));
        await until(() => until_(app), 4000, 'the moment to leave');
        app.reset();
        return (await recordsOf(id))[0];
    };
    const seen = (text) => (app) => app.received.includes(text);
    test('3: the app leaves in the middle: input, output seen, one chunk', async () => {
        const record = await leave('one', streams(begun, (exchange) => exchange.closed()), 'left-1', seen('t19'));
        assert.equal(record.charge, 'cancelled');
        assert.equal(record.outcome, 'app_gone');
        assert.equal(record.status, 200);
        assert.ok(record.flags.includes('aborted_by_app') && record.flags.includes('estimated'));
        assert.ok(record.output > record.output_seen && record.output_seen >= 10);
        assertCost(record, record);
    });
    test('3: it leaves before anything came', async () => {
        let asked = false;
        const record = await leave('one', async (exchange) => { asked = true; await exchange.closed(); }, 'left-2', () => asked);
        assert.equal(record.charge, 'cancelled');
        assert.equal(record.phase, 'sent');
        assert.equal(record.status, 499);
        assert.ok(record.input > 0 && record.output === 1);
    });
    test('4: who bills anyhow is read to its end', async () => {
        let go;
        const gate = new Promise((resolve) => { go = resolve; });
        first.play(streams(begun, async (exchange) => {
            await gate;
            await exchange.event(STOP + usageChunk({ prompt_tokens: 9, completion_tokens: 321, total_tokens: 330 }) + DONE);
            await exchange.streamEnd();
        }));
        const app = await App.connect(headgate.port);
        app.send(request(good('chat', { model: 'drained', stream: true }, { headers: { 'x-request-id': 'drained-1' } })));
        await until(() => app.received.includes('t19'), 4000, 'content');
        app.reset();
        setTimeout(go, 200);
        const [record] = await recordsOf('drained-1');
        assert.equal(record.charge, 'drained');
        assert.equal(record.provenance, 'provider');
        assert.equal(record.output, 321);
        assert.deepEqual(record.flags, ['aborted_by_app', 'drained']);
    });
    test('5, 6: what was never sent, and what was refused, costs nothing', async () => {
        const [unsent] = await recordsOf(header(await call('gone'), 'x-headgate-call-id'));
        assert.deepEqual([unsent.charge, unsent.phase, unsent.cost_pusd, unsent.charged_nusd], ['unsent', 'unsent', '0', 0]);
        assert.equal(unsent.status, 502);
        assert.equal(unsent.reason, 'upstream_connect');
        first.play((exchange) => exchange.answer({ status: 500, body: providerError('server_error', null) }));
        const answer = await call('one');
        const [refused] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.deepEqual([refused.charge, refused.cost_pusd, refused.upstream_status], ['refused', '0', 500]);
        assert.equal(header(answer, 'x-headgate-cost-usd'), '0');
    });
    test('7: an error that tells a usage is charged', async () => {
        first.play((exchange) => exchange.answer({ status: 400, body: JSON.stringify({ error: { message: 'no', type: 'invalid_request_error', code: null },
            usage: { prompt_tokens: 50, completion_tokens: 0, total_tokens: 50 } }) }));
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.equal(record.charge, 'refused_told');
        assertCost(record, { input: 50 });
    });
    test('8: sent and not answered is ambiguous: what it may have cost is said', async () => {
        first.play((exchange) => exchange.reset());
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.equal(record.charge, 'ambiguous');
        assert.deepEqual(record.flags, ['ambiguous']);
        assert.equal(record.cost_pusd, '0');
        assert.equal(record.exposed_nusd, record.input_estimate * IN / 1000);
    });
    test('10: an answer that breaks off: input and output seen', async () => {
        first.play(streams(begun, (exchange) => exchange.reset()));
        const [record] = await recordsOf(header(await call('one', { stream: true }), 'x-headgate-call-id'));
        assert.equal(record.charge, 'broken');
        assert.ok(record.flags.includes('cut') && record.flags.includes('estimated'));
        assert.ok(record.output >= 10);
        assertCost(record, record);
    });
    test('10: of what Anthropic told at the beginning the input counts', async () => {
        first.play(streams(() => begun('messages'), (exchange) => exchange.reset()));
        const answer = await call('claude', { stream: true }, {}, 'messages');
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.equal(record.charge, 'broken');
        assert.equal(record.provenance, 'partial');
        assertCost(record, record);
    });
    test('11: the hedge that lost is charged by what it had come to', async () => {
        first.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }));
        for (let i = 0; i < 20; i += 1) { // one call in twenty may be hedged
            assert.equal((await call('hedged', { max_tokens: 5 })).status, 200);
        }
        let calls = 0;
        first.play(async (exchange) => { calls += 1; await exchange.closed(); });
        second.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }));
        const answer = await call('hedged', { max_tokens: 5 });
        assert.equal(answer.status, 200, answer.body.toString());
        const records = await recordsOf(header(answer, 'x-headgate-call-id'), 2);
        assert.deepEqual(records.map(({ attempt, provider, charge, outcome }) => [attempt, provider, charge, outcome]).sort(),
            [[1, 'first', 'hedge_lost', 'hedge_lost'], [2, 'second', 'complete', 'ok']]);
        assert.equal(calls, 1);
        const sum = records.reduce((all, record) => all + costOf(record), 0n);
        assert.equal(header(answer, 'x-headgate-cost-usd'), `0.${(sum / 1000n).toString().padStart(9, '0').replace(/0+$/, '')}`);
    });
    test('13: each attempt of a failover has its own record, and the call costs their sum', async () => {
        first.play((exchange) => exchange.answer({ status: 503, body: JSON.stringify({ error: { message: 'busy' }, usage: { prompt_tokens: 10, completion_tokens: 0 } }) }));
        second.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }));
        const answer = await call('pair');
        const records = await recordsOf(header(answer, 'x-headgate-call-id'), 2);
        assert.deepEqual(records.map(({ record_id, attempt, provider, charge, status }) => [record_id.split('-')[1], attempt, provider, charge, status]),
            [['1', 1, 'first', 'refused_told', undefined], ['2', 2, 'second', 'complete', 200]]);
        assert.deepEqual(records.map((record) => record.cost_pusd), [String(10 * IN), String(9 * 2 * IN + 5 * 2 * OUT)]);
        assert.equal(header(answer, 'x-headgate-cost-usd'), '0.000128');
    });
    test('15: a refusal of the model is charged as its usage says', async () => {
        first.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
            choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: 'No.' }, finish_reason: 'content_filter' }], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 } }));
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.equal(record.charge, 'complete');
        assertCost(record, { input: 9, output: 2 });
    });
});

describe('what is written down', () => {
    test('a model without a price is served, marked, and not counted as free', async () => {
        first.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }, { model: 'nobody-knows' }));
        const answer = await call('unknown');
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'x-headgate-cost-usd'), undefined);
        assert.equal((await headgate.callLine(answer)).cost_usd, undefined);
        const [record] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.deepEqual([record.provenance, record.cost_pusd, record.charged_nusd, record.input, record.output], ['unpriced', undefined, undefined, 9, 5]);
    });
    test('the model that answered is priced, under its dated name too', async () => {
        first.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 }, { model: 'm-2026-03-05' }));
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.equal(record.model_answered, 'm-2026-03-05');
        assertCost(record, { input: 9, output: 5 });
    });
    test('a call that made no attempt has one record', async () => {
        const answer = await call('nothing-of-this-name-here', {}, { headers: { 'x-headgate-route': 'no-such-route' } });
        const [record, ...more] = await recordsOf(header(answer, 'x-headgate-call-id'));
        assert.deepEqual(more, []);
        assert.deepEqual([record.attempt, record.status, record.provider, record.cost_pusd], [0, answer.status, undefined, undefined]);
        assert.match(record.record_id, /-0$/);
    });
    test('figures that contradict each other are flagged', async () => {
        first.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 3, prompt_tokens_details: { cached_tokens: 50 } }));
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.deepEqual(record.flags, ['usage_anomaly']);
        assertCost(record, { cache_read: 9, output: 5 });
    });
    test('the cost that a provider tells stands beside ours', async () => {
        first.play(whole({ prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, cost: 0.00014 }));
        const [record] = await recordsOf(header(await call('one'), 'x-headgate-call-id'));
        assert.equal(record.told_cost, '0.00014');
    });
});
