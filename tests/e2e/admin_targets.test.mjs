// SPDX-License-Identifier: Apache-2.0
// Targets as operators see them, and what they order: by HTTP and by the commands. Calls follow.
import assert from 'node:assert/strict';
import test, { after, before, describe } from './lib/test.mjs';
import { ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, runToEnd } from './lib/headgate.mjs';
import { checkRefusal, errorOf } from './lib/rows.mjs';
import { good } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, until } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token-of-operators';
const TARGETS = ['a/m1', 'a/org/m2', 'b/m3'];
const SETTINGS = `version: 1
listen: LISTEN
admin: { listen: ADMIN, token: ${TOKEN} }
log: { level: info, format: json }
providers:
  a: { kind: fixtures, fixtures: { dialect: openai } }
  b: { kind: fixtures, fixtures: { dialect: openai } }
routes:
  smart: { targets: [ { provider: a, model: m1 }, { provider: a, model: org/m2 }, { provider: b, model: m3 } ] }
`;

// A headgate as its operators see it.
async function start(settings) {
    const headgate = await Headgate.start(settings);
    const host = `127.0.0.1:${headgate.admin}`;
    const headers = { Authorization: `Bearer ${TOKEN}` };
    headgate.get = (target) => ask(headgate.admin, { method: 'GET', target, host, headers });
    headgate.json = async (target) => JSON.parse((await headgate.get(target)).body.toString('utf8'));
    headgate.order = (name, what) => ask(headgate.admin, { target: `/admin/v1/targets/${name}/${what}`, host, headers });
    headgate.run = (...args) => runToEnd(['-c', headgate.file, ...args]);
    headgate.states = async () => Object.fromEntries((await headgate.json('/admin/v1/targets')).targets.map((one) => [one.target, one.state]));
    headgate.call = (model) => ask(headgate.port, good('chat', { model }));
    return headgate;
}

describe('what is seen', () => {
    let headgate;
    before(async () => { headgate = await start(SETTINGS); });
    after(() => headgate.stop());

    test('the targets of the settings, in their order, before any call', async () => {
        const { targets } = await headgate.json('/admin/v1/targets');
        assert.deepEqual(targets.map((one) => one.target), TARGETS);
        for (const one of targets) {
            assert.equal(one.state, 'ok');
            assert.equal(one.why, '');
            assert.equal(one.eligible, true);
            assert.equal(one.held, false);
            assert.deepEqual(one.endpoint, { breaker: 'closed', reopen_in_s: null, trips: 0 });
            assert.deepEqual(one.parks, []);
            assert.equal(one.cooldown, null);
            assert.equal(one.share_permille, 1000);
            assert.equal(one.in_flight, 0);
        }
        assert.deepEqual((await headgate.json('/admin/v1/status')).targets, targets);
    });
    test('by provider', async () => {
        const body = await headgate.json('/health/providers');
        assert.deepEqual(body.targets, { total: 3, eligible: 3 });
        assert.deepEqual(body.providers.map((one) => [one.provider, one.total, one.eligible]), [['a', 2, 2], ['b', 1, 1]]);
        assert.deepEqual(body.providers.flatMap((one) => one.targets.map((target) => target.target)), TARGETS);
    });
    test('as a table, by the command as by the page', async () => {
        const { stdout } = await headgate.run('status');
        for (const name of TARGETS) {
            assert.match(stdout, new RegExp(`^${name} +ok +(\\d+\\.\\d%|-) +0$`, 'm'));
        }
        assert.match(stdout, /^TARGET +STATE +SCORE +IN FLIGHT +WHY$/m);
        assert.match(stdout, /3 of 3 targets take calls/);
    });
});

