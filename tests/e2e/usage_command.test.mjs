// SPDX-License-Identifier: Apache-2.0
// headgate usage over the records of a headgate that has ended, and of one that runs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good } from './lib/samples.mjs';
import test, { after, before } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { until } from './lib/wire.mjs';

requireBinary();

const PRICES = `version: 1
prices:
  - { provider: first, model: m, input: 1, cache_read: 0.10, output: 10, source: "made up" }
`;

let upstream;
let headgate;
let dir;
let state;

function usage(...words) {
    const result = spawnSync(process.env.HEADGATE_BIN, ['usage', ...words, '--state-dir', state], { encoding: 'utf8' });
    return { code: result.status, out: result.stdout, said: result.stderr };
}
const asked = (...words) => {
    const result = usage(...words, '--json');
    assert.equal(result.code, 0, result.said);
    return JSON.parse(result.out);
};

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    upstream.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107, prompt_tokens_details: { cached_tokens: 60 } } }));
    state = path.join(dir, 'state');
    headgate = await Headgate.start({
        state_dir: state,
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } },
        routes: { one: { targets: [{ provider: 'first', model: 'm' }] } },
        tasks: { draft: 'one', repair: 'one' },
    });
    for (const headers of [{ 'x-headgate-trace': 'order-1', 'x-headgate-task': 'draft', 'x-headgate-tags': 'a, b' },
        { 'x-headgate-trace': 'order-1', 'x-headgate-task': 'repair' }, { 'x-headgate-tags': 'b' }, {}]) {
        const answer = await ask(headgate.port, good('chat', { model: 'one' }, { headers }), 12000);
        assert.equal(answer.status, 200);
    }
    // A headgate that runs has them counted within about a second.
    await until(() => {
        const running = usage('summary', '--json');
        return running.code === 0 && JSON.parse(running.out).total.records === 4;
    }, 5000, 'four records in the index');
    assert.equal(JSON.parse(usage('calls', '--json').out).calls.length, 4);
    await headgate.stop();
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

test('summary: sums, exact money, and where the figures come from', () => {
    const { total, groups } = asked('summary', '--by', 'task');
    assert.equal(total.records, 4);
    assert.equal(total.calls, 4);
    assert.equal(total.tokens.input, 160);
    assert.equal(total.tokens.cache_read, 240);
    assert.equal(total.cost_usd, '0.000464');
    assert.equal(total.charged_nusd, 464000);
    assert.deepEqual(total.provenance, { provider: 4, estimated: 0, partial: 0, unpriced: 0, reported: 0 });
    assert.deepEqual(groups.map((group) => [group.task, group.calls]), [['', 2], ['draft', 1], ['repair', 1]]);
});

test('summary: by tag, each tag with all of its records, the total once', () => {
    const { total, groups } = asked('summary', '--by', 'tag');
    assert.equal(total.records, 4);
    assert.deepEqual(groups.map((group) => [group.tag, group.records]), [['', 2], ['b', 2], ['a', 1]]);
    assert.equal(asked('summary', '--tag', 'a', '--tag', 'b').total.records, 2);
});

test('daily and history: one row with all of it, or two about midnight or the hour', () => {
    for (const [kind, rows] of [['daily', 'days'], ['history', 'hours']]) {
        const answer = asked(kind, '--zone', 'UTC');
        assert.equal(answer[rows].reduce((sum, row) => sum + row.records, 0), 4);
    }
});

test('calls: the records of the journal, newest first, in pages', () => {
    const records = recordsIn(state).reverse();
    const one = asked('calls', '--limit', '3');
    const two = asked('calls', '--limit', '3', '--cursor', one.next);
    assert.deepEqual([...one.calls, ...two.calls].map((call) => call.record_id), records.map((record) => record.record_id));
    assert.equal(two.next, null);
    assert.equal(one.calls[0].cost_usd, '0.000116');
    assert.equal(one.calls[0].crc, undefined);
});

test('trace: what draft and repair cost', () => {
    const { unit, calls } = asked('trace', 'order-1');
    assert.equal(calls.length, 2);
    assert.equal(unit.draft_source, 'first');
    assert.equal(unit.draft_model, 'm');
    assert.equal(unit.draft_cost_usd, '0.000116');
    assert.equal(unit.repair_cost_usd, '0.000116');
    assert.equal(unit.cost_usd, '0.000232');
    assert.equal(unit.mixed_providers, false);
    assert.equal(unit.prompt_cache_hit, true);
    assert.equal(usage('trace', 'order-2').code, 2);
});

test('a wrong question is told, with the way out', () => {
    const wrong = usage('summary', '--form', '24h');
    assert.equal(wrong.code, 64);
    assert.match(wrong.said, /form: there is no such parameter of summary; there are from, to/);
    assert.match(usage('daily', '--zone', 'Mars/Base').said, /--zone: Mars\/Base is not among the zones/);
    assert.match(usage('calls', '--from', 'someday').said, /--from: takes a time/);
    assert.match(usage('trace').said, /trace needs the id/);
});

test('an index that was deleted is built again', () => {
    const first = asked('summary', '--by', 'key,model,tag');
    fs.rmSync(path.join(state, 'usage.sqlite'));
    fs.rmSync(path.join(state, 'usage.sqlite-wal'), { force: true });
    assert.deepEqual(asked('summary', '--by', 'key,model,tag').groups, first.groups);
    assert.equal(fs.statSync(path.join(state, 'usage.sqlite')).mode & 0o077, 0, 'for its owner alone');
});
