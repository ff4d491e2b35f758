// SPDX-License-Identifier: Apache-2.0
// What a request would cost, asked of the running program and without one; and the input of calls whose
// provider tells no usage, counted with the real vocabularies and guessed without.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, environment, requireBinary, temporary } from './lib/headgate.mjs';
import { DONE, ROLE, STOP, delta, streams, twenty } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();
const RANKS = process.env.HEADGATE_TEST_RANKS;
assert.ok(fs.existsSync(path.join(RANKS ?? '', 'o200k_base.tiktoken')), 'scripts/install-ranks --into build/ranks, and HEADGATE_TEST_RANKS');

const IN = 1_000_000; // picodollars a token
const OUT = 10_000_000;
const PRICES = `version: 1
prices:
  - { provider: first, model: gpt-4o, input: 1, output: 10, max_output: 5000, source: "made up" }
  - { provider: first, model: gpt-4o-mini, input: 0.10, output: 0.40, source: "made up" }
  - { provider: first, model: gpt-4o-2024, input: 3, output: 3, source: "made up" }
`;
// 16 tokens on gpt-4o, as the vendor's own counter says.
const CHAT = { model: 'one', messages: [{ role: 'system', content: 'You are terse.' }, { role: 'user', content: 'Hi' }], max_tokens: 100 };

let upstream;
let dir;
const running = new Set();

async function start(ranks, more = {}) {
    const headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
            claude: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic } },
        routes: {
            one: { targets: [{ provider: 'first', model: 'gpt-4o' }] },
            two: { strategy: 'cheapest', targets: [{ provider: 'first', model: 'gpt-4o' }, { provider: 'first', model: 'gpt-4o-2024' }] },
            many: { strategy: 'cheapest', targets: ['gpt-4o', 'gpt-4o-unpriced', 'gpt-4o-mini', 'gpt-4o-2024'].map((model) => ({ provider: 'first', model }))
                .concat([{ provider: 'claude', model: 'claude-sonnet-4-5' }]), translate: 'off' },
        },
        tasks: { draft: 'many' },
        ...more,
    }, { env: { HEADGATE_RANKS: ranks } });
    running.add(headgate);
    return headgate;
}

