// SPDX-License-Identifier: Apache-2.0
// What sinks cost: HEADGATE_SINKS_RIG=.../sinks_rig node bench/sinks.mjs. 100,000 records wait in a journal; a
// process delivers them, three times for each kind, its start included. Wants redis-server.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, Sinks } from '../tests/e2e/lib/sinks.mjs';

const RECORDS = 100000;
const BATCH = 500;

const server = http.createServer((request, answer) => request.on('data', () => {}).on('end', () => answer.end('ok')));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const redis = await new Redis(['--appendfsync', 'everysec']).start();

const kinds = {
    file: { kind: 'file', path: 'out.jsonl' },
    'file, sync: off': { kind: 'file', path: 'out.jsonl', sync: 'off' },
    'stdout to /dev/null': { kind: 'stdout', batch: BATCH },
    http: { kind: 'http', url: `http://127.0.0.1:${server.address().port}/x` },
    redis: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` },
};

for (const [name, kind] of Object.entries(kinds)) {
    for (let round = 0; round < 3; round++) {
        const sinks = new Sinks([]);
        await sinks.start();
        sinks.append(1, RECORDS);
        await sinks.finish(60000);
        sinks.settle([kind]);
        const begin = performance.now();
        await sinks.start();
        let counts;
        do {
            await sleep(20);
            counts = await sinks.counts();
        } while (counts.delivered <= RECORDS - BATCH);
        const rate = Math.round(counts.delivered / (performance.now() - begin) * 1000);
        console.log(`${name}: ${rate} records/s, ${(counts.cpu_us / counts.delivered).toFixed(2)} us of CPU per record`);
        await sinks.remove();
    }
}
await redis.remove();
server.close();
process.exit(0);
