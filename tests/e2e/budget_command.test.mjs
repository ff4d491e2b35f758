// SPDX-License-Identifier: Apache-2.0
// Budgets as operators see and steer them, by HTTP and by `headgate budget`, and as an app sees its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { KEY_SECRET, bearer, newKey, ringOf } from './lib/keys.mjs';
import { Redis } from './lib/redis.mjs';
import { checkRefusal, errorOf } from './lib/rows.mjs';
import { good } from './lib/samples.mjs';
import test, { after, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, request, until } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token-of-operators';
const COST = 170000; // nanodollars of a call: 100 tokens in, 7 out, at 1 and 10 USD per million
const PRICES = 'version: 1\nprices:\n  - { provider: first, model: m, input: 1, output: 10, source: "made up" }\n';
const SAID = { id: 'x', object: 'chat.completion', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } };
const BUDGETS = [
    { name: 'all', scope: 'global', limit: '10 USD', window: 'month' },
    { name: 'day', scope: 'team', limit: '0.001 USD', window: 'day' },
    { name: 'work', scope: 'trace', limit: '1000000 tokens' },
    { name: 'jobs', scope: 'tag', limit: '10 requests', window: 'rolling:24h', mode: 'warn' },
    { name: 'dark', scope: 'team', limit: '5 requests', window: 'total', mode: 'shadow' },
    { name: 'guard', scope: 'call', limit: '0.50 USD' },
    { name: 'theirs', scope: 'team:other', limit: '3 USD', window: 'day' },
];

let upstream;
let dir;
before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
});
after(async () => {
    await upstream.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

// A headgate as its operators and its apps see it.
async function start(budgets = BUDGETS, { token = TOKEN, more = {} } = {}) {
    upstream.play((exchange) => exchange.json(SAID));
    const headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } },
        routes: { one: { targets: [{ provider: 'first', model: 'm' }] } },
        budgets, ...more,
    }, { env: token ? { HEADGATE_ADMIN_TOKEN: token } : {} });
    const host = `127.0.0.1:${headgate.admin}`;
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    headgate.get = (target, own = headers) => ask(headgate.admin, { method: 'GET', target, host, headers: own });
    headgate.post = (target, own = headers, more = {}) => ask(headgate.admin, { target, host, headers: own, ...more });
    headgate.json = async (target) => {
        const answer = await headgate.get(target);
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(header(answer, 'content-type'), 'application/json');
        return JSON.parse(answer.body.toString());
    };
    headgate.counter = async (budget, of) => (await headgate.json('/admin/v1/budgets')).budgets.find((row) => row.budget === budget && row.of === of);
    headgate.own = async (own = {}) => JSON.parse((await ask(headgate.port, { method: 'GET', target: '/headgate/v1/limits', headers: own })).body.toString());
    headgate.run = (...args) => runToEnd(['-c', headgate.file, ...args], { env: token ? { HEADGATE_ADMIN_TOKEN: token } : {} });
    headgate.call = (own = {}) => ask(headgate.port, good('chat', { model: 'one', max_tokens: 20 }, { headers: own }), 15000); // a ledger that is rebuilt is waited for
    headgate.settled = (budget, of, what) => until(async () => {
        const row = await headgate.counter(budget, of);
        return row && row.held_nusd !== undefined ? row.held_nusd === 0 && row : row?.held === 0 && row;
    }, 3000, what ?? `${budget} of ${of}`);
    return headgate;
}

