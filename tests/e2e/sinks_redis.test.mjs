// SPDX-License-Identifier: Apache-2.0
// Records into a stream of a real Redis: each once, whatever gets lost between the two.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import test, { describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from './lib/redis.mjs';
import { Sinks, idsOf } from './lib/sinks.mjs';
import { patient, until } from './lib/wire.mjs';

const cursorsOf = (sinks) => fs.readdirSync(sinks.at('state/sinks')).map((name) => sinks.at(`state/sinks/${name}`));
const keep = (sinks) => cursorsOf(sinks).map((file) => [file, fs.readFileSync(file)]);
const putBack = (kept) => kept.forEach(([file, bytes]) => fs.writeFileSync(file, bytes));

async function withRedis(act, { args = [], password, settings = {}, port } = {}) {
    const redis = new Redis(args);
    redis.password = password;
    await redis.start();
    const login = password ? `:${encodeURIComponent(password)}@` : '';
    const sinks = new Sinks([{ kind: 'redis', url: `redis://${login}127.0.0.1:${port ?? redis.port}`, every: '20ms', ...settings }]);
    try {
        await act(redis, sinks);
    } finally {
        await sinks.remove();
        await redis.remove();
    }
}

// Stands between: `act(chunk, up, down, nth)` sees each chunk of the nth connection on its way to the server.
async function between(redis, act) {
    let connections = 0;
    const server = net.createServer((down) => {
        const nth = connections++;
        const up = net.connect(redis.port, '127.0.0.1');
        down.on('error', () => {}).on('data', (chunk) => act(chunk, up, down, nth)).on('close', () => up.keep || up.end());
        up.on('error', () => {}).on('data', (chunk) => down.destroyed || down.write(chunk)).on('close', () => down.destroy());
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { port: server.address().port, connections: () => connections, stop: () => server.close() };
}

describe('redis', { concurrency: 10 }, () => {
    test('each record is an entry, in order, with its id and its line', () => withRedis(async (redis, sinks) => {
        await sinks.start();
        sinks.append(1, 1200);
        await sinks.delivered(1200);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 1200));
        const text = await redis.ask(['XRANGE', 'headgate:usage', '-', '+', 'COUNT', '1']);
        const journal = fs.readdirSync(sinks.at('journal')).map((name) => fs.readFileSync(sinks.at(`journal/${name}`), 'utf8')).join('');
        assert.ok(text.includes(`\r\nrecord\r\n$${journal.indexOf('\n')}\r\n${journal.slice(0, journal.indexOf('\n'))}\r\n`));
    }));

    test('what was added before a crash is not added again', () => withRedis(async (redis, sinks) => {
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100);
        const kept = keep(sinks);
        sinks.append(101, 700);
        await sinks.delivered(800);
        await sinks.kill();
        putBack(kept);
        await sinks.start();
        sinks.append(801, 10);
        assert.equal((await sinks.delivered(710)).known, 700);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 810));
    }));

    test('a server that goes and comes back', () => withRedis(async (redis, sinks) => {
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100);
        await redis.stop();
        sinks.append(101, 100);
        await sinks.hear('sink_down');
        await sleep(patient(1500));
        sinks.append(201, 100);
        await redis.start();
        await sinks.delivered(300);
        assert.equal((await sinks.hear('sink_up')).records, 200);
        assert.equal(sinks.events('sink_down').length, 1);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 300));
    }));

    test('kills of both at any time lose nothing and double nothing', { timeout: patient(60000) }, () => withRedis(async (redis, sinks) => {
        let next = 1;
        for (let round = 0; round < 6; round++) {
            await sinks.start();
            for (let i = 0; i < 10; i++) {
                sinks.append(next, 100);
                next += 100;
            }
            await sleep(20 + round * 15);
            await (round % 2 === 0 ? sinks : redis).kill?.();
            if (round % 2 === 1) {
                await redis.stop();
                await redis.start();
                await sinks.kill();
            }
        }
        await sinks.start();
        await until(async () => (await sinks.counts()).offset === fs.readdirSync(sinks.at('journal')).reduce((_, name) => fs.statSync(sinks.at(`journal/${name}`)).size, 0), 20000, 'all');
        await sinks.finish();
        const journal = fs.readdirSync(sinks.at('journal')).map((name) => fs.readFileSync(sinks.at(`journal/${name}`), 'utf8')).join('');
        assert.deepEqual(await redis.ids(), journal.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line).record_id));
    }));

    test('an answer that gets lost doubles nothing', () => withRedis(async (redis, sinks) => {
        const proxy = await between(redis, (chunk, up, down, nth) => {
            if (nth === 0 && chunk.includes('MULTI')) {
                up.keep = true;
                up.write(chunk);
                setTimeout(() => down.destroy(), 100);
                up.removeAllListeners('data');
                up.on('data', () => {});
                return;
            }
            up.write(chunk);
        });
        sinks.settle([{ kind: 'redis', url: `redis://127.0.0.1:${proxy.port}`, every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 50);
        assert.equal((await sinks.delivered(50)).known, 50);
        await sinks.finish();
        assert.equal(proxy.connections(), 2);
        assert.deepEqual(await redis.ids(), idsOf(1, 50));
        proxy.stop();
    }));

    test('a batch that comes late, after it was sent again, does nothing any more', () => withRedis(async (redis, sinks) => {
        let late = false;
        const proxy = await between(redis, (chunk, up, down, nth) => {
            if (nth === 0 && chunk.includes('MULTI')) {
                up.keep = true;
                down.destroy();
                setTimeout(() => { up.write(chunk); late = true; }, 4000);
                return;
            }
            up.write(chunk);
        });
        sinks.settle([{ kind: 'redis', url: `redis://127.0.0.1:${proxy.port}`, every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 50);
        assert.equal((await sinks.delivered(50)).known, 0);
        assert.equal(late, false);
        await until(() => late, 10000, 'the late batch');
        await sleep(300);
        sinks.append(51, 1);
        await sinks.delivered(51);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 51));
        proxy.stop();
    }));

    test('two headgates share a stream', () => withRedis(async (redis, sinks) => {
        const other = new Sinks([{ kind: 'redis', url: `redis://127.0.0.1:${redis.port}`, every: '20ms' }]);
        await Promise.all([sinks.start(), other.start()]);
        for (let i = 0; i < 10; i++) {
            sinks.append(1 + i * 100, 100);
            other.append(100001 + i * 100, 100);
        }
        await Promise.all([sinks.delivered(1000), other.delivered(1000)]);
        await Promise.all([sinks.finish(), other.finish()]);
        await other.remove();
        const ids = await redis.ids();
        assert.equal(ids.length, 2000);
        assert.deepEqual([...ids].sort(), [...idsOf(1, 1000), ...idsOf(100001, 1000)].sort());
    }));

    test('password, database, stream and length', () => withRedis(async (redis, sinks) => {
        sinks.settle([{ kind: 'redis', url: `redis://:${encodeURIComponent('p@ss/wörd')}@127.0.0.1:${redis.port}/3`, stream: 'books', length: 100, every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 2000);
        await sinks.delivered(2000);
        await sinks.finish();
        const ids = await redis.ids('books', '3');
        assert.ok(ids.length >= 100 && ids.length < 500, `${ids.length}`);
        assert.deepEqual(ids, idsOf(2001 - ids.length, ids.length));
        assert.ok(!JSON.stringify(sinks.said).includes('p@ss'));
    }, { args: ['--requirepass', 'p@ss/wörd'], password: 'p@ss/wörd' }));

    for (const [what, login, reason] of [['no password', '', /NOAUTH/], ['a wrong one', ':wrong@', /WRONGPASS/]]) {
        test(`${what} is told, and never shown`, () => withRedis(async (redis, sinks) => {
            sinks.settle([{ kind: 'redis', url: `redis://${login}127.0.0.1:${redis.port}`, every: '20ms' }]);
            await sinks.start();
            sinks.append(1, 1);
            assert.match((await sinks.hear('sink_down')).reason, reason);
            await redis.ask(['CONFIG', 'SET', 'requirepass', login === '' ? '' : 'wrong']);
            redis.password = login === '' ? undefined : 'wrong';
            await sinks.delivered(1);
            await sinks.finish();
            assert.deepEqual(await redis.ids(), idsOf(1, 1));
        }, { args: ['--requirepass', 'right'], password: 'right' }));
    }

    test('out of memory is waited for', () => withRedis(async (redis, sinks) => {
        await redis.ask(['CONFIG', 'SET', 'maxmemory', '1']);
        await sinks.start();
        sinks.append(1, 100);
        assert.match((await sinks.hear('sink_down')).reason, /^OOM/);
        await redis.ask(['CONFIG', 'SET', 'maxmemory', '0']);
        await sinks.delivered(100);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 100));
    }));

    test('a replica is waited for', () => withRedis(async (redis, sinks) => {
        await redis.ask(['REPLICAOF', '127.0.0.1', '1']);
        await sinks.start();
        sinks.append(1, 100);
        assert.match((await sinks.hear('sink_down')).reason, /READONLY|MASTERDOWN/);
        await redis.ask(['REPLICAOF', 'NO', 'ONE']);
        await sinks.delivered(100);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(1, 100));
    }));

    test('a key that is no stream loses nothing', () => withRedis(async (redis, sinks) => {
        await redis.ask(['SET', 'headgate:usage', 'x']);
        await sinks.start();
        sinks.append(1, 100);
        assert.match((await sinks.hear('sink_down')).reason, /is no stream/);
        await redis.ask(['DEL', 'headgate:usage']);
        await sinks.delivered(100);
        // And when it becomes none while the connection stands.
        await redis.ask(['DEL', 'headgate:usage'], ['SET', 'headgate:usage', 'x']);
        sinks.append(101, 100);
        assert.match((await sinks.hear('sink_down', 2)).reason, /WRONGTYPE/);
        await redis.ask(['DEL', 'headgate:usage']);
        await sinks.delivered(200);
        await sinks.finish();
        assert.deepEqual(await redis.ids(), idsOf(101, 100));
    }));

    test('what speaks no Redis', async () => {
        const server = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 no\r\n\r\n'));
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const sinks = new Sinks([{ kind: 'redis', url: `redis://127.0.0.1:${server.address().port}`, every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 1);
        assert.match((await sinks.hear('sink_down')).reason, /no Redis protocol/);
        await sinks.finish();
        await sinks.remove();
        server.close();
    });

    test('a server that says nothing delays no other sink', async () => {
        const server = net.createServer((socket) => socket.on('error', () => {}));
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const sinks = new Sinks([{ kind: 'redis', url: `redis://127.0.0.1:${server.address().port}`, every: '20ms' }, { kind: 'file', path: 'out.jsonl', every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100, 1);
        assert.match((await sinks.hear('sink_down', 1, 15000)).reason, /not answer in time/);
        await sinks.finish(200);
        await sinks.remove();
        server.close();
    });
});
