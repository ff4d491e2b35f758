// SPDX-License-Identifier: Apache-2.0
// What budgets have settled survives restarts and kills exactly: the sums that headgate keeps are compared with
// those of the journal's records, worked out here. Settings read again hold from the next hold on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { DONE, ROLE, STOP, delta } from './lib/plays.mjs';
import { crc32c, recordsIn } from './lib/records.mjs';
import { good } from './lib/samples.mjs';
import test, { after, afterEach, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const ROUNDS = process.env.HEADGATE_TEST_SCALE === 'full' ? 50 : 5;
const APPS = 64;
const PRICES = `version: 1
prices:
  - { provider: first, model: m, input: 1, output: 10, source: "made up" }
  - { provider: first, model: dear, input: 4000, output: 4000, source: "made up" }
`;
const COST = 170000n; // nanodollars: 100 tokens in, 7 out
const usage = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
const said = { id: 'x', object: 'chat.completion', model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }], usage };
const DAY = { name: 'day', scope: 'team', limit: '1 USD', window: 'day' };

let upstream;
let dir;
let state;
let headgate;

before(async () => {
    upstream = await Upstream.start();
});
after(() => upstream.stop());
beforeEach(() => {
    dir = temporary();
    state = path.join(dir, 'state');
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream.play((exchange) => exchange.json(said));
});
afterEach(async () => {
    upstream.forget();
    await headgate?.stop();
    headgate = null;
    fs.rmSync(dir, { recursive: true, force: true });
});

const settings = (budgets, more = {}) => ({
    state_dir: state,
    prices: { files: [path.join(dir, 'prices.yaml')] },
    providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider,
        breaker: { failures: 1000, ratio: '100%', silence: 'off' } } },
    routes: { one: { targets: [{ provider: 'first', model: 'm' }] }, dear: { targets: [{ provider: 'first', model: 'dear' }] } },
    budgets, ...more,
});
async function start(budgets, more = {}) {
    headgate = await Headgate.start(settings(budgets, more));
}
async function stop() {
    await headgate.stop();
    headgate = null;
}
async function restart(budgets, more = {}) {
    await stop();
    await start(budgets, more);
}
// The file changes and is read again; `event` is what the log says of it.
async function reload(budgets, more = {}, event = 'reloaded') {
    const before_ = headgate.lines().filter((line) => line.event === event).length;
    const { version, listen, admin, log } = JSON.parse(fs.readFileSync(headgate.file, 'utf8'));
    fs.writeFileSync(headgate.file, JSON.stringify({ version, listen, admin, log, ...settings(budgets, more) }));
    headgate.signal('SIGHUP');
    await until(() => headgate.lines().filter((line) => line.event === event).length > before_, 5000, event);
}
const call = (more = {}, headers = {}) => ask(headgate.port, good('chat', { model: 'one', max_tokens: 20, ...more },
    { headers: { Authorization: `Bearer ${CANARY.app}`, ...headers } }));
const nano = (text) => {
    const [, whole, part = ''] = text.match(/^(\d+)(?:\.(\d+))? USD$/);
    return BigInt(whole) * 1000000000n + BigInt(part.padEnd(9, '0'));
};
// What a budget that the team has to itself says is used, by a call that it refuses.
async function usedOf(name) {
    const answer = await call({ model: 'dear', messages: [{ role: 'user', content: 'x'.repeat(2000) }] });
    const [told, used] = (header(answer, 'x-headgate-budget') ?? '').split(';');
    assert.deepEqual([answer.status, told], [402, name]);
    return nano(used);
}

const file = () => path.join(state, 'budgets');
// The sums of the file by "budget value", its sum checked.
function sums() {
    const text = fs.readFileSync(file(), 'utf8');
    const at = text.lastIndexOf('crc ');
    assert.equal(text.slice(at), `crc ${crc32c(Buffer.from(text.slice(0, at)))}\n`);
    const found = new Map();
    for (const line of text.split('\n').filter((each) => each.startsWith('sum '))) {
        const [, name, unit, , begin, , , , settled, , value] = line.split(' ');
        found.set(`${name} ${value.slice(1)} ${begin}`, { unit, settled: BigInt(settled) });
    }
    return found;
}
const sumOf = (name, value = 'default') => [...sums()].filter(([key]) => key.startsWith(`${name} ${value} `))
    .reduce((sum, [, one]) => sum + one.settled, 0n);
const charged = (records) => records.filter((record) => record.held_at !== undefined)
    .reduce((sum, record) => sum + BigInt(record.charged_nusd ?? 0), 0n);
const tokensOf = (records) => records.filter((record) => record.held_at !== undefined)
    .reduce((sum, record) => sum + BigInt(record.input ?? 0) + BigInt(record.output ?? 0), 0n);

