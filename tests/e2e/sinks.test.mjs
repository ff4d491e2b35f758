// SPDX-License-Identifier: Apache-2.0
// What all sinks promise, and what file, stdout and http do of their own: every record, in order, at
// least once, whatever dies in between; one that is down delays no other.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './lib/headgate.mjs';
import { Resolver } from './lib/resolver.mjs';
import { RIG, Receiver, Sinks, idsIn, idsOf } from './lib/sinks.mjs';
import { patient, until } from './lib/wire.mjs';

if (!RIG || !fs.existsSync(RIG)) {
    console.error('HEADGATE_SINKS_RIG must name sinks_rig');
    process.exit(1);
}

const FILE = { kind: 'file', path: 'out.jsonl', every: '20ms' };
const read = (sinks, name = 'out.jsonl') => fs.existsSync(sinks.at(name)) ? fs.readFileSync(sinks.at(name), 'utf8') : '';
const journal = (sinks) => fs.readdirSync(sinks.at('journal')).sort().map((name) => read(sinks, path.join('journal', name))).join('');
// The cursors as they are, to be put back after more was delivered: what a crash before they were written leaves.
const cursors = (sinks) => Object.fromEntries(fs.readdirSync(sinks.at('state/sinks')).map((name) => [name, read(sinks, `state/sinks/${name}`)]));
const putBack = (sinks, kept) => Object.entries(kept).forEach(([name, text]) => fs.writeFileSync(sinks.at(`state/sinks/${name}`), text));

async function withSinks(settings, act, more = {}) {
    const sinks = new Sinks(settings, more);
    try {
        await act(sinks);
    } finally {
        await sinks.remove();
    }
}

async function withReceiver(answer, act) {
    const receiver = await new Receiver(answer).start();
    try {
        await act(receiver, { kind: 'http', url: receiver.url, every: '20ms' });
    } finally {
        await receiver.stop();
    }
}

