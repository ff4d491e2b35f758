// SPDX-License-Identifier: Apache-2.0
// Kept connections that the provider ends at just about the moment when the next request is sent
// (faults.md B06 to B08). The app notices nothing, each request seen on the wire is one recorded
// attempt, and no breaker takes offence.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import test, { after, before, describe } from './lib/test.mjs';
import { ask } from './lib/app.mjs';
import { makeCertificates } from './lib/certs.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { startStaleUpstream } from './lib/stale_upstream.mjs';
import { patient, until } from './lib/wire.mjs';

requireBinary();

const FULL = process.env.HEADGATE_TEST_SCALE === 'full';
const LANES = 4;

// share: percent of the races. exact: the provider sees all that was sent. stale: the least percentage
// of the calls whose first attempt must have met a dead connection.
const VARIANTS = {
    fin_before: { share: 10, exact: true, stale: 0 },
    fin_race: { share: 25, exact: true, stale: 0 },
    close_race: { share: 10, exact: false, stale: 0 },
    rst_race: { share: 10, exact: false, stale: 0 },
    fin_crossed: { share: 15, exact: true, stale: 90 },
    rst_whole: { share: 15, exact: true, stale: 90 },
    rst_half: { share: 15, exact: true, stale: 90 },
};
const RACES = FULL ? 20000 : 1000; // half of them meet a dead connection

let dir;
let certificates;
before(() => {
    dir = temporary();
    certificates = makeCertificates(dir);
});
after(() => fs.rmSync(dir, { recursive: true, force: true }));

const SMALL = 'Say hello.';
const LARGE = 'Say hello. '.repeat(20000); // not all of it fits into the sockets between

function bodyOf(variant, isStream) {
    const content = variant === 'rst_half' ? LARGE : SMALL;
    return JSON.stringify({ model: 'm', stream: isStream, messages: [{ role: 'user', content }] });
}

// { status, attempts, text }
function call(port, agent, marker, body) {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/v1/chat/completions', timeout: patient(15000),
            headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), Authorization: `Bearer ${CANARY.app}`,
                       'x-client-request-id': marker, 'x-request-id': marker } }, (answer) => {
            const pieces = [];
            answer.on('data', (piece) => pieces.push(piece));
            answer.on('end', () => resolve({ status: answer.statusCode, attempts: Number(answer.headers['x-headgate-attempts']),
                                             text: Buffer.concat(pieces).toString() }));
            answer.on('error', reject);
        });
        request.on('timeout', () => request.destroy(new Error(`no answer to ${marker}`)));
        request.on('error', reject);
        request.end(body);
    });
}