describe('what was settled', () => {
    const BUDGETS = [DAY, { name: 'tokens', scope: 'route', limit: '100000000 tokens', window: 'rolling:24h' },
        { name: 'calls', scope: 'global', limit: '1000 requests', window: 'month' }, { name: 'tag', scope: 'tag', limit: '1 USD', window: 'week' },
        { name: 'unit', scope: 'trace', limit: '0.0008 USD' }];

    test('is the same after a restart, in every unit and window', async () => {
        await start(BUDGETS);
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call({}, { 'x-headgate-tags': 'a,b', 'x-headgate-trace': 't1' })).status, 200);
        }
        const before_ = await call({}, { 'x-headgate-trace': 't1' });
        assert.deepEqual([before_.status, header(before_, 'x-headgate-budget').split(';')[0]], [402, 'unit']);
        assert.equal(await usedOf('day'), 3n * COST);
        await stop();
        assert.deepEqual([sumOf('day'), sumOf('tokens', 'one'), sumOf('calls', ''), sumOf('tag', 'a'), sumOf('tag', 'b'), sumOf('unit', 't1')],
            [3n * COST, 321n, 3n, 3n * COST, 3n * COST, 3n * COST]);
        await start(BUDGETS);
        assert.equal(await usedOf('day'), 3n * COST);
        const after_ = await call({}, { 'x-headgate-trace': 't1' });
        assert.deepEqual([after_.status, header(after_, 'x-headgate-budget')], [402, header(before_, 'x-headgate-budget')]);
        await restart(BUDGETS);
        assert.equal(await usedOf('day'), 3n * COST, 'a restart without calls');
    });

    test('is counted from the lines since the file was written', async () => {
        await start(BUDGETS);
        await call();
        await stop();
        const early = fs.readFileSync(file());
        await start(BUDGETS);
        await call();
        await call();
        await stop();
        fs.writeFileSync(file(), early);
        await start(BUDGETS);
        assert.equal(await usedOf('day'), 3n * COST);
    });

    test('is not told of again', async () => {
        await start([{ ...DAY, limit: '0.001 USD', warn_at: ['10%'] }]);
        await call();
        await until(() => headgate.lines().some((line) => line.event === 'budget'), 3000, 'the warning');
        await restart([{ ...DAY, limit: '0.001 USD', warn_at: ['10%'] }]);
        await call();
        assert.equal(headgate.lines().filter((line) => line.event === 'budget').length, 0);
    });

    test('of a budget that is new, or counts otherwise, begins with it', async () => {
        await start([DAY]);
        await call();
        await restart([{ ...DAY, scope: 'route' }, { name: 'week', scope: 'team', limit: '1 USD', window: 'week' }]);
        await call();
        await stop();
        assert.deepEqual([sumOf('day'), sumOf('day', 'one'), sumOf('week')], [COST, COST, COST]);
        await start([{ ...DAY, scope: 'route' }, { name: 'week', scope: 'team', limit: '1 USD', window: 'week' }]);
        await call();
        await stop();
        assert.deepEqual([sumOf('day', 'one'), sumOf('week')], [2n * COST, 2n * COST]);
        await start([{ name: 'week', scope: 'team', limit: '1 USD', window: 'week' }]);
        assert.equal(await usedOf('week'), 2n * COST);
    });
});

