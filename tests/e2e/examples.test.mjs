// SPDX-License-Identifier: Apache-2.0
// The examples of docs/failover.md, docs/translation.md and docs/budgets.md, run as they stand but for the addresses: they
// do what the pages say they do.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import * as foreign from './lib/foreign.mjs';
import { CANARY, Headgate, freePort, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { KEY_SECRET, bearer } from './lib/keys.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header } from './lib/wire.mjs';

requireBinary();

const env = { OPENAI_API_KEY: CANARY.provider, OPENROUTER_API_KEY: CANARY.anthropic };
let openai;
let other;
let headgate;

before(async () => {
    openai = await Upstream.start();
    other = await Upstream.start();
});
after(async () => {
    await openai?.stop();
    await other?.stop();
});
afterEach(async () => {
    await headgate?.stop();
    headgate = null;
    openai.forget();
    other.forget();
});

// `elsewhere`: where the example's second provider is.
async function start(name, elsewhere) {
    const text = fs.readFileSync(new URL(`../../conf/examples/${name}.yaml`, import.meta.url), 'utf8');
    const settings = text.replace('version: 1\n', 'version: 1\nlisten: LISTEN\nadmin: { listen: ADMIN }\nlog: { format: json }\n')
        .replace('{ kind: openai }', `{ kind: openai, base_url: ${openai.origin}/v1 }`)
        .replace('https://openrouter.ai/api/v1', `${elsewhere}/v1`)
        .replace('http://127.0.0.1:11434/v1', `${elsewhere}/v1`);
    openai.play(healthy);
    other.play(healthy);
    headgate = await Headgate.start(settings, { env });
}

const call = (model, headers = {}, more = {}) => ask(headgate.port, good('chat', { model, ...more }, { headers }), 20000);
const overloaded = (exchange) => exchange.json({ error: { message: 'busy', type: 'server_error', code: null } }, 503);
const asked = (upstream) => upstream.requests.map((request) => request.json().model);

test('two providers: the second answers when the first fails', async () => {
    await start('failover', other.origin);
    assert.equal(header(await call('gpt-5.4'), 'x-headgate-target'), 'openai/gpt-5.4');
    openai.play(overloaded);
    const answer = await call('gpt-5.4');
    assert.equal(answer.status, 200);
    assert.equal(header(answer, 'x-headgate-target'), 'openrouter/openai/gpt-5.4');
    assert.equal(header(answer, 'x-headgate-failover'), 'overloaded');
    assert.deepEqual(asked(other), ['openai/gpt-5.4']);
});

test('drafts and repairs: each task has its own targets', async () => {
    await start('tasks', other.origin);
    assert.match(header(await call('anything', { 'x-headgate-task': 'draft' }), 'x-headgate-target'), /gpt-5\.4-nano$/);
    assert.match(header(await call('draft'), 'x-headgate-target'), /gpt-5\.4-nano$/);
    const repair = await call('x', { 'x-headgate-task': 'repair', 'x-headgate-trace': 'unit-7' });
    assert.equal(header(repair, 'x-headgate-target'), 'openai/gpt-5.4');
    openai.play(overloaded);
    const rescued = await call('x', { 'x-headgate-task': 'repair', 'x-headgate-trace': 'unit-7' });
    assert.equal(header(rescued, 'x-headgate-target'), 'openrouter/openai/gpt-5.4');
    await headgate.callLine(rescued);
    assert.equal(headgate.callLines().filter((line) => line.trace === 'unit-7').length, 2);
});

test('local model first: the hosted one answers while the local one is away', async () => {
    await start('local-first', other.origin);
    assert.equal(header(await call('drafts'), 'x-headgate-target'), 'local/qwen3:8b');
    await headgate.stop();
    await start('local-first', `http://127.0.0.1:${await freePort()}`);
    const answer = await call('drafts');
    assert.equal(answer.status, 200);
    assert.equal(header(answer, 'x-headgate-target'), 'openai/gpt-5.4-nano');
    assert.equal(header(answer, 'x-headgate-failover'), 'connect');
});

describe('translation', () => {
    const TEXT = 'Of another vendor.';
    const say = { openai: foreign.chat, anthropic: foreign.messages, gemini: foreign.generate };
    const upstreams = {};
    const seen = {};
    before(async () => {
        for (const name of Object.keys(say)) {
            upstreams[name] = await Upstream.start();
        }
    });
    after(() => Promise.all(Object.values(upstreams).map((upstream) => upstream.stop())));

    // Only the `well` are; each insists on its own words.
    async function startWith(well) {
        let text = fs.readFileSync(new URL('../../conf/examples/translate.yaml', import.meta.url), 'utf8')
            .replace('version: 1\n', 'version: 1\nlisten: LISTEN\nadmin: { listen: ADMIN }\nlog: { format: json }\n');
        for (const [name, upstream] of Object.entries(upstreams)) {
            text = text.replace(`{ kind: ${name} }`, `{ kind: ${name}, base_url: ${upstream.origin}${name === 'gemini' ? '' : '/v1'} }`);
            seen[name] = foreign.provider(say[name], () => ({ text: TEXT }));
            upstream.play(well.includes(name) ? seen[name].play : (exchange) => exchange.json({}, 503));
        }
        headgate = await Headgate.start(text, { env: { OPENAI_API_KEY: CANARY.provider, ANTHROPIC_API_KEY: CANARY.anthropic, GEMINI_API_KEY: CANARY.provider } });
    }
    const message = (more = {}) => ask(headgate.port, good('messages', more, { headers: { 'anthropic-version': '2023-06-01' } }));
    const noFaults = () => Object.values(seen).forEach(({ faults }) => assert.deepEqual(faults, []));

    test('apps of either SDK are answered while only Anthropic is well', async () => {
        await startWith(['anthropic']);
        for (const stream of [false, true]) {
            const answer = await call('gpt-5.4', {}, { stream });
            assert.equal(answer.status, 200, answer.body.toString());
            assert.equal(header(answer, 'x-headgate-target'), 'anthropic/claude-sonnet-4-5');
            assert.match(answer.body.toString(), stream ? /"chat.completion.chunk"[^]*data: \[DONE\]\n\n$/ : /"object":"chat.completion".*Of another vendor\./);
        }
        assert.deepEqual(seen.anthropic.bodies.map((body) => body.max_tokens), [8192, 8192]);
        assert.equal(header(await message(), 'x-headgate-attempts'), '1');
        noFaults();
    });

    test('and while only OpenAI is', async () => {
        await startWith(['openai']);
        for (const stream of [false, true]) {
            const answer = await message({ stream });
            assert.equal(answer.status, 200, answer.body.toString());
            assert.equal(header(answer, 'x-headgate-target'), 'openai/gpt-5.4');
            assert.match(answer.body.toString(), stream ? /event: message_start[^]*event: message_stop/ : /"type":"message".*Of another vendor\./);
        }
        assert.equal(header(await call('gpt-5.4'), 'x-headgate-attempts'), '1');
        noFaults();
    });

    test('a draft at Gemini, its repair at Anthropic; where a repair would lose something it goes to the next', async () => {
        await startWith(['openai', 'anthropic', 'gemini']);
        const task = (name, more) => call('any', { 'x-headgate-task': name }, more);
        assert.equal(header(await task('draft'), 'x-headgate-target'), 'gemini/gemini-2.5-flash');
        assert.equal(header(await task('repair'), 'x-headgate-target'), 'anthropic/claude-sonnet-4-5');
        const exact = await task('repair', { seed: 7 });
        assert.equal(header(exact, 'x-headgate-target'), 'openai/gpt-5.4');
        assert.equal(header(exact, 'x-headgate-dropped'), undefined);
        assert.equal(header(await task('draft', { verbosity: 'low' }), 'x-headgate-dropped'), 'verbosity');
        noFaults();
    });
});

test('team budgets: keys of teams, and each counts on what is its own', async () => {
    const dir = temporary();
    const file = path.join(dir, 'headgate.yaml');
    const vars = { OPENAI_API_KEY: CANARY.provider, ANTHROPIC_API_KEY: CANARY.anthropic, HEADGATE_KEY_SECRET: KEY_SECRET };
    const text = fs.readFileSync(new URL('../../conf/examples/team-budgets.yaml', import.meta.url), 'utf8');
    fs.writeFileSync(file, text);
    const made = await runToEnd(['key', 'create', 'ci', '--team', 'growth'], { cwd: dir, env: vars });
    assert.equal(made.code, 0, made.stderr);
    openai.play(healthy);
    headgate = await Headgate.start(text.replace('version: 1\n', 'version: 1\nlisten: LISTEN\nadmin: { listen: ADMIN }\nlog: { format: json }\n')
        .replace('./keys.yaml', path.join(dir, 'keys.yaml')).replace('{ kind: openai }', `{ kind: openai, base_url: ${openai.origin}/v1 }`), { env: vars });
    const key = bearer(made.stdout.trim());
    assert.equal((await call('gpt-5.4')).status, 401);
    assert.equal((await ask(headgate.port, good('chat', { model: 'gpt-5.4', max_tokens: 100 }, { headers: key }))).status, 200);
    const own = JSON.parse((await ask(headgate.port, { method: 'GET', target: '/headgate/v1/limits', headers: key })).body);
    const used = Object.fromEntries(own.budgets.map((row) => [row.budget, row.used_nusd ?? row.used]));
    assert.deepEqual(Object.keys(used).sort(), ['all', 'each', 'growth', 'guard']);
    assert.ok(used.growth > 0 && used.each > 0, JSON.stringify(used));
    assert.deepEqual(own.rates.map((rate) => [rate.unit, rate.of]), [['requests', 'ci'], ['concurrent', 'ci']]);
    fs.rmSync(dir, { recursive: true, force: true });
});
