// SPDX-License-Identifier: Apache-2.0
// faults.md A21: all local ports to one address are taken. In a network of its own, where there are
// two of them; headgate and its providers live in it and the test reaches them by a Unix socket.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { App, ask } from '../lib/app.mjs';
import { CANARY, Headgate, temporary } from '../lib/headgate.mjs';
import { checkNoSecrets, row } from '../lib/lab.mjs';
import { errorOf } from '../lib/rows.mjs';
import { secondBody } from '../lib/plays.mjs';
import { good } from '../lib/samples.mjs';
import { header, request, until } from '../lib/wire.mjs';

const RANGE = '/proc/sys/net/ipv4/ip_local_port_range';
const PORTS = [50000, 50001];
const SICK = 7001;
const WELL = 7002;
const ALONE = `ip link set lo up && echo '${PORTS.join(' ')}' > ${RANGE}`;

export const canHaveFewPorts = (() => {
    try {
        execFileSync('unshare', ['-rn', 'sh', '-c', ALONE], { stdio: 'ignore' });
        return true;
    } catch {
        return false; // no unshare, or not allowed
    }
})();

// The first provider never answers, the second always does; both end with headgate, their parent.
const PROVIDERS = `
const http = require('node:http');
const bodies = ${JSON.stringify(Object.fromEntries(['chat', 'messages'].map((one) => [one, [secondBody(one, false), secondBody(one, true)]])))};
http.createServer(() => {}).listen(${SICK}, '127.0.0.1');
http.createServer((request, answer) => {
    let text = '';
    request.on('data', (piece) => { text += piece; });
    request.on('end', () => {
        const isStream = JSON.parse(text).stream === true;
        answer.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
        answer.end(bodies[request.url.includes('messages') ? 'messages' : 'chat'][isStream ? 1 : 0]);
    });
}).listen(${WELL}, '127.0.0.1');
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 200);
`;

async function fewPorts() {
    const dir = temporary();
    const listen = path.join(dir, 'socket');
    const provider = (kind, port) => ({ kind, base_url: `http://127.0.0.1:${port}${kind === 'openai' ? '/v1' : ''}`,
        credential: kind === 'openai' ? CANARY.provider : CANARY.anthropic });
    const targets = (kind, ...names) => ({ targets: names.map((name) => ({ provider: `${name}-${kind}`, model: 'm' })),
        timeouts: { total: '20s', stream_total: '20s' } });
    const providers = {};
    const routes = {};
    for (const [operation, kind] of [['chat', 'openai'], ['messages', 'anthropic']]) {
        providers[`sick-${kind}`] = provider(kind, SICK);
        providers[`well-${kind}`] = provider(kind, WELL);
        routes[`alone-${operation}`] = targets(kind, 'sick');
        routes[`pair-${operation}`] = targets(kind, 'sick', 'well');
        routes[`well-${operation}`] = targets(kind, 'well');
    }
    const headgate = await Headgate.start({ listen: `unix:${listen}`, providers, routes }, { ready: false,
        wrap: ['unshare', '-rn', 'sh', '-c', `${ALONE} && { "$0" -e "$1" & shift; exec "$@"; }`, process.execPath, PROVIDERS] });
    const holders = [];
    try {
        await until(async () => (await ask(listen, good('chat', { model: 'well-chat' }), 1000).catch(() => null))?.status === 200, 10000,
            `readiness (${headgate.stderr.slice(-300)})`);
        for (let i = 0; i < PORTS.length; i += 1) {
            const app = await App.connect(listen);
            app.send(request(good('chat', { model: 'alone-chat' })));
            holders.push(app);
        }
        // From when they have their ports on, nobody else gets one.
        await until(async () => (await ask(listen, good('chat', { model: 'alone-chat' }), 2000).catch(() => null))?.status === 503, 8000, 'no port is left');
        // However often: it says nothing of the target, which stays the first to be asked.
        for (const operation of ['chat', 'messages']) {
            for (const isStream of [false, true]) {
                const alone = await ask(listen, good(operation, { model: `alone-${operation}`, stream: isStream }));
                assert.equal(alone.status, 503);
                const error = errorOf(alone, operation === 'chat' ? 'openai' : 'anthropic');
                assert.ok(operation === 'messages' || error.code === 'proxy_overloaded', error.code);
                assert.equal(header(alone, 'retry-after'), '1');
                assert.equal((await headgate.callLine(alone)).outcome, 'no_local_port');
                const pair = await ask(listen, good(operation, { model: `pair-${operation}`, stream: isStream }));
                assert.equal(pair.status, 200, pair.body.toString());
                assert.equal(pair.body.toString(), secondBody(operation, isStream));
                assert.equal(header(pair, 'x-headgate-attempts'), '2');
                assert.equal(header(pair, 'x-headgate-failover'), 'no_local_port');
                checkNoSecrets(alone.body.toString() + pair.body.toString());
            }
        }
        headgate.check();
    } catch (error) {
        error.message += `; log: ${headgate.stderr.slice(-500)}`;
        throw error;
    } finally {
        holders.forEach((one) => one.close());
        await headgate.kill();
    }
}

export const rows = canHaveFewPorts ? [row('A21', 'local ports used up', { run: fewPorts, operations: ['chat'] })] : [];
