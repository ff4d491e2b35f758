// SPDX-License-Identifier: Apache-2.0
// An outage of the primary under a steady load, and what must hold of it (faults.md H01, H02): it costs
// the app next to nothing, few attempts more, and the traffic comes back by itself, slowly and without a
// storm. Judged by counts; what is timed goes by the log's own events and by the arrivals at the providers.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { after, before } from './test.mjs';
import { CANARY, Headgate, requireBinary } from './headgate.mjs';
import { Load, percentile } from './load.mjs';
import { startOutageUpstream } from './outage_upstream.mjs';
import { patient, until } from './wire.mjs';

export const FULL = process.env.HEADGATE_TEST_SCALE === 'full';
const RATE = Math.round(200 / patient(1));
const GOOD = patient(1) > 1 ? 99 : 99.9; // percent; slow calls are longer under way when the provider goes
const BACK_S = 35;                  // from the breaker's own end of that to 95 % of the traffic
const EXTRA_MS = FULL ? 5 : 50;     // p99 of our own part of a call while the breaker is open, above the healthy one

let plan;
let upstream;
let headgate;
let load;
let seen; // what happened, see suffer

async function begin() {
    upstream = startOutageUpstream();
    const ports = await upstream.ask('listen');
    const provider = (name) => ({ kind: 'openai', base_url: `http://127.0.0.1:${ports[name]}/v1`, credential: CANARY.provider,
                                  breaker: plan.breaker });
    headgate = await Headgate.start({
        providers: { primary: provider('primary'), secondary: provider('secondary') },
        routes: { m: { targets: [{ provider: 'primary' }, { provider: 'secondary' }] } },
    });
    seen = await suffer();
}

async function finish() {
    await load?.stop();
    await headgate?.stop();
    upstream?.stop();
}

const become = (state) => upstream.ask('become', { name: 'primary', state });
const within = (times, from, to) => times.filter((time) => time >= from && time < to).length;

// The share of the primary, in percent, of the requests that came in the two seconds from `from` on.
function shareFrom({ primary, secondary }, from) {
    const own = within(primary, from, from + 2000);
    return 100 * own / Math.max(1, own + within(secondary, from, from + 2000));
}

// The first moment after healing from which on the primary has at least 95 % for two seconds.
async function comesBack(healed) {
    const last = healed + patient((plan.openMax + BACK_S + 10) * 1000);
    for (let from = healed; from < last; from += 100) {
        await sleep(Math.max(0, from + 2100 - Date.now()));
        const times = await upstream.ask('times', from - 1000);
        if (shareFrom(times, from) >= 95) {
            return from;
        }
    }
    throw new Error(`the primary has not its traffic again after ${(last - healed) / 1000} s`);
}

// The stretches of time in which a breaker of the primary kept it out, from the events of the log.
function openStretches(events) {
    const stretches = [];
    const open = new Map(); // scope -> since
    for (const { event, scope, time } of events) {
        if (event === 'breaker_opened' && !open.has(scope)) {
            open.set(scope, time);
        } else if (event === 'breaker_half_open' && open.has(scope)) {
            stretches.push([open.get(scope), time]);
            open.delete(scope);
        }
    }
    return stretches;
}

function attemptsOf(lines) {
    const tries = lines.flatMap((line) => (line.tries ?? '').split('; '));
    const ended = (pattern) => tries.filter((one) => pattern.test(one)).length;
    return { attempts: lines.reduce((sum, line) => sum + (line.attempts ?? 0), 0), connect: ended(/ connect \d+ms/),
             cut: ended(/ (stale_connection|reset|closed) \d+ms/) };
}

// The most requests that came within a second, above what the app itself sent in that time.
function peakOf(times, calls, from) {
    let peak = 0;
    let excess = 0;
    for (let at = from; at < (times.at(-1) ?? from); at += 100) {
        const count = within(times, at, at + 1000);
        const offered = Math.max(RATE, calls.filter((call) => call.at >= at - 200 && call.at < at + 1000).length * 1000 / 1200);
        peak = Math.max(peak, count);
        excess = Math.max(excess, count / offered);
    }
    return { peak, excess };
}

const round = (value) => Math.round(value * 100) / 100;
const seconds = (from, to) => round((to - from) / 1000);

// The outage. Gives its moments (down, each part's, healed, back), the calls, lines, breaker events, arrivals.
async function suffer() {
    load = new Load(headgate.port, { perSecond: RATE, patience: 120000 }).start();
    const begun = Date.now();
    await sleep(plan.healthy * 1000);
    const parts = [];
    for (const [state, length] of plan.parts) {
        parts.push([state, await become(state)]);
        await sleep(length * 1000);
    }
    const healed = await become('healthy');
    const back = await comesBack(healed);
    await load.stop();
    const { calls } = load;
    await until(() => headgate.stderr.split('"event":"call"').length > calls.length, 10000, 'the lines of all calls');
    const all = headgate.lines();
    const events = all.filter((line) => line.event.startsWith('breaker_') && line.target.startsWith('primary'))
        .map((line) => ({ ...line, time: Date.parse(line.ts) }));
    const opened = events.filter((one) => one.event === 'breaker_opened');
    const reopened = events.filter((one) => one.event === 'breaker_half_open').at(-1)?.time ?? healed;
    const reopen = Math.max(healed, reopened);
    return { begun, down: parts[0][1], parts, healed, back, reopen, calls, events, opened, lines: all.filter((line) => line.event === 'call'),
             times: await upstream.ask('times', 0) };
}