describe('file', { concurrency: 10 }, () => {
    test('has the lines of the journal, to the byte', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 1);
        sinks.append(2, 1499);
        await sinks.delivered(1500);
        await sinks.finish();
        assert.equal(read(sinks), journal(sinks));
        assert.deepEqual(idsIn(read(sinks)), idsOf(1, 1500));
    }));
    test('goes on where it was, also after a kill', () => withSinks([FILE], async (sinks) => {
        let next = 1;
        for (let round = 0; round < 8; round++) {
            await sinks.start();
            for (let i = 0; i < 20; i++) {
                sinks.append(next, 50);
                next += 50;
            }
            await until(() => journal(sinks).split('\n').length >= next, 5000, 'journal');
            await sleep(round * 3);
            await sinks.kill();
        }
        await sinks.start();
        await until(() => read(sinks).length >= journal(sinks).length, 10000, 'all');
        await sinks.finish();
        assert.equal(read(sinks), journal(sinks));
    }));
    test('a line that was written before a crash is not written again', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100);
        const kept = cursors(sinks);
        sinks.append(101, 300);
        await sinks.delivered(400);
        await sinks.kill();
        putBack(sinks, kept);
        fs.appendFileSync(sinks.at('out.jsonl'), '{"record_id":"half a li');
        await sinks.start();
        sinks.append(401, 10);
        const counts = await sinks.delivered(310);
        assert.equal(counts.known, 300);
        await sinks.finish();
        assert.equal(read(sinks), journal(sinks));
    }));
    test('nor when the file was renamed in between', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100);
        const kept = cursors(sinks);
        sinks.append(101, 100);
        await sinks.delivered(200);
        await sinks.kill();
        putBack(sinks, kept);
        fs.renameSync(sinks.at('out.jsonl'), sinks.at('out.jsonl.1'));
        await sinks.start();
        sinks.append(201, 10);
        await sinks.delivered(110);
        await sinks.finish();
        assert.equal(read(sinks, 'out.jsonl.1') + read(sinks), journal(sinks));
    }));
    test('a file that is renamed is left, and a new one begun', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 100);
        await sinks.delivered(100);
        fs.renameSync(sinks.at('out.jsonl'), sinks.at('moved'));
        sinks.append(101, 100);
        await sinks.delivered(200);
        await sinks.finish();
        assert.deepEqual(idsIn(read(sinks, 'moved')), idsOf(1, 100));
        assert.deepEqual(idsIn(read(sinks)), idsOf(101, 100));
    }));
    test('rotates by size, in whole lines, and keeps as many as it should', () => withSinks([{ ...FILE, rotate: '1MiB', keep: 2 }], async (sinks) => {
        await sinks.start();
        sinks.append(1, 9000);
        await sinks.delivered(9000);
        await sinks.finish();
        assert.ok(!fs.existsSync(sinks.at('out.jsonl.3')));
        for (const name of ['out.jsonl.1', 'out.jsonl.2']) {
            assert.ok(fs.statSync(sinks.at(name)).size <= 1024 * 1024);
        }
        const ids = idsIn(read(sinks, 'out.jsonl.2') + read(sinks, 'out.jsonl.1') + read(sinks));
        assert.deepEqual(ids, idsOf(9001 - ids.length, ids.length));
    }));
    test('a full disk leaves whole lines only, and all of them when there is room', () => withSinks([], async (sinks) => {
        await sinks.start();
        sinks.append(1, 2000);
        await sinks.finish();
        sinks.settle([FILE]);
        // Files may have so many blocks; the journal is there already.
        await sinks.start({ blocks: 800 });
        await sinks.hear('sink_down');
        assert.equal(read(sinks), journal(sinks).slice(0, read(sinks).length));
        assert.ok(read(sinks).endsWith('\n'));
        execFileSync('prlimit', ['--pid', String(sinks.child.pid), '--fsize=unlimited']);
        await sinks.hear('sink_up');
        await sinks.finish();
        assert.equal(read(sinks), journal(sinks));
    }));
    test('what is no file is said once, and delivered when it can be', () => withSinks([{ ...FILE, path: 'later/out.jsonl' }], async (sinks) => {
        await sinks.start();
        sinks.append(1, 10);
        const down = await sinks.hear('sink_down');
        assert.equal(down.level, 'error');
        assert.equal(down.sink, 'file later/out.jsonl');
        assert.match(down.reason, /No such file/);
        await sleep(patient(1500));
        fs.mkdirSync(sinks.at('later'));
        sinks.append(11, 10);
        const up = await sinks.hear('sink_up');
        assert.equal(up.records, 20);
        assert.equal(sinks.events('sink_down').length, 1);
        assert.ok((await sinks.counts()).failures >= 1);
        await sinks.finish();
        assert.equal(read(sinks, 'later/out.jsonl'), journal(sinks));
    }));
    test('a damaged line of the journal is left out and counted', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 3);
        sinks.say('break');
        sinks.append(4, 3);
        const counts = await sinks.delivered(6);
        assert.equal(counts.damaged, 1);
        sinks.say('break');
        await until(async () => (await sinks.counts()).offset === fs.statSync(sinks.at(`journal/${fs.readdirSync(sinks.at('journal'))[0]}`)).size, 5000, 'the cursor behind it');
        await sinks.finish();
        assert.equal(sinks.events('sink_damaged').length, 1);
        assert.deepEqual(idsIn(read(sinks)), idsOf(1, 6));
    }));
    test('a damaged cursor begins anew, and the file has nothing twice', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 50);
        await sinks.delivered(50);
        await sinks.finish();
        putBack(sinks, Object.fromEntries(Object.keys(cursors(sinks)).map((name) => [name, 'headgate cursor 1\n'])));
        await sinks.start();
        sinks.append(51, 50);
        await sinks.delivered(100);
        await sinks.finish();
        assert.equal(sinks.events('sink_cursor').length, 1);
        assert.equal(read(sinks), journal(sinks));
    }));
    test('another journal in the same place is delivered from its begin', () => withSinks([FILE], async (sinks) => {
        await sinks.start();
        sinks.append(1, 1);
        await sinks.delivered(1);
        await sinks.finish();
        for (const name of Object.keys(cursors(sinks))) {
            putBack(sinks, { [name]: cursors(sinks)[name].replace(/place .*/, 'place 7 100') });
        }
        fs.rmSync(sinks.at('journal'), { recursive: true });
        await sinks.start();
        sinks.append(2, 5);
        await sinks.delivered(5);
        await sinks.finish();
        assert.deepEqual(idsIn(read(sinks)), idsOf(1, 6));
    }));
});

