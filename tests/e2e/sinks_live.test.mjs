// SPDX-License-Identifier: Apache-2.0
// Sinks in the running program: records of real calls arrive at a file, standard output, an HTTP
// receiver and a real Redis, each once, whatever is killed in between; the settings change meanwhile.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { Headgate, freePort, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good } from './lib/samples.mjs';
import { Redis } from './lib/redis.mjs';
import { Receiver, idsIn } from './lib/sinks.mjs';
import test, { describe } from './lib/test.mjs';
import { patient, request, until } from './lib/wire.mjs';

requireBinary();

const PROVIDERS = { a: { kind: 'fixtures', fixtures: { dialect: 'openai' } } };

// A folder with a state and files, and a headgate at a time over them.
class House {
    constructor(sinks) {
        this.dir = temporary();
        this.sinks = sinks;
        this.out = '';
    }

    at(name) {
        return path.join(this.dir, name);
    }

    file(more = {}) {
        return { kind: 'file', path: this.at('out.jsonl'), every: '20ms', ...more };
    }

    read(name = 'out.jsonl') {
        return fs.existsSync(this.at(name)) ? fs.readFileSync(this.at(name), 'utf8') : '';
    }

    settings() {
        return { state_dir: this.at('state'), providers: PROVIDERS, ...(this.sinks.length > 0 ? { sinks: this.sinks } : {}) };
    }

    async start(options) {
        this.headgate = await Headgate.start(this.settings(), options);
        return this.headgate;
    }

    // Other sinks for the headgate that runs; true when it says that they have changed.
    async change(sinks, signals = 1) {
        const { headgate } = this;
        const before = this.events('reloaded').length;
        const file = JSON.parse(fs.readFileSync(headgate.file, 'utf8'));
        this.sinks = sinks;
        delete file.sinks;
        fs.writeFileSync(headgate.file, JSON.stringify({ ...file, ...this.settings() }));
        for (let i = 0; i < signals; i += 1) {
            headgate.signal('SIGHUP');
        }
        await until(() => this.events('reloaded').length > before, 10000, 'reloaded');
    }

    events(event) {
        return this.headgate.lines().filter((line) => line.event === event);
    }

    async hear(event, ms = 10000) {
        await until(() => this.events(event).length > 0, ms, `event ${event}`);
        return this.events(event)[0];
    }

    // So many calls, `at_once` of them at a time.
    async calls(count, at_once = 4) {
        let left = count;
        await Promise.all(Array.from({ length: at_once }, async () => {
            const app = await App.connect(this.headgate.port);
            while (left-- > 0) {
                app.send(request(good('chat', { model: 'm' })));
                assert.equal((await app.answer(5000)).status, 200);
            }
            app.close();
        }));
    }

    ids() {
        return recordsIn(this.at('state')).map((record) => record.record_id);
    }

    // All that has been called has its line.
    async settled(count) {
        await until(() => this.ids().length >= count, 5000, `${count} records`);
        return this.ids();
    }

    async stop() {
        const { headgate } = this;
        await headgate.stop();
        this.out += headgate.stdout;
    }

    async kill() {
        const { headgate } = this;
        await headgate.kill();
        this.out += headgate.stdout;
    }

