// SPDX-License-Identifier: Apache-2.0
// Records that apps report: one, many, as lines; told again, wrong, too many; over a kill, a restart,
// an index deleted, a disk that takes no more.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good } from './lib/samples.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { request, until } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token-of-operators';
const PRICES = `version: 1
prices:
  - { provider: first, model: m, input: 1, cache_read: 0.10, output: 10, source: "made up" }
`;

let upstream;
let dir;
let state;
let headgate;

async function start(options = {}, more = {}) {
    headgate = await Headgate.start({
        state_dir: state,
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } },
        routes: { one: { targets: [{ provider: 'first', model: 'm' }] } }, ...more,
    }, { ...options, env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
}

const at = (minutes = 0) => new Date(Date.now() - minutes * 60000).toISOString();
const one = (id, more = {}) => ({ source: 'billing-import', call_id: id, at: at(), provider: 'first', model: 'm', input: 100, output: 7, ...more });
const asked = (more) => ({ target: '/admin/v1/usage/records', host: `127.0.0.1:${headgate.admin}`, ...more,
    headers: { Authorization: `Bearer ${TOKEN}`, ...more.headers } });
async function report(body, headers = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await ask(headgate.admin, asked({ headers, body: text }), 10000);
    return { status: answer.status, ...JSON.parse(answer.body.toString()) };
}
const lines = (records) => report(records.map((record) => `${JSON.stringify(record)}\n`).join('\r\n'), { 'Content-Type': 'application/x-ndjson' });
async function usage(target) {
    const answer = await ask(headgate.admin, asked({ method: 'GET', target: `/admin/v1/usage/${target}` }), 10000);
    assert.equal(answer.status, 200, answer.body.toString());
    return JSON.parse(answer.body.toString());
}
const counted = (count) => until(async () => (await usage('summary?source=billing-import&from=7d')).total.records === count, 5000, `${count} records in the index`);
const taken = (count, duplicates = 0) => ({ status: 200, accepted: count, duplicates });

before(async () => {
    dir = temporary();
    state = path.join(dir, 'state');
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    upstream.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } }));
    await start();
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

describe('what is reported counts', () => {
    test('one record is priced as a call of our own is', async () => {
        assert.equal((await ask(headgate.port, good('chat', { model: 'one' }))).status, 200);
        assert.deepEqual(await report(one('a-1', { tags: ['night', 'x'], team: 'growth', trace: 'unit-1', task: 'draft' })), taken(1));
        await counted(1);
        await until(() => recordsIn(state).length === 2, 3000, 'two lines');
        const [own, told] = recordsIn(state);
        for (const name of ['cost_pusd', 'charged_nusd', 'price', 'prices', 'provenance', 'input', 'output', 'outcome']) {
            assert.deepEqual(told[name], own[name], name);
        }
        assert.equal(told.record_id, 'billing-import/a-1');
        assert.equal(told.call_id, 'a-1');
        assert.equal(told.charge, 'reported');
        const { total } = await usage('summary?source=billing-import&team=growth&tag=night&task=draft&provider=first&model=m');
        assert.deepEqual([total.records, total.calls, total.attempts, total.cost_usd, total.tokens.input], [1, 1, 1, '0.00017', 100]);
        assert.equal((await usage('trace/unit-1')).unit.cost_usd, '0.00017');
        assert.equal((await usage('summary')).total.records, 2);
    });
    test('a cost of its own word is taken exactly, and no price is no cost', async () => {
        const records = [one('b-1', { cost_usd: '0.000000123456' }), one('b-2', { model: 'nobody-knows', provenance: 'estimated' }),
            one('b-3', { provenance: 'estimated' }), one('b-4', { status: 500, outcome: 'provider_error', input: null, output: null })];
        assert.deepEqual(await report({ records }), taken(4));
        await counted(5);
        const { calls } = await usage('calls?source=billing-import');
        const by = Object.fromEntries(calls.map((call) => [call.call_id, call]));
        assert.deepEqual([by['b-1'].provenance, by['b-1'].cost_pusd, by['b-1'].charged_nusd, by['b-1'].price], ['reported', '123456', 124, undefined]);
        assert.deepEqual([by['b-2'].provenance, by['b-2'].cost_usd], ['unpriced', null]);
        assert.deepEqual([by['b-3'].provenance, by['b-3'].flags], ['estimated', ['estimated']]);
        const { total } = await usage('summary?source=billing-import');
        assert.deepEqual(total.provenance, { provider: 2, estimated: 1, partial: 0, unpriced: 1, reported: 1 });
        assert.equal(total.failed_attempts, 1);
        assert.equal(total.unpriced, 1);
    });
    test('told again, alone or within a batch, they are duplicates', async () => {
        assert.deepEqual(await report(one('a-1')), taken(0, 1));
        assert.deepEqual(await lines([one('c-1'), one('c-1'), one('b-1'), one('c-2')]), taken(2, 2));
        assert.deepEqual(await report(one('c-1', { source: 'other' })), taken(1), 'ids are within their source');
        await counted(7);
    });
    test('a thousand at once, and no more', async () => {
        const many = Array.from({ length: 1000 }, (_, i) => one(`d-${i}`, { source: 'many' }));
        const begin = Date.now();
        assert.deepEqual(await lines(many), taken(1000));
        console.log(`# 1,000 records in ${Date.now() - begin} ms`);
        assert.deepEqual(await lines(many), taken(0, 1000));
        const more = await lines([...many, one('d-1000')]);
        assert.deepEqual([more.status, more.error.code], [413, 'report_too_large']);
        assert.match(more.error.message, /1,000 records and 1 MiB/);
        const long = await report(`${JSON.stringify(one('d-1000'))}${' '.repeat(1024 * 1024)}`);
        assert.deepEqual([long.status, long.error.code], [413, 'report_too_large']);
        const app = await App.connect(headgate.admin); // the same without a length
        app.send(request(asked({ length: false, headers: { 'Transfer-Encoding': 'chunked' } })));
        app.send(`180000\r\n${' '.repeat(0x180000)}\r\n0\r\n\r\n`);
        assert.equal((await app.answer()).status, 413);
        app.close();
        assert.equal((await usage('summary?source=many')).total.records, 1000);
    });
});