describe('stdout', { concurrency: 10 }, () => {
    test('has the lines', () => withSinks([{ kind: 'stdout' }], async (sinks) => {
        await sinks.start({ stdout: 'pipe' });
        sinks.append(1, 3000);
        await sinks.delivered(3000);
        await sinks.finish();
        await until(() => sinks.out.length >= journal(sinks).length, 5000, 'all of it');
        assert.equal(sinks.out, journal(sinks));
    }));
    test('a file takes them as well', () => withSinks([{ kind: 'stdout' }], async (sinks) => {
        const fd = fs.openSync(sinks.at('captured'), 'w');
        await sinks.start({ stdout: fd });
        sinks.append(1, 3000);
        await sinks.delivered(3000);
        await sinks.finish();
        fs.closeSync(fd);
        assert.equal(read(sinks, 'captured'), journal(sinks));
    }));
    test('a reader who does not read delays nobody and loses nothing', () => withSinks([{ kind: 'stdout' }, FILE], async (sinks) => {
        await sinks.start({ stdout: 'pipe' });
        sinks.child.stdout.pause();
        sinks.append(1, 5000);
        await sinks.delivered(5000, 1);
        assert.ok((await sinks.counts()).delivered < 5000);
        sinks.child.stdout.resume();
        await sinks.delivered(5000);
        await sinks.finish();
        await until(() => sinks.out.length >= journal(sinks).length, 5000, 'all of it');
        assert.equal(sinks.out, journal(sinks));
    }));
    test('a closed one is told once, and the rest goes on', () => withSinks([{ kind: 'stdout' }, FILE], async (sinks) => {
        await sinks.start({ stdout: 'pipe' });
        sinks.child.stdout.destroy();
        sinks.append(1, 500);
        const down = await sinks.hear('sink_down');
        assert.match(down.reason, /nobody reads/);
        await sinks.delivered(500, 1);
        const begin = Date.now();
        await sinks.finish();
        assert.ok(Date.now() - begin < patient(1000));
        assert.equal(sinks.events('sink_down').length, 1);
    }));
});