class Bench {
    static async start(secure) {
        const bench = new Bench();
        bench.upstream = startStaleUpstream();
        const port = await bench.upstream.ask('listen', secure ? { key: String(certificates.good.key), cert: String(certificates.good.cert) } : null);
        bench.headgate = await Headgate.start({
            providers: { racer: { kind: 'openai', base_url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}/v1`, credential: CANARY.provider,
                                  ...(secure ? { ca_file: certificates.caFile } : {}) } },
            routes: { m: { targets: [{ provider: 'racer' }] } },
        });
        bench.agent = new http.Agent({ keepAlive: true, maxSockets: LANES });
        return bench;
    }

    async stop() {
        this.agent?.destroy();
        await this.headgate?.stop();
        this.upstream?.stop();
    }

    // `count` calls in LANES lanes, each as soon as the one before has its answer. Marker -> answer.
    async race(variant, count) {
        const answers = new Map();
        const bodies = [bodyOf(variant, false), bodyOf(variant, true)];
        let next = 0;
        const lane = async () => {
            while (next < count) {
                const number = next++;
                const isStream = number % 2 === 1;
                const marker = `${variant}.${number}${isStream ? '-stream' : ''}`;
                answers.set(marker, await call(this.headgate.port, this.agent, marker, bodies[Number(isStream)]));
            }
        };
        await Promise.all(Array.from({ length: LANES }, lane));
        return answers;
    }

    async lines(variant, count) {
        const own = () => this.headgate.callLines().filter((line) => line.request_id?.startsWith(`${variant}.`));
        await until(() => own().length >= count, 10000, 'the lines of all calls');
        return new Map(own().map((line) => [line.request_id, line]));
    }
}

const FIRST = / stale_connection \d+ms, (fresh_connection|other_target)$/;
const LAST = / ok \d+ms$/;

// The tries that met a dead connection, from the log line.
function staleOf(line) {
    if (line.attempts === 1) {
        assert.equal(line.tries, undefined, JSON.stringify(line));
        return 0;
    }
    const tries = line.tries.split('; ');
    assert.equal(tries.length, line.attempts, JSON.stringify(line));
    tries.slice(0, -1).forEach((one) => assert.match(one, FIRST, JSON.stringify(line)));
    assert.match(tries.at(-1), LAST, JSON.stringify(line));
    return tries.length - 1;
}

function judge(variant, { exact, stale }, answers, lines, seen) {
    let stales = 0;
    let unseen = 0;
    for (const [marker, answer] of answers) {
        const line = lines.get(marker);
        assert.equal(answer.status, 200, `${marker}: ${answer.text.slice(0, 300)} ${JSON.stringify(line)}`);
        assert.ok(marker.endsWith('-stream') ? answer.text.endsWith('data: [DONE]\n\n') : JSON.parse(answer.text).choices.length > 0);
        assert.equal(line.attempts, answer.attempts);
        const met = staleOf(line);
        const missing = line.attempts - (seen[marker] ?? 0);
        assert.ok(missing >= 0, `${marker}: ${seen[marker]} requests on the wire for ${line.attempts} attempts`);
        assert.ok(missing <= (exact ? 0 : met), `${marker}: ${line.attempts} attempts, ${seen[marker]} requests seen`);
        stales += met;
        unseen += missing;
    }
    assert.ok(stales * 100 >= stale * answers.size, `${variant}: ${stales} of ${answers.size} met a dead connection`);
    return { stales, unseen };
}

for (const name of ['plain', 'TLS']) {
    describe(`stale connections, ${name}`, () => {
        let bench;
        const total = { calls: 0, attempts: 0, seen: 0, stales: 0, unseen: 0 };
        before(async () => {
            bench = await Bench.start(name === 'TLS');
        });
        after(() => bench?.stop());

        for (const [variant, row] of Object.entries(VARIANTS)) {
            const count = RACES * row.share / 100;
            test(`${variant}: ${count} races`, { timeout: patient(FULL ? 300000 : 60000) }, async (t) => {
                await bench.upstream.ask('begin', variant);
                const begun = Date.now();
                const answers = await bench.race(variant, count);
                const took = Date.now() - begun;
                const lines = await bench.lines(variant, count);
                const { seen, connections, requestFirst } = await bench.upstream.ask('report');
                const { stales, unseen } = judge(variant, row, answers, lines, seen);
                const attempts = [...lines.values()].reduce((sum, line) => sum + line.attempts, 0);
                const onWire = Object.values(seen).reduce((sum, one) => sum + one, 0);
                assert.equal(onWire, attempts - unseen, 'requests on the wire, of these calls and of no others');
                assert.equal(Object.keys(seen).filter((marker) => !answers.has(marker)).length, 0);
                Object.entries({ calls: count, attempts, seen: onWire, stales, unseen }).forEach(([key, value]) => { total[key] += value; });
                t.diagnostic(`${name} ${variant}: ${count} calls in ${took} ms, ${attempts} attempts, ${onWire} requests seen, `
                    + `${stales} stale, ${requestFirst} answered before the end, ${connections} connections`);
            });
        }

        test('no breaker took offence, nothing is left in flight', async (t) => {
            const { headgate } = bench;
            headgate.check();
            const offended = headgate.lines().filter((line) => /^(breaker_|panic|target_|credential_)/.test(line.event));
            assert.deepEqual(offended, []);
            await until(async () => {
                const answer = await ask(headgate.admin, { method: 'GET', target: '/admin/v1/status' });
                const { targets } = JSON.parse(answer.body);
                return targets.every((target) => target.state === 'ok' && target.in_flight === 0);
            }, 3000, 'healthy targets without attempts');
            t.diagnostic(`${name}: ${JSON.stringify(total)}`);
        });
    });
}