describe('what is wrong is named, and nothing of it taken', () => {
    test('every fault of a batch, with its record, its field and what it takes', async () => {
        const before_ = recordsIn(state).length;
        const answer = await report({ records: [one('e-1'), one('e-2', { source: 'headgate', input: -1, team: 'a\nb' }),
            { source: 'x', colour: 1 }, 'text', one('e-3', { cost_usd: 0.1 }), one('e-4', { at: at(-60 * 25) })] });
        assert.equal(answer.status, 400);
        assert.equal(answer.error.code, 'invalid_report');
        assert.match(answer.error.message, /^headgate: no record was taken; the first fault is: record 1: /);
        const named = answer.faults.map(({ record, field }) => `${record} ${field}`).sort();
        assert.deepEqual(named, ['1 input', '1 source', '1 team', '2 at', '2 call_id', '2 colour', '2 input', '2 model', '2 provider', '3 ', '4 cost_usd', '5 at']);
        assert.match(answer.faults.find((fault) => fault.field === 'colour').message, /no such field; .*source, call_id/);
        assert.match(answer.faults.find((fault) => fault.record === 1 && fault.field === 'input').message, /whole number from 0 to/);
        assert.equal(recordsIn(state).length, before_);
    });
    test('bytes that are no JSON, with their place', async () => {
        const broken = await report('{"source": }');
        assert.deepEqual([broken.status, broken.faults[0].record], [400, null]);
        assert.match(broken.faults[0].message, /byte 11/);
        const line = await report(`${JSON.stringify(one('f-1'))}\n{"a":1,"a":2}\n`, { 'Content-Type': 'application/x-ndjson' });
        assert.deepEqual([line.faults.length, line.faults[0].record], [1, 1]);
        assert.match(line.faults[0].message, /duplicate_key/);
        assert.equal((await report('{"records":[]}')).faults[0].message, 'there is no record in the body');
        assert.equal((await report({ records: [one('f-1')], more: 1 })).faults[0].field, 'more');
    });
    test('other methods, media types, tokens', async () => {
        const status = async (more) => (await ask(headgate.admin, asked(more))).status;
        assert.equal(await status({ method: 'GET' }), 405);
        assert.equal(await status({ body: '{}', headers: { 'Content-Type': 'application/xml' } }), 415);
        assert.equal(await status({ body: '{}', headers: { 'Content-Encoding': 'gzip' } }), 415);
        assert.equal(await status({ body: '{}', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 403);
        assert.equal(await status({ body: '{}', headers: { Authorization: null } }), 401);
        assert.equal((await ask(headgate.port, { target: '/admin/v1/usage/records', body: '{}' })).status, 404);
    });
    test('Expect: 100-continue is answered, and who leaves harms nobody', async () => {
        const app = await App.connect(headgate.admin);
        const whole = request(asked({ body: JSON.stringify(one('g-1')), headers: { Expect: '100-continue' } }));
        const split = whole.indexOf('\r\n\r\n') + 4;
        app.send(whole.subarray(0, split));
        await until(() => app.interim.length === 1, 3000, '100 Continue');
        app.send(whole.subarray(split));
        assert.equal((await app.answer()).status, 200);
        app.close();
        for (let i = 0; i < 20; i += 1) {
            const gone = await App.connect(headgate.admin);
            gone.send(request(asked({ body: JSON.stringify(one('g-1')) })).subarray(0, i % 2 ? undefined : -5));
            gone.reset();
        }
        assert.deepEqual(await report(one('g-1')), taken(0, 1));
    });
});

const journalBytes = () => fs.readdirSync(path.join(state, 'journal'))
    .reduce((sum, name) => sum + fs.statSync(path.join(state, 'journal', name)).size, 0);

describe('what was taken stays', () => {
    const summed = () => usage('summary?by=source,provenance,model&from=7d');

    test('over a restart, and an index deleted', async () => {
        const first = (await summed()).groups;
        await headgate.stop();
        for (const name of fs.readdirSync(state).filter((file) => file.startsWith('usage.sqlite'))) {
            fs.rmSync(path.join(state, name));
        }
        await start();
        assert.deepEqual(await report(one('a-1')), taken(0, 1), 'at once, when the index has read nothing yet');
        assert.deepEqual(await lines([one('c-1'), one('c-1', { source: 'other' })]), taken(0, 2));
        assert.deepEqual((await summed()).groups, first);
    });
    test('killed between: what was answered is there, what is told again counts once', async () => {
        const count = 15;
        let answered = 0;
        let between = 0;
        for (let round = 0; round < count; round += 1) {
            const batch = Array.from({ length: 1000 }, (_, i) => one(`k-${round}-${i}`, { source: 'killed' }));
            const body = JSON.stringify({ records: batch });
            const app = await App.connect(headgate.admin);
            app.send(request(asked({ body })));
            const answer = app.answer(5000).catch(() => null);
            await new Promise((resolve) => setImmediate(resolve)); // the request leaves
            if (round % 3 === 0) {
                await new Promise((resolve) => setTimeout(resolve, round * 3));
            } else { // as soon as the lines are there
                const written = journalBytes();
                for (const end = Date.now() + 5000; journalBytes() === written && Date.now() < end;) {
                    // the answer is not to be waited for
                }
            }
            headgate.signal('SIGKILL');
            await headgate.kill();
            const told = await answer;
            app.close();
            await start();
            const again = await report(body);
            assert.equal(again.status, 200);
            assert.equal(again.accepted + again.duplicates, 1000);
            between += told === null && again.duplicates > 0 ? 1 : 0;
            if (told !== null) {
                answered += 1;
                assert.equal(again.duplicates, 1000, 'answered 200, and lost');
            }
        }
        console.log(`# ${answered} of ${count} were answered before the kill, ${between} were written and not answered`);
        const ids = recordsIn(state).map((record) => record.record_id);
        assert.equal(new Set(ids).size, ids.length, 'a record is there twice');
        assert.equal((await usage('summary?source=killed')).total.records, count * 1000);
    });
    test('where the disk takes no more: 503 journal_full, then as before', async () => {
        await headgate.stop();
        // No file may grow beyond this, for this process alone: what a full disk does. The table of attempts is smaller.
        await start({ wrap: ['sh', '-c', 'trap "" XFSZ; exec prlimit --fsize=9437184 "$@"', 'sh'] }, { limits: { calls: 16 } });
        const batchOf = (round) => Array.from({ length: 1000 }, (_, i) => one(`z-${round}-${i}`, { source: 'full', user: 'u'.repeat(128) }));
        let last = 0;
        let answer = taken(1000);
        while (answer.status === 200 && last < 40) {
            last += 1;
            answer = await lines(batchOf(last));
        }
        assert.deepEqual([answer.status, answer.error?.code], [503, 'journal_full']);
        const written = recordsIn(state).filter((record) => record.source === 'full').length;
        assert.equal(written, (last - 1) * 1000, 'of what was refused nothing stays');
        await headgate.kill();
        await start();
        assert.deepEqual(await lines(batchOf(last)), taken(1000));
        assert.deepEqual(await lines(batchOf(last - 1)), taken(0, 1000));
    });
});
