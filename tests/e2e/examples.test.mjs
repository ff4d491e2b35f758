// SPDX-License-Identifier: Apache-2.0
// The examples of docs/failover.md and docs/budgets.md, run as they stand but for the addresses: they do what the
// pages say they do.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import { CANARY, Headgate, freePort, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { KEY_SECRET, bearer } from './lib/keys.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before } from './lib/test.mjs';
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

const call = (model, headers = {}) => ask(headgate.port, good('chat', { model }, { headers }), 20000);
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