// plan: seconds of health, then of each part [state, seconds], the providers' settings for the breaker, and
// the longest that the breaker may still keep the primary out after these parts, in seconds.
export function outage(given) {
    requireBinary();
    plan = given;
    before(begin);
    after(finish);

    test('the app notices next to nothing', (t) => {
        const { begun, calls, lines } = seen;
        const bad = calls.filter((call) => !call.isGood);
        const good = 100 * (1 - bad.length / calls.length);
        t.diagnostic(`${calls.length} calls in ${seconds(begun, Date.now())} s, ${bad.length} not whole: ${good.toFixed(3)} % good`);
        for (const { marker, at, why } of bad.slice(0, 20)) {
            t.diagnostic(`${seconds(begun, at)} s: ${marker} ${why.slice(-60)}; ${lines.find((line) => line.request_id === marker)?.tries}`);
        }
        assert.ok(good >= GOOD, `${bad.length} of ${calls.length} calls were not answered whole`);
        assert.equal(lines.length, calls.length, 'one line for each call');
        headgate.check();
    });

    test('few attempts are made, and each of them is told', (t) => {
        const { down, healed, calls, lines, times } = seen;
        const { attempts, connect, cut } = attemptsOf(lines);
        const arrived = times.primary.length + times.secondary.length;
        const inOutage = lines.filter((line) => Date.parse(line.ts) >= down && Date.parse(line.ts) < healed);
        const outage = attemptsOf(inOutage).attempts / inOutage.length;
        t.diagnostic(`${attempts} attempts, ${round(attempts / calls.length)} per call, in the outage ${round(outage)}; `
            + `${arrived} arrived, ${connect} connections were refused, ${cut} cut`);
        assert.ok(attempts <= 1.2 * calls.length && outage <= 1.2, 'attempts per call');
        assert.ok(arrived <= attempts - connect && arrived >= attempts - connect - cut, 'each request at the providers is an attempt that was told');
    });

    test('the traffic is back in time, by itself', (t) => {
        const { begun, parts, healed, back, reopen, events, opened, calls, times } = seen;
        const each = (list) => Array.from({ length: Math.ceil((back - begun) / 1000) },
            (_, i) => within(list, begun + i * 1000, begun + (i + 1) * 1000)).join(' ');
        for (const { time, event, scope, for_s, reason } of events) {
            t.diagnostic(`${seconds(begun, time)} s: ${event} ${scope} ${for_s ?? ''} ${reason ?? ''}`);
        }
        t.diagnostic(`calls a second: ${each(calls.map((call) => call.at))}`);
        t.diagnostic(`at the primary: ${each(times.primary)}`);
        t.diagnostic(`${parts.map(([state, at]) => `${state} at ${seconds(begun, at)} s, `).join('')}healed at ${seconds(begun, healed)} s, `
            + `reopen ${seconds(healed, reopen)} s later, 95 % of the traffic ${seconds(reopen, back)} s after that`);
        assert.ok(opened.some((one) => one.time < (parts[1]?.[1] ?? healed)), 'a breaker opened');
        assert.ok(back <= reopen + patient(BACK_S * 1000), `95 % of the traffic after ${seconds(reopen, back)} s`);
    });

    test('no storm hits the healed primary', (t) => {
        const { peak, excess } = peakOf(seen.times.primary, seen.calls, seen.healed);
        t.diagnostic(`at most ${peak} requests within a second, ${round(excess)} of what was offered`);
        assert.ok(excess <= 1.2);
    });

    test('while the breaker is open nobody waits for the primary', (t) => {
        const { begun, down, calls, lines, events } = seen;
        const wholly = (from, to) => calls.filter((call) => call.at > from && call.at + call.took < to);
        const spared = openStretches(events).flatMap(([from, to]) => wholly(from, to));
        const more = new Set(lines.filter((line) => line.attempts !== 1).map((line) => line.request_id));
        const usual = wholly(begun + 1000, down);
        const took = (list, p) => round(percentile(list.map((call) => call.took), p));
        // From the request's arrival to the app's first byte, without the provider's time.
        const lineOf = new Map(lines.map((line) => [line.request_id, line]));
        const own = (list) => round(percentile(list.map((call) => lineOf.get(call.marker))
            .map((line) => 1000 * (line.ttfb_s - line.upstream_ttfb_s)), 99));
        t.diagnostic(`${spared.length} calls, p50 ${took(spared, 50)} ms, p99 ${took(spared, 99)} ms, our own part p99 ${own(spared)} ms; `
            + `healthy ${took(usual, 50)}, ${took(usual, 99)}, ${own(usual)} ms`);
        assert.ok(spared.length > RATE);
        assert.deepEqual(spared.filter((call) => more.has(call.marker)), [], 'one attempt is enough');
        assert.ok(own(spared) <= own(usual) + patient(EXTRA_MS), 'latency');
    });
}