describe('what is seen', () => {
    let headgate;
    before(async () => {
        headgate = await start();
        for (const [tags, trace] of [['batch,night', 'job-1'], ['batch', 'job-2'], ['batch', 'job-1']]) {
            assert.equal((await headgate.call({ 'x-headgate-tags': tags, 'x-headgate-trace': trace })).status, 200);
        }
        await headgate.settled('day', 'default');
    });
    after(() => headgate.stop());

    test('a counter in full, money as text and as a whole number', async () => {
        const tomorrow = new Date();
        tomorrow.setUTCHours(24, 0, 0, 0);
        assert.deepEqual(await headgate.counter('day', 'default'), {
            budget: 'day', scope: 'team', of: 'default', mode: 'enforce', unit: 'USD',
            window_begin: new Date(tomorrow.getTime() - 86400000).toISOString(), window_end: tomorrow.toISOString(), generation: 0,
            limit_usd: '0.001', limit_nusd: 1000000, settled_usd: '0.00051', settled_nusd: 3 * COST, held_usd: '0', held_nusd: 0,
            presumed_usd: '0', presumed_nusd: 0, overrun_usd: '0', overrun_nusd: 0, remaining_usd: '0.00049', remaining_nusd: 1000000 - 3 * COST,
            used_permille: 510 });
        const work = await headgate.counter('work', 'job-1');
        assert.deepEqual([work.unit, work.limit, work.settled, work.remaining, work.window_begin, work.window_end], ['tokens', 1000000, 214, 999786, null, null]);
    });
    test('all of them, the fullest first; also one that nothing has counted on, and none of a scope that counts by itself', async () => {
        const { budgets, counters, truncated } = await headgate.json('/admin/v1/budgets');
        assert.deepEqual(budgets.map((row) => [row.budget, row.of]), [['dark', 'default'], ['day', 'default'], ['jobs', 'batch'], ['jobs', 'night'],
            ['all', null], ['theirs', 'other'], ['work', 'job-1'], ['work', 'job-2']]);
        assert.deepEqual([counters, truncated], [8, false]);
        assert.deepEqual(budgets.map((row) => row.used_permille), [600, 510, 300, 100, 0, 0, 0, 0]);
        assert.deepEqual([budgets[5].generation, budgets[5].settled_nusd], [null, 0]);
    });
    test('a rolling window: its sums are of the last 24 hours', async () => {
        const row = await headgate.counter('jobs', 'batch');
        assert.equal(row.settled, 3);
        const [begin, end] = [Date.parse(row.window_begin), Date.parse(row.window_end)];
        assert.ok(Math.abs(Date.now() - 86400000 - begin) < 60000, row.window_begin);
        assert.ok(end > Date.now() && end <= Date.now() + 3600000, row.window_end);
    });
    test('some of them', async () => {
        const seen = async (query) => (await headgate.json(`/admin/v1/budgets?${query}`)).budgets.map((row) => [row.budget, row.of]);
        assert.deepEqual(await seen('budget=jobs'), [['jobs', 'batch'], ['jobs', 'night']]);
        assert.deepEqual(await seen('of=default'), [['dark', 'default'], ['day', 'default']]);
        assert.deepEqual(await seen('budget=jobs&of=night'), [['jobs', 'night']]);
        assert.deepEqual(await seen('of='), [['all', null]]);
        assert.deepEqual(await seen('budget=none'), []);
        const cut = await headgate.json('/admin/v1/budgets?limit=2');
        assert.deepEqual(cut.budgets.map((row) => row.budget), ['dark', 'day']);
        assert.equal(cut.truncated, true);
    });
    test('BC07 no list without a bound, and nothing that is not known is passed over', async () => {
        for (const query of ['limit=1000000000', 'limit=0', 'limit=-1', 'limit=', 'limit=1e3', 'cursor=-1', 'cursor=abc', 'budgets=day', 'of=a&of=b',
            'of=%', 'of=%zz', 'of=%00', 'of=a%0ab', `of=${'x'.repeat(300)}`]) {
            checkRefusal(await headgate.get(`/admin/v1/budgets?${query}`), { status: 400, code: ['invalid_parameter', 'bad_target'] });
        }
    });
    test('only reads are taken, and on no other listener', async () => {
        for (const target of ['/admin/v1/budgets', '/admin/v1/budgets.txt', '/admin/v1/limits/ci']) {
            const answer = await headgate.post(target);
            checkRefusal(answer, { status: 405 });
            assert.equal(header(answer, 'allow'), 'GET, HEAD');
            checkRefusal(await ask(headgate.port, { method: 'GET', target }), { status: 404, code: 'not_found' });
        }
        for (const target of ['/admin/v1/budgets/', '/admin/v1/budgetsx', '/admin/v1/budgets/day', '/admin/v1/budgets/day/kill', '/admin/v1/budgets/a/b/reset', '/admin/v1/usage/current']) {
            checkRefusal(await headgate.get(target), { status: 404 });
        }
    });
    test('the command prints a table', async () => {
        const { code, stdout, stderr } = await headgate.run('budget', 'list');
        assert.equal(code, 0, stderr);
        const lines = stdout.split('\n');
        assert.match(lines[0], /^BUDGET +OF +NEXT EDGE +LIMIT +SETTLED +HELD +PRESUMED +REMAINING +USED$/);
        assert.match(lines[2], /^day +default +20\d\d-\d\d-\d\dT00:00:00Z +0\.001 USD +0\.00051 +0 +0 +0\.00049 +51\.0%$/);
        assert.match(lines[5], /^all +- +20\d\d-\d\d-01T00:00:00Z +10 USD +0\.00051 +0 +0 +9\.99949 +0\.0%$/);
        assert.match(lines[7], /^work +job-1 +never +1000000 tokens +214 +0 +0 +999786 +0\.0%$/);
        assert.equal(new Set(lines.slice(0, 9).map((line) => line.length)).size, 1, 'columns stand below each other');
    });
    test('the command chooses, and speaks JSON', async () => {
        const chosen = await headgate.run('budget', 'list', '--budget', 'jobs', '--of=night');
        assert.equal(chosen.stdout.split('\n').length, 3, chosen.stdout);
        assert.match(chosen.stdout, /^jobs +night /m);
        const json = await headgate.run('budget', 'list', '--json', '--budget=day');
        assert.equal(JSON.parse(json.stdout).budgets[0].settled_nusd, 3 * COST);
        const none = await headgate.run('budget', 'list', '--budget', 'nothing');
        assert.deepEqual([none.code, none.stdout], [0, 'no budget of this description counts anything\n']);
    });
    test('what is held shows while a call runs', async () => {
        let go;
        upstream.play(async (exchange) => {
            await new Promise((resolve) => { go = resolve; });
            exchange.json(SAID);
        });
        const running = headgate.call();
        const row = await until(async () => {
            const now = await headgate.counter('day', 'default');
            return now.held_nusd > 0 && now;
        }, 3000, 'a hold');
        assert.ok(row.held_nusd >= COST);
        assert.equal(row.remaining_nusd, 1000000 - row.settled_nusd - row.held_nusd);
        await until(() => go, 3000, 'the request');
        go();
        assert.equal((await running).status, 200);
        upstream.play((exchange) => exchange.json(SAID));
    });
});