const post = (headgate, body, query = '', headers = {}) => ask(headgate.admin, { target: `/admin/v1/estimate${query}`,
    headers: { Host: `127.0.0.1:${headgate.admin}`, 'Content-Type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) }, 8000);
async function estimate(headgate, body, query) {
    const answer = await post(headgate, body, query);
    assert.equal(answer.status, 200, String(answer.body));
    return JSON.parse(answer.body);
}
const RAW = '?path=/v1/chat/completions';
const call = (headgate, body) => ask(headgate.port, request({ target: '/v1/chat/completions', body: JSON.stringify(body) }), 8000);
const records = (headgate) => recordsIn(path.join(headgate.dir, 'state'));
const nthRecord = (headgate, count) => until(() => records(headgate).length >= count && records(headgate)[count - 1], patient(5000), `${count} records`);
const rss = (headgate) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${headgate.pid}/status`, 'latin1'))[1]);

const WHOLE = { id: 'x', object: 'chat.completion', model: 'gpt-4o', choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }] };
const untold = (exchange) => exchange.json(WHOLE);
const told = (prompt, completion) => (exchange) => exchange.json({ ...WHOLE, usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion } });

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
});
after(async () => {
    for (const headgate of running) {
        await headgate.stop();
    }
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

describe('asked of a headgate that runs', () => {
    let headgate;
    before(async () => { headgate = await start(RANKS); });

    test('a request is counted and priced, to the token and exactly', async () => {
        const before = rss(headgate);
        const { route, strategy, targets } = await estimate(headgate, { request: CHAT });
        assert.equal(route, 'one');
        assert.equal(strategy, 'priority');
        assert.equal(targets.length, 1);
        assert.deepEqual(targets[0].input, { likely: 16, at_most: 16, how: 'exact', error_permille: 0 });
        assert.deepEqual(targets[0].output, { likely: 100, at_most: 100, how: 'cap' });
        assert.deepEqual(targets[0].cost_usd, { likely: '0.001016', at_most: '0.001016' });
        assert.equal(targets[0].state, 'ok');
        assert.ok(rss(headgate) - before > 3000, 'the vocabulary is read at the first question, and not before');
    });

    test('a bare request with its path says the same, and without a cap the model has one', async () => {
        const { max_tokens: _, ...uncapped } = CHAT;
        const { targets: [target] } = await estimate(headgate, uncapped, RAW);
        assert.deepEqual(target.output, { likely: 1024, at_most: 5000, how: 'assumed' });
        assert.deepEqual(target.cost_usd, { likely: '0.010256', at_most: '0.050016' });
    });

    test('the targets stand as cheapest takes them, and the calls go that way', async () => {
        const { route, targets } = await estimate(headgate, CHAT, `${RAW}&task=draft`);
        assert.equal(route, 'many');
        assert.deepEqual(targets.map((target) => target.model), ['gpt-4o-mini', 'gpt-4o-2024', 'gpt-4o', 'gpt-4o-unpriced', 'claude-sonnet-4-5']);
        const costs = targets.slice(0, 3).map((target) => Number(target.cost_usd.likely));
        assert.deepEqual(costs, [...costs].sort((a, b) => a - b));
        assert.equal(targets[3].unpriced, true);
        assert.equal(targets[3].cost_usd, undefined);
        assert.deepEqual([targets[4].eligible, targets[4].state], [false, 'dialect']);
        upstream.play(told(16, 3));
        for (let i = 0; i < 5; i += 1) {
            await call(headgate, { ...CHAT, model: 'many' });
        }
        await nthRecord(headgate, 5);
        assert.deepEqual(records(headgate).map((record) => record.model).filter((model) => model !== 'gpt-4o-mini'), []);
        // Short answers make another one cheaper, in the estimate and for the strategy.
        const { targets: later } = await estimate(headgate, CHAT, `${RAW}&task=draft`);
        assert.deepEqual(later.slice(0, 3).map((target) => [target.model, target.cost_usd.likely, target.output.how]),
            [['gpt-4o-mini', '0.0000028', 'learned'], ['gpt-4o', '0.000046', 'learned'], ['gpt-4o-2024', '0.000057', 'learned']]);
    });

    test('cheapest itself goes by the length that answers have', async () => {
        upstream.play(told(16, 3));
        const asked = [];
        for (let i = 0; i < 4; i += 1) {
            const { targets: [best] } = await estimate(headgate, { ...CHAT, model: 'two' }, RAW);
            const answer = await call(headgate, { ...CHAT, model: 'two' });
            const record = await until(() => records(headgate).find((one) => one.call_id === header(answer, 'x-headgate-call-id')), patient(5000), 'the record');
            assert.equal(record.model, best.model);
            asked.push(record.model);
        }
        // A hundred tokens are dear at one of them, three are not.
        assert.deepEqual(asked, ['gpt-4o-2024', 'gpt-4o-2024', 'gpt-4o-2024', 'gpt-4o']);
    });

    test('who is out is told, with the time until it is back', async () => {
        upstream.play((exchange) => exchange.answer({ status: 429, headers: { 'Content-Type': 'application/json', 'Retry-After': '60' }, body: '{"error":{"message":"slow","type":"rate_limit_error","code":"rate_limit_exceeded"}}' }));
        assert.equal((await call(headgate, CHAT)).status, 429);
        const { targets: [target] } = await estimate(headgate, { request: CHAT });
        assert.deepEqual([target.eligible, target.state], [false, 'cooldown']);
        assert.ok(target.back_in_ms > 1000 && target.back_in_ms <= 60000, `${target.back_in_ms}`);
    });

    test('nothing is sent, and nothing is remembered', async () => {
        const seen = upstream.requests.length;
        const written = records(headgate).length;
        const status = async () => JSON.parse((await ask(headgate.admin, { method: 'GET', target: '/admin/v1/status' })).body).targets
            .map(({ provider, model, in_flight: flying }) => [provider, model, flying]);
        const targets = await status();
        for (let i = 0; i < 20; i += 1) {
            await estimate(headgate, { model: `nobody-${i}`, request: CHAT });
        }
        assert.deepEqual(await status(), targets);
        assert.equal(upstream.requests.length, seen);
        assert.equal(records(headgate).length, written);
    });

    test('each wrong question is told what is wrong', async () => {
        const rows = [
            [{ request: CHAT, task: 'none' }, '', 404, 'task_not_found', /none/],
            [{ request: CHAT, path: '/v1/nothing' }, '', 400, 'invalid_parameter', /\/v1\/nothing: no call/],
            [CHAT, '', 400, 'invalid_parameter', /messages: no such member.*\?path=/],
            [CHAT, '?paht=/v1/chat/completions', 400, 'invalid_parameter', /paht: no such parameter/],
            ['{', '', 400, 'invalid_json', /byte 1/],
            ['{"request":{"model":"one","messages":[{"role":"user","content":"a"}],"max_tokens":-1}}', '', 400, 'invalid_value', /max_tokens|value/],
            ['', '', 400, 'invalid_json', /JSON/],
        ];
        for (const [body, query, status, code, words] of rows) {
            const answer = await post(headgate, body, query);
            const { error } = JSON.parse(answer.body);
            assert.deepEqual([answer.status, error.code], [status, code], String(answer.body));
            assert.match(error.message, words);
        }
        const get = await ask(headgate.admin, { method: 'GET', target: '/admin/v1/estimate' });
        assert.equal(get.status, 405);
        assert.equal((await post(headgate, CHAT, RAW, { Origin: 'http://elsewhere.example' })).status, 403);
        assert.equal((await post(headgate, CHAT, RAW, { Host: 'elsewhere.example' })).status, 421);
    });

    test('the command asks it, and says so', () => {
        const file = path.join(dir, 'request.json');
        fs.writeFileSync(file, JSON.stringify(CHAT));
        const run = (...words) => spawnSync(process.env.HEADGATE_BIN, ['-c', headgate.file, 'estimate', ...words], { encoding: 'utf8', env: environment(), input: JSON.stringify(CHAT) });
        const table = run('--task', 'draft', file);
        assert.equal(table.status, 0, table.stderr);
        assert.match(table.stderr, /as the headgate at 127\.0\.0\.1:\d+ says/);
        assert.match(table.stdout, /^route many, cheapest; chat, \d+ bytes; prices /);
        assert.match(table.stdout, /\nfirst\/gpt-4o-mini +ok +16 exact +3 learned +0\.0000028 +0\.0000416\n/);
        const json = run('--json', '--model=first/gpt-4o-mini', '-');
        assert.equal(JSON.parse(json.stdout).targets[0].cost_usd.at_most, '0.0000416');
        const unknown = run('--route', 'none', '-');
        assert.deepEqual([unknown.status, unknown.stdout], [2, '']);
        assert.match(unknown.stderr, /names no route.*none/);
        assert.equal(run('--modle', 'x', file).status, 64);
        assert.equal(run().status, 64);
        assert.match(run('--help').stdout, /--task NAME/);
    });
});

describe('other settings', () => {
    test('with strict_models an unknown model is a 404, and a long body a 413', async () => {
        const headgate = await start(RANKS, { strict_models: true, limits: { body: '64KiB' } });
        const answer = await post(headgate, { model: 'nobody', request: CHAT });
        assert.deepEqual([answer.status, JSON.parse(answer.body).error.code], [404, 'model_not_found']);
        const long = await post(headgate, { request: { ...CHAT, user: 'x'.repeat(70000) } });
        assert.deepEqual([long.status, JSON.parse(long.body).error.code], [413, 'body_too_large']);
        const chunked = await App.connect(headgate.admin);
        chunked.send(`POST /admin/v1/estimate HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n${'10000\r\n'}${'x'.repeat(65536)}\r\n10\r\n${'x'.repeat(16)}\r\n0\r\n\r\n`);
        assert.equal((await chunked.answer(8000)).status, 413);
        chunked.close();
    });

    test('without vocabularies a ratio serves, learned where something was told; said once', async () => {
        const headgate = await start(path.join(dir, 'nowhere'));
        const bytes = JSON.stringify(CHAT).length;
        let { targets: [target] } = await estimate(headgate, CHAT, RAW);
        assert.deepEqual(target.input, { likely: Math.ceil(bytes / 4), at_most: bytes, how: 'assumed' });
        await estimate(headgate, CHAT, RAW);
        await until(() => headgate.lines().some((line) => line.event === 'ranks_missing'), 3000, 'the hint');
        assert.equal(headgate.lines().filter((line) => line.event === 'ranks_missing').length, 1);
        upstream.play(told(40, 7));
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call(headgate, CHAT)).status, 200);
        }
        ({ targets: [target] } = await estimate(headgate, CHAT, RAW));
        assert.deepEqual([target.input.likely, target.input.how, target.input.error_permille], [40, 'ratio', 20]);
        assert.deepEqual(target.output, { likely: 7, at_most: 100, how: 'learned' });
    });

    test('a damaged vocabulary is told and not used', async () => {
        const bad = path.join(dir, 'bad');
        fs.mkdirSync(bad);
        fs.writeFileSync(path.join(bad, 'o200k_base.tiktoken'), 'IQ== 0\nIg== 1\n');
        const headgate = await start(bad);
        assert.equal((await estimate(headgate, CHAT, RAW)).targets[0].input.how, 'assumed');
        await until(() => headgate.lines().some((line) => line.event === 'ranks_unusable' && /o200k_base\.tiktoken/.test(line.msg)), 3000, 'the warning');
    });

    test('no headgate runs: the configuration alone is enough', () => {
        const file = path.join(dir, 'alone.yaml');
        fs.writeFileSync(file, JSON.stringify({ version: 1, admin: { listen: '127.0.0.1:1' }, prices: { files: [path.join(dir, 'prices.yaml')] },
            providers: { first: { kind: 'openai', credential: CANARY.provider } }, routes: { one: { targets: [{ provider: 'first', model: 'gpt-4o' }] } } }));
        const run = (ranks) => spawnSync(process.env.HEADGATE_BIN, ['-c', file, 'estimate', '--json', '-'], { encoding: 'utf8', env: environment({ HEADGATE_RANKS: ranks }), input: JSON.stringify(CHAT) });
        const counted = run(RANKS);
        assert.match(counted.stderr, /no headgate answers at 127\.0\.0\.1:1: by the configuration alone/);
        assert.deepEqual(JSON.parse(counted.stdout).targets[0].cost_usd, { likely: '0.001016', at_most: '0.001016' });
        const guessed = run(path.join(dir, 'nowhere'));
        assert.equal(guessed.status, 0);
        assert.match(guessed.stderr, /scripts\/install-ranks/);
        assert.equal(JSON.parse(guessed.stdout).targets[0].input.how, 'assumed');
    });
});

describe('where the vocabularies are looked for', () => {
    const how = (env) => {
        const file = path.join(dir, 'folders.yaml');
        fs.writeFileSync(file, JSON.stringify({ version: 1, admin: { listen: 'off' }, providers: { first: { kind: 'openai', credential: CANARY.provider } } }));
        const { stdout, stderr } = spawnSync(process.env.HEADGATE_BIN, ['-c', file, 'estimate', '--json', '--model', 'gpt-4o', '-'], { encoding: 'utf8', env: environment(env), input: JSON.stringify(CHAT) });
        assert.match(stderr, /by the configuration alone/);
        return JSON.parse(stdout || JSON.stringify(stderr)).targets[0].input.how;
    };
    const link = (...parts) => {
        const folder = path.join(dir, ...parts);
        fs.mkdirSync(path.dirname(folder), { recursive: true });
        fs.symlinkSync(RANKS, folder);
    };

    test('HEADGATE_RANKS, then XDG_DATA_HOME, else HOME', () => {
        link('data', 'headgate', 'ranks');
        link('home', '.local', 'share', 'headgate', 'ranks');
        const bad = path.join(dir, 'broken');
        fs.mkdirSync(bad);
        fs.writeFileSync(path.join(bad, 'o200k_base.tiktoken'), 'nothing\n');
        const [data, home] = [path.join(dir, 'data'), path.join(dir, 'home')];
        assert.equal(how({ HEADGATE_RANKS: RANKS }), 'exact');
        assert.equal(how({ XDG_DATA_HOME: data }), 'exact');
        assert.equal(how({ HOME: home }), 'exact');
        assert.equal(how({ HEADGATE_RANKS: path.join(dir, 'empty'), XDG_DATA_HOME: data }), 'exact');
        assert.equal(how({ XDG_DATA_HOME: path.join(dir, 'empty'), HOME: home }), 'assumed');
        assert.equal(how({ HEADGATE_RANKS: bad, XDG_DATA_HOME: data }), 'assumed');
    });
});

describe('calls whose provider tells no usage', () => {
    test('the input is counted, once the vocabulary is there', async () => {
        const headgate = await start(RANKS);
        upstream.play(untold);
        const first = await call(headgate, CHAT);
        assert.equal(first.status, 200);
        const guessed = await nthRecord(headgate, 1);
        assert.deepEqual([guessed.charge, guessed.provenance, guessed.tokens?.input ?? guessed.input], ['complete_untold', 'estimated', Math.ceil(JSON.stringify(CHAT).length / 4)]);
        // That it was missed has it read, off the loop.
        await until(async () => {
            await call(headgate, CHAT);
            return records(headgate).some((record) => record.input === 16);
        }, patient(8000), 'a count');
        const recordOf = (answer) => until(() => records(headgate).find((record) => record.call_id === header(answer, 'x-headgate-call-id')), patient(5000), 'the record');
        const counted = await recordOf(await call(headgate, CHAT));
        assert.deepEqual([counted.charge, counted.provenance, counted.input, counted.input_estimate, counted.estimate_error_permille], ['complete_untold', 'estimated', 16, 16, 0]);
        assert.equal(counted.cost_pusd, String(16 * IN + counted.output * OUT));
        assert.ok(counted.flags.includes('estimated'));

        // A stream has given its request back by then, unless it is kept.
        upstream.play(streams(() => ROLE + delta('a') + STOP + DONE));
        const streamed = await recordOf(await call(headgate, { ...CHAT, stream: true }));
        assert.deepEqual([streamed.charge, streamed.input, streamed.stream], ['complete_untold', 16, true]);

        // The app leaves in the middle.
        upstream.play(streams(() => ROLE + twenty, (exchange) => exchange.closed(8000)));
        const app = await App.connect(headgate.port);
        app.send(request({ target: '/v1/chat/completions', body: JSON.stringify({ ...CHAT, stream: true }) }));
        await until(() => app.received.includes('t19'), 5000, 'the stream');
        app.close();
        const left = await until(() => records(headgate).find((record) => record.charge === 'cancelled'), patient(5000), 'its record');
        assert.deepEqual([left.input, left.estimate_error_permille], [16, 0]);

        // What is told stays what was told.
        upstream.play(told(77, 3));
        const whole = await recordOf(await call(headgate, CHAT));
        assert.deepEqual([whole.charge, whole.provenance, whole.input, whole.output], ['complete', 'provider', 77, 3]);
        assert.notEqual(whole.input_estimate, 16);

        // A body that would hold the loop up is guessed.
        upstream.play(untold);
        const large = await recordOf(await call(headgate, { ...CHAT, messages: [{ role: 'user', content: 'word '.repeat(4000) }] }));
        assert.deepEqual([large.charge, large.estimate_error_permille], ['complete_untold', undefined]);
    });

    test('without vocabularies it is guessed, and said once', async () => {
        const headgate = await start(path.join(dir, 'nowhere'));
        upstream.play(untold);
        for (let i = 0; i < 3; i += 1) {
            await call(headgate, CHAT);
        }
        const record = await nthRecord(headgate, 3);
        assert.equal(record.input, Math.ceil(JSON.stringify(CHAT).length / 4));
        await until(() => headgate.lines().some((line) => line.event === 'ranks_missing'), 3000, 'the hint');
        assert.equal(headgate.lines().filter((line) => line.event === 'ranks_missing').length, 1);
    });
});
