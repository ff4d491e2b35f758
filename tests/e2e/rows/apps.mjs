// SPDX-License-Identifier: Apache-2.0
// faults.md E: the app's side. There is no draining yet: an app that has gone cancels its attempt.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from '../lib/app.mjs';
import { row } from '../lib/lab.mjs';
import { begun, delta, streams } from '../lib/plays.mjs';
import { good, healthy } from '../lib/samples.mjs';
import { header, request, until } from '../lib/wire.mjs';

const MANY = 1000;

const cells = async (site, streamed, act) => {
    for (const operation of site.row.operations) {
        for (const isStream of streamed) {
            for (const which of ['alone', 'pair']) {
                await act(operation, isStream, which);
            }
        }
    }
};
const linesOf = (lab, site) => lab.headgate.callLines().filter((line) => line.route?.includes(`-${site.name}-`));

// The attempt is given up: the provider sees it, nothing is in flight, one line tells of it, no
// breaker hears of it, nobody else was asked, and the next call is served.
async function settled(lab, site, operation, lines, count = 1, wanted = 'app_gone') {
    await until(() => linesOf(lab, site).length >= lines + count, 5000, 'the line of a call whose app has gone');
    const own = linesOf(lab, site).slice(lines);
    assert.equal(own.length, count, 'one line each');
    for (const line of own) {
        assert.equal(line.outcome, wanted, JSON.stringify(line));
        assert.equal(line.attempts, 1);
    }
    await until(async () => (await lab.standing(site, operation)).in_flight === 0, 5000, 'nothing in flight');
    const seen = await lab.standing(site, operation);
    assert.deepEqual([seen.endpoint.breaker, seen.deployment.breaker, seen.state], ['closed', 'closed', 'ok']);
    assert.equal(site.second.heads.length, 0, 'nobody else is asked');
    await until(() => site.first.open.size === 0, 5000, 'the provider sees that it is given up');
    await lab.heals(site, operation, false);
}

const open = async (lab, site, which, operation, isStream) => {
    site.forget();
    const lines = linesOf(lab, site).length;
    const app = await App.connect(lab.headgate.port);
    app.send(lab.asks(site, which, operation, isStream));
    return { app, lines };
};

async function beforeItsBody(lab, site) {
    const { length } = linesOf(lab, site);
    await cells(site, [false, true], async (operation, isStream, which) => {
        site.forget();
        for (const how of ['close', 'reset', 'finish']) {
            const app = await App.connect(lab.headgate.port);
            const bytes = lab.asks(site, which, operation, isStream);
            app.send(bytes.subarray(0, bytes.length - 9));
            await sleep(30);
            app[how]();
            await sleep(50);
            app.close();
        }
        assert.equal(site.first.heads.length + site.second.heads.length, 0, 'nothing goes to a provider');
    });
    for (const line of linesOf(lab, site).slice(length)) {
        assert.equal(line.attempts, undefined, 'no attempt');
    }
    await lab.heals(site, 'chat', false);
}

// how: what the app does while it waits, or in the middle of its stream.
const leaves = (how, isBegun) => (lab, site) => cells(site, isBegun ? [true] : [false, true], async (operation, isStream, which) => {
    site.first.dropConnections();
    await sleep(20);
    site.first.play(isBegun ? streams(begun, () => {}) : () => {});
    const { app, lines } = await open(lab, site, which, operation, isStream);
    await (isBegun ? app.text('t19', 3000) : site.first.request());
    app[how]();
    await settled(lab, site, operation, lines);
    app.close();
});

async function stopsReading(lab, site) {
    site.first.play(streams(begun, async (exchange) => {
        while (exchange.isOpen) {
            await exchange.event(delta('y'.repeat(16000)));
        }
    }));
    const { app, lines } = await open(lab, site, 'pair', 'chat', true);
    await app.head();
    app.socket.pause();
    const begunAt = Date.now();
    await until(() => linesOf(lab, site).length > lines, 75000, 'it is treated as gone');
    assert.ok(Date.now() - begunAt > 55000, `after ${Date.now() - begunAt} ms`);
    app.close();
    await settled(lab, site, 'chat', lines);
}

async function manyAtOnce(lab, site) {
    site.first.play(() => {});
    site.forget();
    const lines = linesOf(lab, site).length;
    const apps = [];
    for (let i = 0; i < MANY; i += 1) {
        const app = await App.connect(lab.headgate.port);
        app.send(lab.asks(site, 'alone', 'chat', i % 2 === 0));
        apps.push(app);
    }
    await until(() => site.first.requests.length === MANY, 20000, 'all calls are at the provider');
    apps.forEach((app, i) => app[i % 2 === 0 ? 'reset' : 'close']());
    await settled(lab, site, 'chat', lines, MANY);
}