describe('orders', () => {
    let headgate;
    before(async () => { headgate = await start(); });
    after(async () => {
        await headgate.stop();
        assert.ok(!headgate.stderr.includes(TOKEN), 'the token is in the log');
    });
    const fill = async () => {
        let answer;
        do {
            answer = await headgate.call({ 'x-headgate-tags': 'batch' });
        } while (answer.status === 200);
        assert.equal(answer.status, 402);
    };
    const orders = () => headgate.lines().filter((line) => line.event === 'budget_order');

    test('a reset frees what was used up, at once, and tells so in one line', async () => {
        await fill();
        const answer = await headgate.post('/admin/v1/budgets/day/reset');
        assert.equal(answer.status, 200, answer.body.toString());
        assert.deepEqual(JSON.parse(answer.body.toString()), { order: 'reset', budget: 'day', of: null, count: 1 });
        const row = await headgate.counter('day', 'default');
        assert.deepEqual([row.settled_nusd, row.generation, row.remaining_nusd], [0, 1, 1000000]);
        assert.equal((await headgate.call()).status, 200);
        await until(() => orders().length === 1, 3000, 'its line');
        const { level, order, budget, count } = orders()[0];
        assert.deepEqual({ level, order, budget, count }, { level: 'info', order: 'reset', budget: 'day', count: 1 });
    });
    test('of one value only', async () => {
        const before = (await headgate.counter('jobs', 'batch')).settled;
        assert.ok(before > 0);
        const nobody = await headgate.run('budget', 'reset', 'jobs', '--of', 'nobody');
        assert.deepEqual([nobody.code, nobody.stdout], [0, 'reset: jobs of nobody, 0 counters\n'], nobody.stderr);
        assert.equal((await headgate.counter('jobs', 'batch')).settled, before);
        const batch = await headgate.run('budget', 'reset', 'jobs', '--of', 'batch');
        assert.deepEqual([batch.code, batch.stdout, batch.stderr], [0, 'reset: jobs of batch, 1 counter\n', '']);
        assert.equal((await headgate.counter('jobs', 'batch')).settled, 0);
    });
    test('the command resets a whole budget', async () => {
        await fill();
        const json = await headgate.run('budget', 'reset', 'day', '--json');
        assert.deepEqual(JSON.parse(json.stdout), { order: 'reset', budget: 'day', of: null, count: 1 });
        assert.equal((await headgate.call()).status, 200);
    });
    test('a hold of before a reset does not count on what is new', async () => {
        let go;
        upstream.play(async (exchange) => {
            await new Promise((resolve) => { go = resolve; });
            exchange.json(SAID);
        });
        await headgate.run('budget', 'reset', 'day');
        const running = headgate.call();
        await until(() => go, 3000, 'the request');
        await headgate.run('budget', 'reset', 'day');
        go();
        assert.equal((await running).status, 200);
        const row = await headgate.settled('day', 'default');
        assert.deepEqual([row.settled_nusd, row.held_nusd], [0, 0]);
        upstream.play((exchange) => exchange.json(SAID));
    });
    test('a budget that is not there: the known ones are told, nothing is done', async () => {
        const told = orders().length;
        const answer = await headgate.post('/admin/v1/budgets/dya/reset');
        checkRefusal(answer, { status: 404, code: 'budget_not_found' });
        assert.ok(errorOf(answer).message.endsWith(`: ${BUDGETS.map((budget) => budget.name).join(', ')}`), errorOf(answer).message);
        const command = await headgate.run('budget', 'reset', 'dya');
        assert.deepEqual([command.code, command.stdout], [2, '']);
        assert.match(command.stderr, /no budget has this name; known are: all, day/);
        assert.equal(orders().length, told);
    });
    test('BC06 names that are none', async () => {
        for (const name of ['a%2Fb', '..', '..%2f..%2fetc', "'%3B--", "day'", '%27', '%25', 'a%0d%0ab', 'DAY', 'x'.repeat(3000), '%00', '%', '%zz', '', 'a%', 'day%00']) {
            for (const what of ['reset', 'rebuild']) {
                checkRefusal(await headgate.post(`/admin/v1/budgets/${name}/${what}`), { status: [400, 404] });
            }
            checkRefusal(await headgate.get(`/admin/v1/limits/${name}`), { status: [400, 404] });
            checkRefusal(await headgate.get(`/admin/v1/usage/${name}/current`), { status: [400, 404] });
        }
        for (const target of [`/admin/v1/budgets/${'x'.repeat(5000)}/reset`, `/admin/v1/limits/${'x'.repeat(5000)}`]) {
            checkRefusal(await headgate.post(target), { status: 414 });
        }
        for (const target of ['/admin/v1/budgets/a/../day/reset', '/admin/v1/budgets//reset', '/admin/v1/limits/a/b']) {
            checkRefusal(await headgate.post(target), { status: [400, 404, 405] });
        }
        checkRefusal(await headgate.get('/admin/v1/limits/nobody'), { status: 404, code: 'key_not_found' });
        assert.equal((await headgate.call()).status, 200);
    });
    test('BC06 a name of 1 MiB', async () => {
        const app = await App.connect(headgate.admin);
        app.send(request({ target: `/admin/v1/budgets/${'x'.repeat(1 << 20)}/reset`, host: `127.0.0.1:${headgate.admin}` }));
        checkRefusal(await app.answer(), { status: [400, 414, 431] });
        app.close();
    });
    test('parameters that an order does not take', async () => {
        for (const target of ['/admin/v1/budgets/day/reset?proxy=a', '/admin/v1/budgets/day/reset?of=a&of=b', '/admin/v1/budgets/void', '/admin/v1/budgets/void?proxy=',
            '/admin/v1/budgets/void?of=a', '/admin/v1/budgets/rebuild?of=a', '/admin/v1/budgets/day/reset?of=%0a']) {
            checkRefusal(await headgate.post(target), { status: 400, code: 'invalid_parameter' });
        }
        for (const target of ['/admin/v1/budgets/day/reset', '/admin/v1/budgets/void?proxy=a', '/admin/v1/budgets/rebuild']) {
            const answer = await headgate.get(target);
            checkRefusal(answer, { status: 405 });
            assert.equal(header(answer, 'allow'), 'POST');
        }
    });
    test('a body is dropped, a long one refused', async () => {
        assert.equal((await headgate.post('/admin/v1/budgets/day/reset', undefined, { body: 'not json' })).status, 200);
        checkRefusal(await headgate.post('/admin/v1/budgets/day/reset', undefined, { body: 'x'.repeat(70000) }), { status: 413 });
    });
    test('what this ledger does not do is said', async () => {
        const answer = await headgate.post('/admin/v1/budgets/void?proxy=gone-1');
        checkRefusal(answer, { status: 422, code: 'order_not_obeyed' });
        const command = await headgate.run('budget', 'void', '--proxy', 'gone-1');
        assert.deepEqual([command.code, command.stdout], [1, '']);
        assert.match(command.stderr, /^headgate: the ledger did not do this: \S/);
    });
    test('wrong words: 64', async () => {
        for (const args of [[], ['lits'], ['reset'], ['list', 'day'], ['reset', 'day', 'jobs'], ['reset', 'day', '--proxy', 'a'], ['reset', 'day', '--of'],
            ['void'], ['void', 'a'], ['rebuild', 'day', '--of', 'a'], ['list', '--proxy', 'a'], ['reset', 'day', '--budget', 'a'], ['list', '--limit', '1'],
            ['reset', ''], ['list', '--of', 'a', '--of', 'b'], ['reset', 'x'.repeat(9000)]]) {
            const { code, stdout, stderr } = await headgate.run('budget', ...args);
            assert.deepEqual([code, stdout], [64, ''], args.join(' ').slice(0, 60));
            assert.match(stderr, /^headgate: budget: .*headgate budget --help\n$/);
        }
        const help = await headgate.run('budget', '--help');
        assert.equal(help.code, 0);
        for (const word of ['list', 'reset NAME', 'rebuild [NAME]', 'void --proxy NAME', '--of VALUE', '--json']) {
            assert.ok(help.stdout.includes(word), word);
        }
    });
});