    async remove() {
        await this.headgate?.kill();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}

async function withHouse(act, parts = {}) {
    const house = new House([]);
    const receiver = parts.receiver ? await new Receiver(parts.receiver).start() : null;
    const redis = parts.redis ? await new Redis().start() : null;
    try {
        await act(house, receiver, redis);
    } finally {
        await house.remove();
        await receiver?.stop();
        await redis?.remove();
    }
}

const http = (receiver, more = {}) => ({ kind: 'http', url: receiver.url, every: '20ms', ...more });
const stream = (redis, more = {}) => ({ kind: 'redis', url: `redis://127.0.0.1:${redis.port}`, every: '20ms', ...more });
const unique = (ids) => [...new Set(ids)];
const ok = () => ({});

describe('records of calls', { concurrency: 4 }, () => {
    test('arrive at all four kinds, in order, as they stand in the journal', () => withHouse(async (house, receiver, redis) => {
        house.sinks = [house.file(), { kind: 'stdout', every: '20ms' }, http(receiver), stream(redis)];
        await house.start();
        await house.calls(200, 8);
        const ids = await house.settled(200);
        await until(async () => idsIn(house.read()).length === 200 && receiver.ids().length === 200 && (await redis.ids()).length === 200
            && idsIn(house.headgate.stdout).length === 200, 5000, 'all of them everywhere');
        assert.deepEqual(idsIn(house.read()), ids);
        assert.deepEqual(receiver.ids(), ids);
        assert.deepEqual(await redis.ids(), ids);
        assert.equal(house.headgate.stdout, house.read());
        await house.stop();
        assert.equal(fs.readdirSync(house.at('state/sinks')).length, 4);
    }, { receiver: ok, redis: true }));

    test('once each after kills of headgate and outages of the receivers', { timeout: patient(60000) }, () => withHouse(async (house, receiver, redis) => {
        house.sinks = [house.file(), http(receiver, { batch: 20 }), stream(redis)];
        let down = false;
        receiver.answer = () => (down ? { status: 503 } : {});
        for (let round = 0; round < 6; round += 1) {
            await house.start();
            const load = house.calls(5000, 6).catch(() => {}); // until it is killed
            await sleep(40 + round * 37);
            down = round % 2 === 1;
            if (round % 3 === 2) {
                await redis.stop();
                await redis.start();
                await sleep(30);
            }
            await house.kill();
            await load;
        }
        down = false;
        await house.start();
        const ids = house.ids();
        assert.ok(ids.length > 100, `${ids.length} records`);
        const last = ids.at(-1);
        await until(async () => idsIn(house.read()).at(-1) === last && receiver.ids().at(-1) === last && (await redis.ids()).at(-1) === last,
            20000, 'the last one everywhere');
        await house.stop();
        assert.deepEqual(idsIn(house.read()), ids);
        assert.deepEqual(await redis.ids(), ids);
        assert.deepEqual(unique(receiver.ids()), ids, 'in order, and each');
        assert.deepEqual(unique(ids), ids);
    }, { receiver: ok, redis: true }));

    test('wait for a receiver that fails, and for one that is not there', () => withHouse(async (house, receiver) => {
        let down = true;
        receiver.answer = () => (down ? { status: 500 } : {});
        const redis = new Redis();
        redis.port = await freePort();
        house.sinks = [http(receiver), stream(redis)];
        await house.start();
        await house.calls(40);
        await until(() => house.events('sink_down').length === 2, 5000, 'both are told');
        const [first] = house.events('sink_down');
        assert.equal(first.level, 'error');
        assert.ok(house.events('sink_down').some((line) => /answers 500/.test(line.reason) && line.sink === `http ${receiver.url}`));
        down = false;
        await redis.start();
        await until(() => house.events('sink_up').length === 2, 15000, 'both are back');
        assert.deepEqual(house.events('sink_up').map((line) => line.records), [40, 40]);
        assert.deepEqual(receiver.ids(), house.ids());
        assert.deepEqual(await redis.ids(), house.ids());
        await house.stop();
        await redis.remove();
    }, { receiver: ok }));

    test('are not delayed by sinks that are dead, nor are calls', () => withHouse(async (house, receiver) => {
        house.sinks = [http(receiver), { kind: 'http', url: 'http://127.0.0.1:1/x', every: '1ms' }, { kind: 'redis', url: 'redis://127.0.0.1:1' },
            { kind: 'file', path: '/dev/full', every: '1ms' }, house.file({ every: '1ms' })];
        await house.start();
        const waits = [];
        for (let n = 1; n <= 30; n += 1) {
            const begin = performance.now();
            await house.calls(1, 1);
            await until(() => idsIn(house.read()).length === n, 5000, 'the line');
            waits.push(performance.now() - begin);
        }
        waits.sort((a, b) => a - b);
        assert.ok(waits[15] < patient(150), `${waits}`); // 20 ms of it are the journal's own
        const begin = Date.now();
        await house.stop();
        assert.ok(Date.now() - begin < patient(8000), 'the end waits for nobody longer than it may');
    }, { receiver: () => ({ hang: true }) }));
});

describe('the end', { concurrency: 4 }, () => {
    test('delivers what waits for company', () => withHouse(async (house, receiver, redis) => {
        house.sinks = [house.file({ every: '1h' }), http(receiver, { every: '1h' }), stream(redis, { every: '1h' })];
        await house.start();
        await house.calls(25);
        await sleep(100);
        assert.equal(house.read(), '');
        const begin = Date.now();
        await house.stop();
        assert.ok(Date.now() - begin < patient(3000));
        assert.equal(house.ids().length, 25);
        assert.deepEqual(idsIn(house.read()), house.ids());
        assert.deepEqual(receiver.ids(), house.ids());
        assert.deepEqual(await redis.ids(), house.ids());
    }, { receiver: () => ({ delay: 200 }), redis: true }));

    test('leaves to the next start what it cannot deliver', () => withHouse(async (house, receiver) => {
        house.sinks = [http(receiver)];
        receiver.answer = () => ({ status: 503 });
        await house.start();
        await house.calls(10);
        await house.hear('sink_down');
        await house.stop();
        receiver.answer = ok;
        await house.start();
        await until(() => receiver.ids().length === 10, 5000, 'all');
        await house.stop();
        assert.deepEqual(receiver.ids(), house.ids());
    }, { receiver: ok }));
});

describe('a new configuration', { concurrency: 4 }, () => {
    test('adds, changes and removes sinks while records come, and loses and doubles none', () => withHouse(async (house, receiver, redis) => {
        receiver.answer = () => ({ delay: 60 }); // so that most changes meet a batch on its way
        house.sinks = [house.file(), http(receiver, { batch: 10 })];
        await house.start();
        let more = true;
        let called = 0;
        const load = (async () => {
            while (more) {
                await house.calls(10);
                called += 10;
            }
        })();
        await sleep(100);
        await house.change([house.file({ every: '1ms' }), http(receiver, { batch: 30 }), stream(redis)]);
        await sleep(100);
        await house.change([stream(redis, { batch: 7 }), house.file(), http(receiver, { timeout: '5s' })], 3);
        await sleep(100);
        await house.change([house.file({ sync: 'off' }), http(receiver, { batch: 25 }), { ...house.file(), path: house.at('other.jsonl'), name: 'other' }]);
        const gone = (await redis.ids()).length;
        await sleep(100);
        more = false;
        await load;
        const ids = await house.settled(called);
        await until(() => receiver.ids().length >= ids.length && idsIn(house.read()).length >= ids.length && idsIn(house.read('other.jsonl')).length >= ids.length,
            10000, 'all');
        assert.deepEqual(idsIn(house.read()), ids);
        assert.deepEqual(receiver.ids(), ids);
        assert.deepEqual(idsIn(house.read('other.jsonl')), ids, 'a new one begins with the oldest');
        assert.deepEqual(await redis.ids(), ids.slice(0, gone), 'a removed one takes no more');
        await house.change([stream(redis)]);
        await until(async () => (await redis.ids()).length >= ids.length, 5000, 'the one that was away');
        assert.deepEqual(await redis.ids(), ids, 'and goes on where it was');
        await house.stop();
    }, { receiver: ok, redis: true }));

    test('is what repairs a sink', () => withHouse(async (house, receiver) => {
        house.sinks = [http(receiver, { name: 'books', headers: { authorization: 'Bearer wrong' } })];
        receiver.answer = ({ headers }) => ({ status: headers.authorization === 'Bearer right' ? 200 : 401 });
        await house.start();
        await house.calls(5);
        assert.match((await house.hear('sink_down')).reason, /answers 401/);
        await house.change([http(receiver, { name: 'books', headers: { authorization: 'Bearer right' } })]);
        assert.equal((await house.hear('sink_up')).records, 5);
        assert.deepEqual(receiver.ids(), house.ids());
        await house.change([]);
        await house.calls(1);
        await house.stop();
        assert.equal(receiver.ids().length, 5);
    }, { receiver: ok }));

    test('with a fault changes nothing', () => withHouse(async (house) => {
        house.sinks = [house.file()];
        await house.start();
        fs.writeFileSync(house.headgate.file, `version: 1\nproviders: ${JSON.stringify(PROVIDERS)}\nsinks: [ { kind: fax } ]\n`);
        house.headgate.signal('SIGHUP');
        const line = await house.hear('reload_refused');
        assert.equal(line.level, 'warn');
        assert.match(line.msg, /:3:18: sinks.0..kind is no known kind of sink/);
        await house.calls(3);
        await until(() => idsIn(house.read()).length === 3, 3000, 'three lines');
        await house.stop();
    }));
});

test('headgate status tells how they do', () => withHouse(async (house, receiver) => {
    house.sinks = [house.file(), http(receiver, { name: 'books' })];
    await house.start();
    const get = (target) => ask(house.headgate.admin, { method: 'GET', target, host: `127.0.0.1:${house.headgate.admin}` });
    await house.calls(3);
    await house.hear('sink_down');
    await until(() => idsIn(house.read()).length === 3, 3000, 'three lines');
    const { sinks } = JSON.parse((await get('/admin/v1/sinks')).body);
    const [file, books] = sinks;
    assert.deepEqual(file, { sink: `file ${house.at('out.jsonl')}`, kind: 'file', state: 'ok', why: '', down_s: 0, delivered: 3, waiting_bytes: 0, failures: 0, damaged: 0 });
    assert.deepEqual({ ...books, failures: 1, down_s: 1 },
        { sink: 'books', kind: 'http', state: 'down', why: 'it answers 404', down_s: 1, delivered: 0, waiting_bytes: house.read().length, failures: 1, damaged: 0 });
    const { code, stdout } = await runToEnd(['status', '-c', house.headgate.file]);
    assert.equal(code, 0);
    assert.match(stdout, /\n\nSTATE {3}DELIVERED {2}WAITING KiB {2}SINK\nok {14}3 {12}0 {2}file .*out.jsonl\ndown {12}0 +\d+ {2}books, for \d+s: it answers 404\n$/);
    await house.change([]);
    assert.deepEqual(JSON.parse((await get('/admin/v1/sinks')).body), { sinks: [] });
    assert.equal((await get('/admin/v1/sinks.txt')).body.length, 0);
    await house.stop();
}, { receiver: () => ({ status: 404 }) }));

test('a folder that cannot keep cursors ends the start', () => withHouse(async (house) => {
    fs.mkdirSync(house.at('state'), { mode: 0o700 });
    fs.writeFileSync(house.at('state/sinks'), '');
    const file = house.at('headgate.yaml');
    house.sinks = [house.file()];
    fs.writeFileSync(file, JSON.stringify({ version: 1, listen: '127.0.0.1:0', admin: { listen: 'off' }, log: { format: 'json' }, ...house.settings() }));
    const { code, stderr } = await runToEnd(['run', '-c', file]);
    assert.equal(code, 73, stderr);
    assert.match(stderr, /state\/sinks/);
}));