describe('http', { concurrency: 10 }, () => {
    test('posts JSON Lines with a batch id of their own', () => withReceiver(() => ({}), (receiver, sink) =>
        withSinks([{ ...sink, batch: 100, headers: { Authorization: 'Bearer ${TOKEN}', 'x-team': 'blue' } }], async (sinks) => {
            await sinks.start({ env: { TOKEN: 'sk-test-usage-1' } });
            sinks.append(1, 250);
            await sinks.delivered(250);
            await sinks.finish();
            assert.deepEqual(receiver.ids(), idsOf(1, 250));
            assert.deepEqual(receiver.requests.map(({ body }) => idsIn(body).length), [100, 100, 50]);
            const { method, url, headers } = receiver.requests[0];
            assert.equal(method, 'POST');
            assert.equal(url, '/v1/records');
            assert.equal(headers['content-type'], 'application/x-ndjson');
            assert.equal(headers.authorization, 'Bearer sk-test-usage-1');
            assert.equal(headers['x-team'], 'blue');
            assert.equal(headers.expect, undefined);
            assert.match(headers['x-headgate-batch-id'], /^[0-9a-f]{32}$/);
            assert.equal(headers['idempotency-key'], headers['x-headgate-batch-id']);
            assert.equal(new Set(receiver.requests.map(({ headers: each }) => each['idempotency-key'])).size, 3);
            assert.equal(receiver.connections, 1);
            assert.ok(!JSON.stringify(sinks.said).includes('sk-test-usage'));
        })));
    test('a batch waits for company, but not longer than it should', () => withReceiver(() => ({}), (receiver, sink) =>
        withSinks([{ ...sink, every: '300ms' }], async (sinks) => {
            await sinks.start();
            const begin = Date.now();
            sinks.append(1, 1);
            sinks.append(2, 1);
            await sinks.delivered(2);
            assert.equal(receiver.requests.length, 1);
            assert.ok(receiver.requests[0].at - begin >= 250, `${receiver.requests[0].at - begin} ms`);
            assert.ok(receiver.requests[0].at - begin < patient(1500));
            await sinks.finish();
        })));
    test('what was delivered before a crash comes again under the same batch id', () => withReceiver(() => ({}), (receiver, sink) =>
        withSinks([{ ...sink, batch: 50 }], async (sinks) => {
            await sinks.start();
            sinks.append(1, 50);
            await sinks.delivered(50);
            const kept = cursors(sinks);
            sinks.append(51, 50);
            await sinks.delivered(100);
            await sinks.kill();
            putBack(sinks, kept);
            await sinks.start();
            await sinks.delivered(50);
            await sinks.finish();
            const [, second, third] = receiver.requests;
            assert.equal(receiver.requests.length, 3);
            assert.equal(third.headers['idempotency-key'], second.headers['idempotency-key']);
            assert.equal(third.body, second.body);
        })));
    for (const status of [408, 429, 500, 503]) {
        test(`${status} is tried again soon`, () => withReceiver((_, i) => ({ status: i < 2 ? status : 204 }), (receiver, sink) =>
            withSinks([sink], async (sinks) => {
                await sinks.start();
                sinks.append(1, 10);
                await sinks.delivered(10);
                const up = await sinks.hear('sink_up');
                assert.equal(up.records, 10);
                assert.match(sinks.events('sink_down')[0].reason, new RegExp(`answers ${status}`));
                assert.equal(sinks.events('sink_down').length, 1);
                const [first, second, third] = receiver.requests.map(({ at }) => at);
                assert.ok(second - first >= 990 && second - first <= patient(2500), `${second - first}`);
                assert.ok(third - second >= 990 && third - second <= patient(4500), `${third - second}`);
                assert.equal(new Set(receiver.requests.map(({ headers }) => headers['idempotency-key'])).size, 1);
                assert.deepEqual(receiver.ids(), idsOf(1, 10));
                await sinks.finish();
            })));
    }
    test('retry-after is obeyed', () => withReceiver((_, i) => i === 0 ? { status: 503, headers: { 'retry-after': '4' } } : {}, (receiver, sink) =>
        withSinks([sink], async (sinks) => {
            await sinks.start();
            sinks.append(1, 1);
            await sinks.delivered(1);
            const [first, second] = receiver.requests.map(({ at }) => at);
            assert.ok(second - first >= 3990, `${second - first}`);
            await sinks.finish();
        })));
    for (const status of [301, 307, 400, 401, 404]) {
        test(`${status} is told and asked again seldom`, () => withReceiver(() => ({ status, headers: { location: '/elsewhere' } }), (receiver, sink) =>
            withSinks([sink, FILE], async (sinks) => {
                await sinks.start();
                sinks.append(1, 1);
                const down = await sinks.hear('sink_down');
                assert.match(down.reason, new RegExp(`answers ${status}`));
                await sleep(patient(2500));
                assert.equal(receiver.requests.length, 1);
                assert.equal(receiver.requests[0].url, '/v1/records');
                await sinks.finish();
                assert.equal(read(sinks), journal(sinks));
            })));
    }
    test('413 makes batches smaller until they fit', () => withReceiver((request) => ({ status: idsIn(request.body).length > 60 ? 413 : 200 }), (receiver, sink) =>
        withSinks([sink], async (sinks) => {
            await sinks.start();
            sinks.append(1, 1000);
            await sinks.delivered(1000);
            await sinks.finish();
            assert.deepEqual(receiver.ids(), idsOf(1, 1000));
            assert.equal(sinks.events('sink_down').length, 0);
        })));
    test('a server that never answers runs out of its time', () => withReceiver((_, i) => ({ hang: i === 0 }), (receiver, sink) =>
        withSinks([{ ...sink, timeout: '500ms' }, FILE], async (sinks) => {
            await sinks.start();
            sinks.append(1, 5);
            await sinks.delivered(5, 1);
            const down = await sinks.hear('sink_down');
            assert.match(down.reason, /timed out/i);
            await sinks.delivered(5);
            await sinks.finish();
        })));
    test('a slow server is waited for', () => withReceiver(() => ({ delay: 700 }), (receiver, sink) =>
        withSinks([sink], async (sinks) => {
            await sinks.start();
            sinks.append(1, 5);
            await sinks.delivered(5);
            assert.equal(receiver.requests.length, 1);
            assert.equal(sinks.events('sink_down').length, 0);
            await sinks.finish();
        })));
    test('a long answer is not read to its end', () => withReceiver(() => ({ body: 'x'.repeat(2 << 20) }), (receiver, sink) =>
        withSinks([sink], async (sinks) => {
            await sinks.start();
            sinks.append(1, 5);
            await sinks.delivered(5);
            assert.equal(receiver.requests.length, 1);
            await sinks.finish();
        })));
    test('a huge batch ends at a mebibyte', () => withReceiver(() => ({}), (receiver, sink) =>
        withSinks([{ ...sink, batch: 10000 }], async (sinks) => {
            await sinks.start();
            sinks.append(1, 20000);
            await sinks.delivered(20000);
            await sinks.finish();
            assert.deepEqual(receiver.ids(), idsOf(1, 20000));
            assert.ok(receiver.requests.every(({ body }) => body.length <= 1024 * 1024));
            assert.ok(receiver.requests.length < 20);
        })));
    test('nobody there, then somebody', () => withSinks([], async (sinks) => {
        const port = await freePort();
        sinks.settle([{ kind: 'http', url: `http://127.0.0.1:${port}/v1/records`, every: '20ms' }]);
        await sinks.start();
        sinks.append(1, 20);
        await sinks.hear('sink_down');
        const receiver = await new Receiver().start(port);
        await sinks.delivered(20);
        await sinks.finish();
        assert.deepEqual(receiver.ids(), idsOf(1, 20));
        await receiver.stop();
    }));
    test('a name is called in the clear only where that is allowed', async () => {
        const names = new Resolver();
        await withSinks([{ kind: 'http', url: `http://${names.add('203.0.113.5')}:9/x`, every: '20ms' }], async (sinks) => {
            await sinks.start({ env: names.env });
            sinks.append(1, 1);
            assert.match((await sinks.hear('sink_down')).reason, /may not be called/);
            await sinks.finish();
        }, { egress: { allow: ['10.0.0.0/8'] } });
        names.stop();
    });
    test('nor is a name ever called where a cloud answers with credentials', async () => {
        const names = new Resolver();
        await withSinks([{ kind: 'http', url: `https://${names.add('169.254.169.254')}/x`, every: '20ms' }], async (sinks) => {
            await sinks.start({ env: names.env });
            sinks.append(1, 1);
            assert.match((await sinks.hear('sink_down')).reason, /may not be called/);
            await sinks.finish();
        });
        names.stop();
    });
    test('goes through egress.proxy', async () => {
        const seen = [];
        const proxy = net.createServer((socket) => socket.once('data', (head) => {
            seen.push(head.toString().split('\r\n')[0]);
            socket.end('HTTP/1.1 502 no\r\ncontent-length: 0\r\n\r\n');
        }).on('error', () => {}));
        await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        await withSinks([{ kind: 'http', url: 'https://usage.invalid/v1', every: '20ms' }], async (sinks) => {
            await sinks.start();
            sinks.append(1, 1);
            await sinks.hear('sink_down');
            await sinks.finish();
        }, { egress: { proxy: `http://127.0.0.1:${proxy.address().port}` } });
        assert.equal(seen[0], 'CONNECT usage.invalid:443 HTTP/1.1');
        proxy.close();
    });
});