describe('who may', () => {
    const ORDERS = ['/admin/v1/budgets/day/reset', '/admin/v1/budgets/day/rebuild', '/admin/v1/budgets/rebuild', '/admin/v1/budgets/void?proxy=a'];
    const READS = ['/admin/v1/budgets', '/admin/v1/budgets.txt', '/admin/v1/limits/ci', '/admin/v1/usage/ci/current'];

    test('BC01 BC03 nobody without the token, and no page of another site', async () => {
        const headgate = await start();
        for (const target of ORDERS) {
            for (const headers of [{}, { Authorization: 'Bearer wrong' }, { 'x-api-key': TOKEN }]) {
                checkRefusal(await headgate.post(target, headers), { status: 401, code: 'invalid_admin_token' });
            }
            for (const more of [{ Origin: 'http://evil.example' }, { 'Content-Type': 'text/plain' }]) {
                checkRefusal(await headgate.post(target, { Authorization: `Bearer ${TOKEN}`, ...more }), { status: 403, code: 'no_browser' });
            }
            checkRefusal(await ask(headgate.port, { target, headers: { Authorization: `Bearer ${TOKEN}` } }), { status: 404 });
        }
        for (const target of READS) {
            checkRefusal(await headgate.get(target, {}), { status: 401 });
        }
        checkRefusal(await headgate.get(`/admin/v1/budgets?key=${TOKEN}`, {}), { status: 401 });
        const wrong = await runToEnd(['-c', headgate.file, 'budget', 'list'], { env: { HEADGATE_ADMIN_TOKEN: 'test-token-wrong' } });
        assert.deepEqual([wrong.code, wrong.stdout], [77, '']);
        await headgate.stop();
        const gone = await runToEnd(['-c', path.join(dir, 'none.yaml'), 'budget', 'list']);
        assert.equal(gone.code, 78, gone.stderr);
    });
    test('BC01 without one in the settings this machine reads, and nobody orders', async () => {
        const headgate = await start(BUDGETS, { token: null });
        assert.equal((await headgate.get('/admin/v1/budgets')).status, 200);
        for (const target of ORDERS) {
            checkRefusal(await headgate.post(target), { status: 403, code: 'admin_token_not_set' });
        }
        assert.equal((await headgate.run('budget', 'list')).code, 0);
        assert.equal((await headgate.run('budget', 'reset', 'day')).code, 77);
        headgate.process.kill('SIGTERM');
        await headgate.ended;
        const gone = await headgate.run('budget', 'list');
        assert.deepEqual([gone.code, gone.stdout], [69, '']);
        assert.match(gone.stderr, /no headgate answers/);
        await headgate.stop();
    });
});