describe('orders of operators', () => {
    const TOKEN = 'test-token-of-operators';
    const launch = async (budgets) => {
        headgate = await Headgate.start(settings(budgets), { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
    };
    const order = async (what) => {
        const answer = await ask(headgate.admin, { target: `/admin/v1/budgets/${what}`, host: `127.0.0.1:${headgate.admin}`, headers: { Authorization: `Bearer ${TOKEN}` } });
        assert.equal(answer.status, 200, answer.body.toString());
        return JSON.parse(answer.body.toString()).count;
    };

    test('a reset holds after a restart, and after a kill', async () => {
        await launch([DAY]);
        await call();
        assert.equal(await order('day/reset'), 1);
        assert.equal(await usedOf('day'), 0n);
        await call();
        await headgate.kill();
        await launch([DAY]);
        assert.equal(await usedOf('day'), COST);
        assert.equal(await order('day/reset'), 1);
        await headgate.kill(); // the order was obeyed: it is on the disk
        await launch([DAY]);
        assert.equal(await usedOf('day'), 0n);
    });

    test('counting again changes nothing that is right, also under load', async () => {
        let runs = true;
        await launch([DAY, { name: 'calls', scope: 'route', limit: '100000 requests', window: 'rolling:24h' }]);
        const apps = Array.from({ length: 8 }, async () => {
            while (runs) {
                await call();
            }
        });
        for (let i = 0; i < 10; i += 1) {
            assert.equal(await order(i % 2 === 0 ? 'rebuild' : 'day/rebuild'), 0);
        }
        runs = false;
        await Promise.all(apps);
        assert.equal(await order('rebuild'), 0);
        assert.equal(await usedOf('day'), BigInt(upstream.requests.length) * COST);
    });

    test('counting again puts right what a file had wrong', async () => {
        await launch([DAY]);
        await call();
        await stop();
        const text = fs.readFileSync(file(), 'utf8');
        const body = text.slice(0, text.lastIndexOf('crc ')).replace(` ${COST} 0 =default`, ' 5 0 =default');
        fs.writeFileSync(file(), `${body}crc ${crc32c(Buffer.from(body))}\n`);
        await launch([DAY]);
        assert.equal(await usedOf('day'), 5n);
        assert.equal(await order('day/rebuild'), 1);
        const [told] = headgate.lines().filter((line) => line.event === 'budget_rebuilt');
        assert.deepEqual([told.level, told.budget, told.of, told.was, told.is], ['warn', 'day', 'default', '0.000000005 USD', '0.00017 USD']);
        assert.equal(await usedOf('day'), COST);
        await stop();
        await launch([DAY]);
        assert.equal(await usedOf('day'), COST);
    });
});

describe('a damaged file', () => {
    const cases = {
        torn: (text) => text.slice(0, text.length - 20),
        empty: () => '',
        changed: (text) => text.replace('sum day', 'sum dax'),
        'of another version': (text) => {
            const body = text.slice(0, text.lastIndexOf('crc ')).replace('budgets 1', 'budgets 2');
            return `${body}crc ${crc32c(Buffer.from(body))}\n`;
        },
    };
    for (const [name, spoil] of Object.entries(cases)) {
        test(`${name}: is set aside with a loud line, and the journal says it all again`, async () => {
            await start([DAY]);
            await call();
            await call();
            await stop();
            const spoilt = spoil(fs.readFileSync(file(), 'utf8'));
            fs.writeFileSync(file(), spoilt);
            await start([DAY]);
            const told = headgate.lines().filter((line) => line.event === 'budgets_file');
            assert.deepEqual(told.map((line) => line.level), ['error'], headgate.stderr);
            assert.equal(fs.readFileSync(`${file()}.aside`, 'utf8'), spoilt);
            assert.equal(await usedOf('day'), 2n * COST);
        });
    }
    test('that is gone', async () => {
        await start([DAY]);
        await call();
        await stop();
        fs.rmSync(file());
        await start([DAY]);
        assert.equal(await usedOf('day'), COST);
    });
    test('with a journal that is another one: nothing that was spent is forgotten', async () => {
        await start([DAY]);
        await call();
        await stop();
        fs.rmSync(path.join(state, 'journal'), { recursive: true });
        await start([DAY]);
        assert.equal(headgate.lines().filter((line) => line.event === 'budgets_file').length, 1);
        await call();
        assert.equal(await usedOf('day'), 2n * COST);
        await restart([DAY]);
        assert.equal(await usedOf('day'), 2n * COST);
    });
});

describe('settings read again', () => {
    test('a limit below what is used refuses the next call, and what runs ends well (G18)', async () => {
        let go = null;
        await start([DAY]);
        await call();
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(ROLE + delta('Hello'));
            await new Promise((resolve) => { go = resolve; });
            await exchange.event(`${STOP}data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage })}\n\n${DONE}`);
            await exchange.streamEnd();
        });
        const running = call({ stream: true });
        await until(() => go, 3000, 'the stream runs');
        await reload([{ ...DAY, limit: '0.0001 USD' }]);
        assert.equal((await call()).status, 402);
        go();
        const answer = await running;
        assert.equal(answer.status, 200);
        assert.match(answer.body.toString(), /\[DONE\]/);
        upstream.play((exchange) => exchange.json(said));
        await reload([{ ...DAY, limit: '0.0001 USD' }], { budget_status: 429 });
        assert.equal((await call()).status, 429);
        await reload([DAY]);
        assert.equal((await call()).status, 200);
        assert.equal(await usedOf('day'), 3n * COST);
        await restart([DAY]);
        assert.equal(await usedOf('day'), 3n * COST);
    });

    test('with a fault changes nothing (G16)', async () => {
        await start([{ ...DAY, limit: '0.0001 USD' }]);
        await reload([{ ...DAY, limit: '9000001 USD' }], {}, 'reload_refused');
        await reload([DAY, DAY], {}, 'reload_refused');
        assert.equal((await call()).status, 402);
    });

    test('budgets come, go and count otherwise, and a restart agrees', async () => {
        const HOUR = { name: 'hour', scope: 'team', limit: '0.5 USD', window: 'month' };
        await start([]);
        await call();
        await reload([HOUR]);
        await call();
        assert.equal(await usedOf('hour'), COST, 'what came before it was there does not count');
        await reload([]);
        await call();
        await reload([HOUR]);
        assert.equal(await usedOf('hour'), COST, 'nor what came while it was not');
        await reload([{ ...HOUR, limit: '90 tokens', mode: 'warn' }, DAY]);
        await call();
        await reload([{ ...HOUR, mode: 'warn' }, DAY]);
        await call();
        assert.equal(await usedOf('day'), 2n * COST);
        await restart([{ ...HOUR, mode: 'warn' }, DAY]);
        assert.equal(await usedOf('day'), 2n * COST);
        await stop();
        assert.equal(sumOf('day'), 2n * COST);
    });

    test('a hundred times under load loses no call and no nanodollar (G15)', { timeout: patient(60000) }, async () => {
        const budgets = (i) => [{ ...DAY, limit: `${1 + i % 3} USD`, zone: i % 2 === 0 ? 'Europe/Berlin' : 'UTC' }, { name: 'total', scope: 'team', limit: '5 USD', window: 'total' }];
        let runs = true;
        await start(budgets(0));
        const apps = Array.from({ length: 8 }, async () => {
            const statuses = [];
            while (runs) {
                statuses.push((await call()).status);
            }
            return statuses;
        });
        for (let i = 1; i < 100; i += 1) {
            await reload(budgets(i));
        }
        runs = false;
        const statuses = (await Promise.all(apps)).flat();
        assert.deepEqual(statuses.filter((status) => status !== 200), []);
        await stop();
        const records = recordsIn(state);
        assert.equal(records.length, statuses.length);
        assert.equal(sumOf('total'), charged(records));
    });
});