describe('orders', () => {
    let headgate;
    before(async () => { headgate = await start(SETTINGS); });
    after(async () => {
        await headgate.stop();
        assert.ok(!headgate.stderr.includes(TOKEN), 'the token is in the log');
    });
    const done = (answer) => {
        assert.equal(answer.status, 200, answer.body.toString());
        assert.equal(header(answer, 'content-type'), 'application/json');
        return JSON.parse(answer.body.toString());
    };

    test('park, then unpark, one target', async () => {
        assert.deepEqual(done(await headgate.order('a%2Fm1', 'park')), { target: 'a/m1', order: 'park', targets: 1 });
        assert.deepEqual(await headgate.states(), { 'a/m1': 'held', 'a/org/m2': 'ok', 'b/m3': 'ok' });
        const health = await headgate.json('/health');
        assert.equal(health.status, 'degraded');
        assert.equal(health.message, '2 of 3 targets take calls');
        const [held] = (await headgate.json('/admin/v1/targets')).targets;
        assert.deepEqual([held.eligible, held.held, held.why], [false, true, 'parked by an operator']);
        assert.deepEqual(done(await headgate.order('a%2Fm1', 'unpark')), { target: 'a/m1', order: 'unpark', targets: 1 });
        assert.equal((await headgate.json('/health')).status, 'ok');
    });
    test('a slash may stand as it is, also one of the model', async () => {
        assert.equal(done(await headgate.order('a/org/m2', 'park')).target, 'a/org/m2');
        assert.equal((await headgate.states())['a/org/m2'], 'held');
        assert.equal(done(await headgate.order('a%2Forg%2Fm2', 'reset')).order, 'reset');
        assert.equal((await headgate.states())['a/org/m2'], 'ok');
    });
    test('a provider, and all', async () => {
        done(await headgate.order('a', 'park'));
        assert.deepEqual(await headgate.states(), { 'a/m1': 'held', 'a/org/m2': 'held', 'b/m3': 'ok' });
        done(await headgate.order('*', 'park'));
        const health = await headgate.get('/health');
        assert.equal(health.status, 503);
        assert.equal(JSON.parse(health.body.toString()).status, 'down');
        done(await headgate.order('%2A', 'unpark'));
        assert.equal((await headgate.get('/health')).status, 200);
    });
    test('each leaves one line, without the token', async () => {
        done(await headgate.order('b', 'park'));
        done(await headgate.order('b', 'reset'));
        const lines = () => headgate.lines().filter((line) => line.event === 'target_order' && line.target === 'b');
        await until(() => lines().length === 2, 3000, 'two lines');
        assert.deepEqual(lines().map((line) => [line.level, line.order]), [['info', 'park'], ['info', 'reset']]);
        assert.ok(lines().every((line) => line.count >= 1));
    });
    test('an unknown name: the known ones are told, nothing changes, no line', async () => {
        const answer = await headgate.order('c', 'park');
        checkRefusal(answer, { status: 404, code: 'target_not_found' });
        assert.ok(errorOf(answer).message.endsWith(`: ${TARGETS.join(', ')}`), errorOf(answer).message);
        for (const name of ['a%2Fm', 'A', 'a%2F', '%2Fm1', 'm1', 'a%2Fm1%2F', 'a%2F*']) {
            checkRefusal(await headgate.order(name, 'park'), { status: 404 });
        }
        assert.deepEqual(Object.values(await headgate.states()), ['ok', 'ok', 'ok']);
        assert.ok(headgate.lines().every((line) => line.event !== 'target_order' || ['a/m1', 'a/org/m2', 'a', 'b', '*'].includes(line.target)));
    });
    test('the same by the command', async () => {
        const park = await headgate.run('target', 'park', 'a/org/m2');
        assert.deepEqual([park.code, park.stdout, park.stderr], [0, 'park: a/org/m2, 1 target\n', '']);
        assert.match((await headgate.run('status')).stdout, /^a\/org\/m2 +held .* parked by an operator$/m);
        const reset = await headgate.run('target', 'reset', '*', '--json');
        assert.equal(reset.code, 0, reset.stderr);
        assert.equal(JSON.parse(reset.stdout).order, 'reset');
        const unknown = await headgate.run('target', 'unpark', 'c');
        assert.equal(unknown.code, 2);
        assert.ok(unknown.stderr.includes(TARGETS.join(', ')), unknown.stderr);
    });
});

describe('calls follow', () => {
    test('a parked target gets no call until it is unparked', async () => {
        const headgate = await start(SETTINGS);
        const target = async () => header(await headgate.call('smart'), 'x-headgate-target');
        assert.equal(await target(), 'a/m1');
        await headgate.order('a%2Fm1', 'park');
        assert.equal(await target(), 'a/org/m2');
        await headgate.order('a', 'park');
        assert.equal(await target(), 'b/m3');
        await headgate.order('*', 'unpark');
        assert.equal(await target(), 'a/m1');
        await headgate.stop();
    });
    test('a credential that the provider refuses is out for a reason, until an operator says otherwise', async () => {
        const upstream = await Upstream.start();
        upstream.play((exchange) => exchange.json({ error: { message: 'bad key', type: 'invalid_request_error', param: null, code: 'invalid_api_key' } }, 401));
        const headgate = await start(`version: 1
listen: LISTEN
admin: { listen: ADMIN, token: ${TOKEN} }
log: { level: info, format: json }
providers: { p: { kind: openai, base_url: "${upstream.origin}/v1", credential: ${CANARY.provider} } }
routes: { smart: { targets: [ { provider: p, model: gpt-5.4-mini } ] } }
`);
        await headgate.call('smart');
        const [out] = (await headgate.json('/admin/v1/targets')).targets;
        assert.deepEqual([out.state, out.eligible, out.parks.length], ['parked', false, 1]);
        assert.deepEqual([out.parks[0].scope, out.parks[0].reason], ['credential', 'auth']);
        assert.ok(out.parks[0].left_s > 0 && out.parks[0].left_s <= 300, `${out.parks[0].left_s} s`);
        assert.match(out.why, /credential is out: auth, \d+ s left/);
        assert.equal((await headgate.get('/health')).status, 503);
        assert.equal((await headgate.run('target', 'unpark', 'p')).code, 0);
        assert.deepEqual(await headgate.states(), { 'p/gpt-5.4-mini': 'ok' });
        await headgate.stop();
        await upstream.stop();
    });
});
