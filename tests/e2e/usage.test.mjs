// SPDX-License-Identifier: Apache-2.0
// headgate usage and the same on the operators' listener, from calls to answers; the index deleted and
// built again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good } from './lib/samples.mjs';
import test, { after, afterEach, before } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { until } from './lib/wire.mjs';

requireBinary();

const answerOf = (model, input, output) => (exchange) => exchange.json({ id: 'x', object: 'chat.completion', model,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, prompt_tokens_details: { cached_tokens: 4 } } });

let drafts;
let repairs;
let headgate;
let settings;
let dir;

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), `version: 1
prices:
  - { provider: drafts, model: small, input: 1, output: 2, source: "made up" }
  - { provider: repairs, model: large, input: 10, output: 20, source: "made up" }
`);
    drafts = (await Upstream.start()).play(answerOf('small', 100, 50));
    repairs = (await Upstream.start()).play(answerOf('large', 200, 100));
    const at = (upstream) => ({ kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider });
    settings = {
        state_dir: path.join(dir, 'state'),
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { drafts: at(drafts), repairs: at(repairs) },
        routes: { cheap: { targets: [{ provider: 'drafts', model: 'small' }] }, good: { targets: [{ provider: 'repairs', model: 'large' }] } },
        tasks: { draft: 'cheap', repair: 'good' },
    };
    headgate = await Headgate.start(settings);
    for (const [task, tags] of [['draft', 'night'], ['repair', 'night,again'], ['draft', 'day']]) {
        const answer = await ask(headgate.port, good('chat', { model: 'x' }, { headers: { 'x-headgate-task': task, 'x-headgate-tags': tags,
            ...(tags === 'day' ? {} : { 'x-headgate-trace': 'unit-7' }) } }));
        assert.equal(answer.status, 200, answer.body.toString());
    }
    await until(async () => (await usage('summary')).total?.records === 3, 5000, 'three records in the index');
});
after(async () => {
    await headgate?.stop();
    await drafts?.stop();
    await repairs?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
afterEach(() => headgate.exited?.code === 0 || headgate.check()); // some tests stop it themselves

const get = (target) => ask(headgate.admin, { method: 'GET', target: `/admin/v1/usage/${target}`, host: `127.0.0.1:${headgate.admin}` });
const usage = async (target) => JSON.parse((await get(target)).body.toString());
const cli = (...words) => runToEnd(['-c', headgate.file, 'usage', ...words]);

test('sums, by what was asked for, exact to the nanodollar', async () => {
    const { total, groups } = await usage('summary?by=task');
    assert.equal(total.records, 3);
    // drafts: 96 + 4 cached (no price of their own: as input) in, 50 out; repairs the same of 200 and 100.
    assert.equal(total.charged_nusd, 2 * (100 * 1000 + 50 * 2000) + (200 * 10000 + 100 * 20000));
    assert.deepEqual(groups.map(({ task, calls, charged_usd }) => [task, calls, charged_usd]), [['repair', 1, '0.004'], ['draft', 2, '0.0004']]);
    assert.equal(total.tokens.cache_read, 12);
    assert.equal(total.provenance.provider, 3);
    const tags = await usage('summary?by=tag');
    assert.deepEqual(Object.fromEntries(tags.groups.map(({ tag, records }) => [tag, records])), { night: 2, again: 1, day: 1 });
    assert.equal((await usage('summary?task=draft&provider=repairs')).total.records, 0);
});
test('a unit of work: its draft and its repair', async () => {
    const { unit, ...rest } = await usage('trace/unit-7');
    const found = unit ?? rest.summary ?? rest;
    assert.deepEqual([found.draft_source, found.draft_model, found.draft_cost_usd], ['drafts', 'small', '0.0002']);
    assert.deepEqual([found.repair_source, found.repair_model, found.repair_cost_usd], ['repairs', 'large', '0.004']);
    assert.equal(found.cost_usd, '0.0042');
    assert.equal(found.mixed_providers, true);
    assert.equal(found.prompt_cache_hit, true);
    assert.equal((await get('trace/unit-8')).status, 404);
});
test('the same on the command line, while it runs', async () => {
    const { code, stdout, stderr } = await cli('summary', '--by', 'task', '--json');
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).groups, (await usage('summary?by=task')).groups);
    const table = await cli('daily');
    assert.match(table.stdout, /total +3 +3/);
    const csv = await cli('calls', '--csv', '--task', 'repair');
    assert.equal(csv.stdout.trim().split('\n').length, 2, csv.stdout + csv.stderr);
    assert.equal((await cli('trace', 'nothing')).code, 2);
    const wrong = await cli('daily', '--zone', 'Nowhere');
    assert.equal(wrong.code, 64);
    assert.match(wrong.stderr, /Nowhere/);
    assert.equal((await cli('weekly')).code, 64);
});
test('wrong questions are told what is wrong', async () => {
    for (const target of ['summary?by=colour', 'daily?zone=Nowhere', 'calls?limit=0', 'history?from=lately', 'summary?what=ever']) {
        const answer = await get(target);
        assert.equal(answer.status, 400, target);
        assert.equal(JSON.parse(answer.body.toString()).error.code, 'invalid_parameter');
    }
    assert.equal((await ask(headgate.admin, { method: 'POST', target: '/admin/v1/usage/summary', host: `127.0.0.1:${headgate.admin}`, body: '{}' })).status, 405);
});
test('who asks and leaves harms nobody', async () => {
    for (let i = 0; i < 30; i += 1) {
        const app = await App.connect(headgate.admin);
        app.send(`GET /admin/v1/usage/summary HTTP/1.1\r\nHost: 127.0.0.1:${headgate.admin}\r\n\r\n`);
        app.reset();
    }
    assert.equal((await usage('summary')).total.records, 3);
});
test('calls, page by page', async () => {
    const first = await usage('calls?limit=2');
    assert.equal((first.calls ?? first.records).length, 2);
    const rest = await usage(`calls?limit=2&cursor=${first.next}`);
    assert.equal((rest.calls ?? rest.records).length, 1);
});
test('the index deleted is built again and equal', async () => {
    const before_ = await usage('summary?by=task,model,provider');
    await headgate.stop();
    const state = path.join(dir, 'state');
    for (const name of fs.readdirSync(state).filter((one) => one.startsWith('usage.sqlite'))) {
        fs.rmSync(path.join(state, name));
    }
    const { code, stdout, stderr } = await runToEnd(['usage', 'summary', '--by', 'task,model,provider', '--json', '--state-dir', state]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).groups, before_.groups);
    assert.equal(recordsIn(state).length, 3);
});
test('a damaged index is told at the start, before any call, and built again', async () => {
    const file = path.join(dir, 'state', 'usage.sqlite');
    fs.writeFileSync(file, 'this is no index'.repeat(1000));
    headgate = await Headgate.start(settings);
    await until(() => headgate.lines().some((line) => line.event === 'follower_trouble' && /^index: usage\.sqlite: .*built again$/.test(line.msg)),
        5000, 'that it is built again');
    assert.equal((await usage('summary')).total.records, 3);
    assert.ok(fs.existsSync(`${file}.aside`));
    await headgate.stop();
});