describe('together', () => {
    test('a dead one does not delay a live one', () => withReceiver(() => ({ hang: true }), (receiver, sink) =>
        withSinks([sink, { ...sink, url: `http://127.0.0.1:1/x` }, { ...FILE, every: '1ms' }], async (sinks) => {
            await sinks.start();
            sinks.append(1, 1);
            await sinks.delivered(1, 2);
            const waits = [];
            for (let n = 2; n < 60; n++) {
                const begin = performance.now();
                sinks.append(n, 1);
                await until(() => idsIn(read(sinks)).length === n, 5000, 'the line');
                waits.push(performance.now() - begin);
            }
            waits.sort((a, b) => a - b);
            assert.ok(waits[Math.floor(waits.length / 2)] < patient(40), `${waits}`);
            await sinks.finish(500);
        })));
    test('the end delivers what waits, and does not wait for the dead', () => withReceiver(() => ({ hang: true }), (dead, deadSink) =>
        withReceiver(() => ({ delay: 100 }), (receiver, sink) =>
            withSinks([{ ...deadSink, every: '1h' }, { ...sink, every: '1h' }, { ...FILE, every: '1h' }], async (sinks) => {
                await sinks.start();
                sinks.append(1, 700);
                await sleep(200);
                const begin = Date.now();
                await sinks.finish(1500);
                assert.ok(Date.now() - begin < patient(3000));
                assert.deepEqual(receiver.ids(), idsOf(1, 700));
                assert.equal(read(sinks), journal(sinks));
            }))));
    test('the journal keeps what the one farthest behind needs, and not more', () => withReceiver((_, i) => ({ status: i === 0 ? 503 : 200 }), (receiver, sink) =>
        withSinks([{ ...sink, batch: 5000 }, FILE], async (sinks) => {
            const bytes = async () => {
                const before = sinks.events('tidy').length;
                sinks.say('tidy');
                await until(() => sinks.events('tidy').length > before, 5000, 'tidy');
                return sinks.events('tidy').at(-1).bytes;
            };
            await sinks.start();
            for (let i = 0; i < 5; i++) {
                sinks.append(1 + i * 8000, 8000);
            }
            await sinks.delivered(40000, 1);
            const all = journal(sinks).length;
            assert.ok(fs.readdirSync(sinks.at('journal')).length >= 3);
            assert.equal(await bytes(), all);
            await sinks.delivered(40000);
            assert.ok(await bytes() < all / 2);
            assert.deepEqual(receiver.ids(), idsOf(1, 40000));
            await sinks.finish();
        })));
    test('ends without a word when nothing is there to deliver', () => withSinks([FILE, { kind: 'stdout' }], async (sinks) => {
        await sinks.start();
        await sinks.finish();
        assert.equal(read(sinks), '');
    }));
});