// Answered in order; the second begins after the first.
async function pipelines(lab, site) {
    const seen = [];
    site.first.play(async (exchange) => {
        seen.push(`in ${exchange.request.json().user}`);
        await sleep(200);
        seen.push(`out ${exchange.request.json().user}`);
        return healthy(exchange);
    });
    await cells(site, [false, true], async (operation, isStream, which) => {
        seen.length = 0;
        const app = await App.connect(lab.headgate.port);
        app.send(Buffer.concat([1, 2].map((user) => lab.asks(site, which, operation, isStream, { user }))));
        const answers = [await app.answer(), await app.answer()];
        assert.deepEqual(answers.map((answer) => answer.status), [200, 200]);
        assert.deepEqual(seen, ['in 1', 'out 1', 'in 2', 'out 2']);
        const lines = await Promise.all(answers.map((answer) => lab.headgate.callLine(answer)));
        assert.notEqual(lines[0].call_id, lines[1].call_id);
        app.close();
    });
    await lab.heals(site, 'chat', false);
}

async function nextWhileStreaming(lab, site) {
    await cells(site, [true], async (operation, isStream, which) => {
        site.first.play(streams(begun, () => {}));
        const { app } = await open(lab, site, which, operation, isStream);
        const { length } = linesOf(lab, site);
        await app.text('t19', 3000);
        app.send(lab.asks(site, which, operation, isStream));
        await sleep(50);
        app.close();
        await until(() => linesOf(lab, site).length > length, 5000, 'the line of the first');
        assert.equal(site.first.heads.length, 1, 'the second never began');
        assert.equal(linesOf(lab, site).at(-1).outcome, 'app_gone');
        await until(async () => (await lab.standing(site, operation)).in_flight === 0, 5000, 'nothing in flight');
        site.first.dropConnections();
        await lab.heals(site, operation, isStream);
    });
}

// At once, later, and with other bytes: one of them runs. Of a stream nothing is kept.
async function repeats(lab, site) {
    await cells(site, [false, true], async (operation, isStream, which) => {
        let open;
        const opened = new Promise((resolve) => { open = resolve; });
        site.forget();
        site.first.play(async (exchange) => {
            await opened;
            return healthy(exchange);
        });
        const asks = (more = {}) => request(good(operation, { model: site.route(which, operation), stream: isStream, ...more },
            { headers: { 'Idempotency-Key': `${site.name}-${operation}-${isStream}-${which}` } }));
        const ask = async (more) => {
            const app = await App.connect(lab.headgate.port);
            app.send(asks(more));
            const answer = await app.answer();
            app.close();
            return answer;
        };
        const first = ask();
        await site.first.request();
        const busy = await ask();
        assert.deepEqual([busy.status, header(busy, 'retry-after')], [409, '1']);
        assert.equal((await ask({ user: 'other' })).status, 422);
        open();
        const answer = await first;
        const later = await ask();
        assert.deepEqual([answer.status, later.status], [200, 200]);
        assert.deepEqual(later.body, answer.body);
        assert.equal(header(later, 'x-headgate-replayed'), isStream ? undefined : 'true');
        assert.equal((await ask({ user: 'other' })).status, isStream ? 200 : 422);
        assert.equal(site.first.requests.length, isStream ? 3 : 1);
        assert.equal(site.second.requests.length, 0);
        await until(async () => (await lab.standing(site, operation)).in_flight === 0, 5000, 'nothing in flight');
    });
    await lab.heals(site, 'chat', false);
}

// The app resets while it is told, or at once after; whichever comes first, nothing breaks.
async function resetInError(lab, site) {
    for (const wait of [0, 0, 0, 1, 2, 3]) {
        await cells(site, [true], async (operation, isStream, which) => {
            let cut;
            site.first.play(streams(begun, (exchange) => { cut = () => exchange.reset(); }));
            const { app } = await open(lab, site, which, operation, isStream);
            await app.text('t19', 3000);
            await until(() => cut, 2000, 'the stream stands');
            cut();
            await sleep(wait);
            app.reset();
            await until(async () => (await lab.standing(site, operation)).in_flight === 0, 5000, 'nothing in flight');
            await lab.reset(site, operation);
        });
    }
    await lab.heals(site, 'chat', true);
    await lab.heals(site, 'messages', true);
}

export const rows = [
    row('E05', 'stops reading for 60 s', { run: stopsReading, operations: ['chat'], long: true, timeouts: { stream_total: 120000 } }),
    row('E01', 'closes before its body is complete', { run: beforeItsBody }),
    row('E02', 'closes while it waits', { run: leaves('close', false) }),
    row('E02', 'resets while it waits', { run: leaves('reset', false) }),
    row('E03', 'closes in mid-stream', { run: leaves('close', true) }),
    row('E03', 'resets in mid-stream', { run: leaves('reset', true) }),
    row('E04', 'half-closes while it waits', { run: leaves('finish', false) }),
    row('E04', 'half-closes in mid-stream', { run: leaves('finish', true) }),
    row('E06', `closes ${MANY} calls at once`, { run: manyAtOnce, operations: ['chat'], heavy: true, timeouts: { head: 30000, first_content: 30000, total: 60000, stream_total: 60000 } }),
    row('E07', 'pipelines two requests', { run: pipelines }),
    row('E08', 'sends the next request while a stream runs, then closes', { run: nextWhileStreaming }),
    row('E10', 'repeats an Idempotency-Key', { run: repeats }),
    row('E09', 'resets in the middle of the error', { run: resetInError }),
];