// A small generator, so that a failure can be repeated with the seed that it names.
function chance(seed) {
    let value = seed >>> 0;
    return () => {
        value = (Math.imul(value, 1664525) + 1013904223) >>> 0;
        return value / 2 ** 32;
    };
}

test(`${ROUNDS} kills under load: the ledger is the sum of the records, and no limit is passed`, { timeout: patient(ROUNDS * 6000) }, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    const random = chance(seed);
    const LIMIT = BigInt(ROUNDS) * 20000000n; // 0.02 USD a round: some 100 calls
    const budgets = [{ ...DAY, limit: `${ROUNDS * 0.02} USD`, window: 'total' }, { name: 'tokens', scope: 'global', limit: '100000000 tokens', window: 'day' },
        { name: 'calls', scope: 'route', limit: '100000 requests', window: 'rolling:24h' }];
    upstream.play(async (exchange) => {
        if (exchange.request.json().stream !== true) {
            await sleep(random() * 8);
            return exchange.json(said);
        }
        await exchange.streamHead();
        await exchange.event(ROLE);
        for (let i = 0; i < 6; i += 1) {
            await exchange.event(delta(`t${i} `));
            await sleep(random() * 3);
        }
        await exchange.event(`${STOP}data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage })}\n\n${DONE}`);
        return exchange.streamEnd();
    });
    const run = async () => {
        try {
            const app = await App.connect(headgate.port);
            for (;;) {
                app.send(request(good('chat', { model: 'one', max_tokens: 20, stream: random() < 0.5 })));
                await app.answer(20000);
            }
        } catch {
            // killed
        }
    };
    let crashed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
        await start(budgets);
        const apps = Array.from({ length: APPS }, run);
        await sleep(20 + random() * 400);
        await headgate.kill();
        await Promise.all(apps);
        await start(budgets); // and here nobody calls
        const used = await usedOf('day');
        await stop();
        const records = recordsIn(state);
        crashed = records.filter((record) => record.flags?.includes('proxy_crash')).length;
        const spent = charged(records);
        assert.equal(used, spent, `seed ${seed}, round ${round}: the ledger`);
        assert.equal(sumOf('day'), spent, `seed ${seed}, round ${round}: the file`);
        assert.equal(sumOf('tokens', ''), tokensOf(records), `seed ${seed}, round ${round}: tokens`);
        assert.equal(sumOf('calls', 'one'), BigInt(records.filter((record) => record.held_at !== undefined && record.phase !== 'unsent').length));
        assert.ok(spent <= LIMIT, `seed ${seed}, round ${round}: ${spent} of ${LIMIT}`);
    }
    const records = recordsIn(state);
    console.log(`# ${ROUNDS} kills, ${records.length} records, ${crashed} of them of a crash, ${charged(records)} of ${LIMIT}`);
    assert.ok(crashed > 0, 'calls were running when it was killed');
});