describe('an app sees its own', () => {
    let headgate;
    before(async () => {
        headgate = await start();
        assert.equal((await headgate.call({ 'x-headgate-tags': 'batch', 'x-headgate-trace': 'job-1' })).status, 200);
        await headgate.settled('day', 'default');
    });
    after(() => headgate.stop());
    beforeEach(() => upstream.forget());

    test('what it may, has used and has left; of what it shares with others the name alone', async () => {
        const own = await headgate.own({ 'x-headgate-tags': 'batch', 'x-headgate-trace': 'job-1' });
        assert.deepEqual(Object.keys(own), ['key', 'team', 'user', 'budgets', 'rates']);
        assert.deepEqual([own.key, own.team, own.user], [null, 'default', null]);
        assert.deepEqual(own.budgets.map((row) => row.budget), ['day', 'all', 'guard', 'jobs', 'work']);
        const [day, all, guard, jobs, work] = own.budgets;
        const tomorrow = new Date();
        tomorrow.setUTCHours(24, 0, 0, 0);
        assert.deepEqual(day, { budget: 'day', scope: 'team', of: 'default', mode: 'enforce', unit: 'USD', window_begin: day.window_begin, window_end: tomorrow.toISOString(),
            limit_usd: '0.001', limit_nusd: 1000000, used_usd: '0.00017', used_nusd: COST, remaining_usd: '0.00083', remaining_nusd: 1000000 - COST });
        for (const [row, unit] of [[all, '_nusd'], [jobs, '']]) {
            assert.deepEqual([row[`limit${unit}`], row[`used${unit}`], row[`remaining${unit}`]], [null, null, null], row.budget);
        }
        assert.deepEqual([guard.limit_usd, guard.used_usd, guard.remaining_usd, guard.window_end], ['0.5', '0', '0.5', null]);
        assert.deepEqual([work.of, work.limit, work.used, work.remaining], ['job-1', 1000000, 107, 999893]);
    });
    test('another unit of work has figures of its own, and asking makes no counter', async () => {
        const own = await headgate.own({ 'x-headgate-trace': 'job-2' });
        const work = own.budgets.find((row) => row.budget === 'work');
        assert.deepEqual([work.of, work.used, work.remaining], ['job-2', 0, 1000000]);
        assert.equal(own.budgets.find((row) => row.budget === 'jobs'), undefined);
        const { budgets } = await headgate.json('/admin/v1/budgets?budget=work');
        assert.deepEqual(budgets.map((row) => row.of), ['job-1']);
    });
    test('the order tells nothing of what is hidden, and shadows and other teams are not there', async () => {
        const own = await headgate.own();
        assert.deepEqual(own.budgets.map((row) => row.budget), ['day', 'all', 'guard']);
        assert.ok(!JSON.stringify(own).includes('0.00017'.repeat(2)));
        const text = JSON.stringify(own);
        for (const word of ['dark', 'theirs', 'other', '9.99']) {
            assert.ok(!text.includes(word), word);
        }
    });
    test('it is read, with or without a body, and asks no provider', async () => {
        const target = '/headgate/v1/limits';
        const probe = await App.connect(headgate.port);
        probe.send(request({ method: 'HEAD', target }));
        await until(() => probe.received.includes('\r\n\r\n'), 3000, 'a head');
        assert.match(probe.received.toString(), /^HTTP\/1\.1 200 OK\r\n[^{]*\r\n\r\n$/);
        probe.close();
        const app = await App.connect(headgate.port);
        app.send(request({ method: 'GET', target, body: 'x'.repeat(1000) }));
        assert.equal((await app.answer()).status, 200);
        app.send(request({ method: 'GET', target: `${target}?any=thing` }));
        assert.equal((await app.answer()).status, 200);
        app.close();
        for (const method of ['POST', 'DELETE', 'PUT']) {
            const answer = await ask(headgate.port, { method, target });
            checkRefusal(answer, { status: 405 });
            assert.equal(header(answer, 'allow'), 'GET, HEAD');
        }
        checkRefusal(await ask(headgate.port, { method: 'GET', target, body: 'x'.repeat(70000) }), { status: 413 });
        checkRefusal(await ask(headgate.port, { method: 'GET', target, headers: { 'x-headgate-trace': 'a b' } }), { status: 400, code: 'invalid_trace' });
        for (const other of ['/headgate/v1', '/headgate/v1/limits/', '/headgate/v1/limits/day', '/headgate/v1/Limits', '/headgate/v1/%6cimits', '/headgate/v1/budgets']) {
            checkRefusal(await ask(headgate.port, { method: 'GET', target: other }), { status: 404, code: 'not_found' });
        }
        checkRefusal(await ask(headgate.admin, { method: 'GET', target, host: `127.0.0.1:${headgate.admin}`, headers: { Authorization: `Bearer ${TOKEN}` } }), { status: 404 });
        assert.equal(upstream.requests.length, 0);
        assert.deepEqual(headgate.callLines().filter((line) => line.operation === 'limits' && line.status === 200), [], 'pages leave no line');
    });
    test('rates: what may come now, and when all of it is free again', async () => {
        const other = await start([], { more: { rates: [{ name: 'calls', scope: 'team', limit: '60 requests', per: 'hour', burst: 3 },
            { name: 'words', scope: 'tag', limit: '6000 tokens', per: 'minute' }, { name: 'once', scope: 'global', limit: '2 concurrent' }] } });
        const before = Date.now();
        assert.equal((await other.call({ 'x-headgate-tags': 'batch' })).status, 200);
        const [calls, words, once] = (await other.own({ 'x-headgate-tags': 'batch' })).rates;
        const free = Date.parse(calls.all_free_at);
        assert.ok(free >= before + 59000 && free <= Date.now() + 61000, calls.all_free_at);
        assert.deepEqual({ ...calls, all_free_at: 0 }, { rate: 'calls', scope: 'team', of: 'default', unit: 'requests', per: 'hour', limit: 60, burst: 3, used: 1, remaining: 2, all_free_at: 0 });
        assert.ok(words.of === 'batch' && words.used > 0 && words.used <= 107 && words.remaining === 6000 - words.used, JSON.stringify(words));
        assert.deepEqual(once, { rate: 'once', scope: 'global', of: null, unit: 'concurrent', per: null, limit: 2, burst: null, used: 0, remaining: 2, all_free_at: null });
        for (let i = 0; i < 5; i += 1) { // asking is free
            assert.equal((await other.own()).rates[0].remaining, 2);
        }
        await other.stop();
    });
    test('without budgets there are none', async () => {
        const other = await start([]);
        assert.deepEqual((await other.own()).budgets, []);
        assert.deepEqual(await other.json('/admin/v1/budgets'), { budgets: [], counters: 0, truncated: false });
        const list = await other.run('budget', 'list');
        assert.deepEqual([list.code, list.stdout], [0, 'no budget of this description counts anything\n']);
        checkRefusal(await other.post('/admin/v1/budgets/day/reset'), { status: 404 });
        await other.stop();
    });
});

describe('with a ledger on Redis', () => {
    const SOME = BUDGETS.filter(({ name }) => name === 'all' || name === 'day');
    let redis;
    let headgate;
    before(async () => {
        redis = new Redis();
        await redis.start();
        headgate = await start(SOME, { more: { ledger: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` } } });
        await until(async () => (await headgate.call()).status === 200, 15000, 'the ledger'); // one that nobody knows is given two seconds
        await headgate.settled('day', 'default');
    });
    // What is spent of a loan is told after 100 ms.
    const comesTo = (nano) => until(async () => (await headgate.counter('all', null)).settled_nusd === nano, 3000, `${nano} of all`);
    after(async () => {
        await headgate?.stop();
        await redis?.remove();
    });

    test('reset: the budget begins at zero, and its generation is told', async () => {
        const done = await headgate.run('budget', 'reset', 'day');
        assert.deepEqual([done.code, done.stderr], [0, '']);
        assert.equal((await headgate.call()).status, 200);
        const row = await headgate.settled('day', 'default');
        assert.deepEqual([row.settled_nusd, row.generation], [COST, 1]);
        await comesTo(2 * COST);
    });
    test('rebuild: not of one budget alone, which is said, and nothing is touched', async () => {
        const told = await headgate.run('budget', 'rebuild', 'day');
        assert.deepEqual([told.code, told.stdout], [1, '']);
        assert.match(told.stderr, /^headgate: the ledger did not do this: in Redis budgets are rebuilt all at once: leave out the name/);
        assert.equal((await headgate.settled('day', 'default')).settled_nusd, COST);
    });
    test('rebuild: calls wait, and all is there again', async () => {
        const done = await headgate.run('budget', 'rebuild');
        assert.deepEqual([done.code, done.stderr], [0, '']);
        await until(async () => (await headgate.call()).status === 200, 15000, 'a call');
        assert.equal((await headgate.settled('day', 'default')).settled_nusd, 2 * COST);
        await comesTo(3 * COST);
    });
    test('void: of a headgate that nobody knows nothing is given back; the name of this one is in the log', async () => {
        const name = /"event":"ledger_up".*?"proxy":"([0-9a-z]+)"/.exec(headgate.stderr)[1];
        for (const proxy of ['gone-1', name]) {
            const done = await headgate.run('budget', 'void', '--proxy', proxy, '--json');
            assert.deepEqual([done.code, done.stderr], [0, '']);
            assert.equal(JSON.parse(done.stdout).count, 0);
        }
    });
    test('Redis is dead: the app is told when to come again, the operator what is wrong; and it comes back', async () => {
        await redis.stop();
        checkRefusal(await headgate.call(), { status: 503, code: 'budget_unavailable' });
        const told = await headgate.run('budget', 'reset', 'day');
        assert.deepEqual([told.code, told.stdout], [1, '']);
        assert.match(told.stderr, /^headgate: the ledger did not do this: Redis cannot be asked/);
        await until(() => headgate.stderr.includes('"event":"ledger_down"'), 5000, 'ledger_down');
        await redis.start();
        await until(async () => (await headgate.call()).status === 200, 15000, 'a call');
        assert.equal((await headgate.settled('day', 'default')).settled_nusd, 3 * COST);
    });
});

describe('with keys', () => {
    const RING = ringOf({ ci: { team: 'growth', user: 'build', tags: ['batch'] }, dev: { team: 'growth' }, other: { team: 'rivals' },
        narrow: { operations: ['embeddings'], models: ['none'] }, gone: { revoked: true }, trace: {} });
    let headgate;
    before(async () => {
        headgate = await start([
            { name: 'all', scope: 'global', limit: '10 USD', window: 'month' },
            { name: 'team', scope: 'team', limit: '0.01 USD', window: 'day' },
            { name: 'mine', scope: 'key', limit: '1000 tokens', window: 'hour' },
            { name: 'person', scope: 'user', limit: '5 requests', window: 'total' },
            { name: 'rivals-only', scope: 'team:rivals', limit: '7 requests', window: 'day' },
            { name: 'jobs', scope: 'tag', limit: '9 requests', window: 'day' },
            { name: 'guard', scope: 'call', limit: '0.50 USD' },
        ], { more: { key_secret: KEY_SECRET, keys: RING.keys,
            rates: [{ name: 'pace', scope: 'key', limit: '60 requests', per: 'hour' }, { name: 'pool', scope: 'global', limit: '90 requests', per: 'hour' }] } });
        for (const [key, times] of [['ci', 2], ['dev', 1], ['other', 3]]) {
            for (let i = 0; i < times; i += 1) {
                assert.equal((await headgate.call(bearer(RING.texts[key]))).status, 200);
            }
        }
        await headgate.settled('team', 'rivals');
    });
    after(async () => {
        await headgate.stop();
        for (const secret of [...Object.values(RING.texts), KEY_SECRET, TOKEN]) {
            assert.ok(!headgate.stderr.includes(secret), 'a key is in the log');
        }
    });
    const limits = (headers) => ask(headgate.port, { method: 'GET', target: '/headgate/v1/limits', headers });

    test('without a good one nothing is told', async () => {
        checkRefusal(await limits({}), { status: 401, code: 'missing_key' });
        for (const key of [newKey(), RING.texts.gone, 'nonsense']) {
            const answer = await limits(bearer(key));
            checkRefusal(answer, { status: 401, code: 'invalid_key' });
            assert.ok(!answer.body.includes('team'));
        }
        checkRefusal(await limits(bearer(TOKEN)), { status: 401 });
    });
    test('each sees its own, and nothing of the others', async () => {
        const ci = await headgate.own(bearer(RING.texts.ci));
        assert.deepEqual([ci.key, ci.team, ci.user], ['ci', 'growth', 'build']);
        const of = (own) => Object.fromEntries(own.budgets.map((row) => [row.budget, row.used_nusd ?? row.used ?? null]));
        assert.deepEqual(of(ci), { team: 3 * COST, mine: 214, person: 2, all: null, guard: 0, jobs: null });
        assert.deepEqual(ci.rates.map((rate) => [rate.rate, rate.of, rate.used, rate.remaining, rate.limit]), [['pace', 'ci', 2, 58, 60], ['pool', null, null, null, null]]);
        const dev = await headgate.own({ 'x-api-key': RING.texts.dev });
        assert.deepEqual([dev.key, dev.user], ['dev', null]);
        assert.deepEqual(of(dev), { team: 3 * COST, mine: 107, all: null, guard: 0 });
        const other = await headgate.own({ ...bearer(RING.texts.other), 'x-headgate-tags': 'batch' });
        assert.deepEqual(of(other), { team: 3 * COST, mine: 321, all: null, guard: 0, jobs: null, 'rivals-only': 3 });
        assert.ok(!JSON.stringify(dev).includes('rivals'));
        assert.ok(!JSON.stringify(other).includes('growth'));
    });
    test('a key that may do little may ask', async () => {
        const own = await headgate.own(bearer(RING.texts.narrow));
        assert.equal(own.key, 'narrow');
        assert.equal(own.budgets.find((row) => row.budget === 'team').used_nusd, 0);
        assert.equal(own.budgets.find((row) => row.budget === 'team').of, 'default');
    });
    test('operators see any key, at both paths, shared figures as well', async () => {
        const ci = await headgate.json('/admin/v1/limits/ci');
        const same = await headgate.json('/admin/v1/usage/%63i/current');
        assert.deepEqual([same.key, same.budgets], [ci.key, ci.budgets]);
        assert.deepEqual([ci.key, ci.team, ci.user], ['ci', 'growth', 'build']);
        assert.deepEqual(ci.budgets.map((row) => [row.budget, row.of, row.used_nusd ?? row.used]).sort(),
            [['all', null, 6 * COST], ['guard', null, 0], ['jobs', 'batch', 2], ['mine', 'ci', 214], ['person', 'growth/build', 2], ['team', 'growth', 3 * COST]]);
        assert.deepEqual(ci.budgets.map((row) => row.budget)[0], 'person', 'the fullest first');
        assert.deepEqual(ci.rates.map((rate) => [rate.rate, rate.remaining, rate.limit]), [['pace', 58, 60], ['pool', 84, 90]]);
        assert.equal((await headgate.json('/admin/v1/limits/gone')).key, 'gone', 'also one that is revoked');
        assert.equal((await headgate.json('/admin/v1/limits/trace')).key, 'trace');
    });
    test('BC06 and no other', async () => {
        for (const name of ['nobody', 'CI', 'ci%20', 'ci%2Fdev', '..', '..%2fci', '%27ci', "'ci'", 'ci%25', 'c_', 'c%', '%63%', 'ci%00', '%', '*', 'c*', 'x'.repeat(3000)]) {
            checkRefusal(await headgate.get(`/admin/v1/limits/${name}`), { status: [400, 404] });
            checkRefusal(await headgate.get(`/admin/v1/usage/${name}/current`), { status: [400, 404] });
        }
        checkRefusal(await headgate.get('/admin/v1/limits/nobody'), { status: 404, code: 'key_not_found' });
        checkRefusal(await headgate.get('/admin/v1/limits/ci?of=a'), { status: 400, code: 'invalid_parameter' });
    });
    test('a counter of a key is reset by its name', async () => {
        const done = await headgate.run('budget', 'reset', 'mine', '--of', 'ci');
        assert.deepEqual([done.code, done.stdout], [0, 'reset: mine of ci, 1 counter\n'], done.stderr);
        const used = async (key) => (await headgate.json(`/admin/v1/limits/${key}`)).budgets.find((row) => row.budget === 'mine').used;
        assert.deepEqual([await used('ci'), await used('dev')], [0, 107]);
    });
});
