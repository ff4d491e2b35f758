// SPDX-License-Identifier: Apache-2.0
// faults.md A01 to A07: what names lead to.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../lib/app.mjs';
import { holeAt } from '../lib/blackhole.mjs';
import { CONNECT, NEITHER, parks, refused, rescued, row, served } from '../lib/lab.mjs';
import { Resolver } from '../lib/resolver.mjs';
import { healthy } from '../lib/samples.mjs';
import { Upstream } from '../lib/upstream.mjs';
import { header, patient } from '../lib/wire.mjs';

const CACHED_MS = 61000; // so long a name that was found is not looked up again
const DENIED = ['10.1.2.3', '169.254.169.254', '192.168.7.7', 'fd12::1', '::ffff:10.1.2.3'];
const names = new Resolver();

// For the laboratory: 127.0.0.0/8 and ::1 are where the providers are.
export const settings = async () => ({ egress: { allow: ['127.0.0.0/8', '::1/128'] } });
export const env = () => names.env;
export const stop = () => names.stop();

// A provider at 127.0.0.1 behind a name of its own that leads there.
const named = (...words) => async (certificates) => {
    const upstream = await Upstream.start({ tls: { ...certificates.good, ALPNProtocols: ['http/1.1'] } });
    const name = names.add(...words);
    Object.defineProperty(upstream, 'origin', { value: `https://${name}:${upstream.port}` });
    upstream.name = name;
    return upstream;
};
const trusting = (certificates) => ({ ca_file: certificates.caFile });
const unseen = (got, site) => assert.equal(site.first.connections, 0, 'no connection');

// Found nowhere: the second attempt comes too soon to ask again.
const lost = (id, title, word, more) => row(id, title, { site: named(word), provider: trusting, silent: true, heals: false, marks: CONNECT,
    alone: refused(502, 'upstream_dns', 'dns', 'dns'), pair: rescued('dns'), also: unseen, ...more });
const denied = (address) => row('A04', `a name that leads to ${address}`, { site: named(address), provider: trusting, silent: true, heals: false,
    marks: parks('target', 'egress', 580, 600), alarm: 'target_parked', alone: refused(502, 'egress_denied', 'egress_denied'),
    pair: rescued('egress_denied'), also: unseen });

async function askedOnce(lab, site) {
    const before = names.asked(site.first.name);
    await lab.reset(site, 'chat');
    const { answer } = await lab.call(site, 'alone', 'chat', false);
    assert.equal(answer.status, 502);
    await lab.reset(site, 'chat');
    await Promise.all([1, 2, 3].map(() => lab.call(site, 'once', 'chat', true)));
    assert.ok(names.asked(site.first.name) <= before + 1, 'within a second of a failure nobody is asked again');
}

// While four lookups hang the loop answers others.
async function notHeldUp(lab, site) {
    await lab.reset(site, 'chat');
    const calls = [false, true, false, true].map((isStream) => lab.call(site, 'pair', 'chat', isStream));
    let slowest = 0;
    for (let i = 0; i < 10; i += 1) {
        const begun = performance.now();
        await ask(lab.headgate.admin, { method: 'GET', target: '/livez', host: lab.host });
        slowest = Math.max(slowest, performance.now() - begun);
        await sleep(100);
    }
    for (const { answer } of await Promise.all(calls)) {
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'x-headgate-failover'), 'dns');
    }
    assert.ok(slowest < patient(500), `the slowest answer meanwhile took ${slowest} ms`);
}

// One call while the name is good, then it leads elsewhere, and the old address is forgotten.
async function later(lab, site, ...words) {
    site.first.play(healthy);
    for (const operation of site.row.operations) {
        const { answer } = await lab.call(site, 'alone', operation, false);
        assert.equal(answer.status, 200);
    }
    names.say(site.first.name, ...words);
    await sleep(CACHED_MS);
    site.first.dropConnections();
    await sleep(100);
    site.forget();
}

async function servedByTheOldAddress(lab, site) {
    await later(lab, site, 'fails');
    const before = names.asked(site.first.name);
    for (const operation of site.row.operations) {
        for (const isStream of [false, true]) {
            lab.check(site, served(), await lab.call(site, 'alone', operation, isStream));
            site.forget();
            site.first.dropConnections();
            await sleep(50);
        }
    }
    assert.ok(names.asked(site.first.name) > before, 'the resolver was asked, and could not say');
}

async function judgedAnew(lab, site) {
    await later(lab, site, '10.1.2.3');
    for (const operation of site.row.operations) {
        for (const which of ['alone', 'pair']) {
            await lab.reset(site, operation);
            lab.check(site, which === 'alone' ? refused(502, 'egress_denied', 'egress_denied') : rescued('egress_denied'),
                await lab.call(site, which, operation, false));
            site.forget();
        }
        assert.deepEqual((await lab.standing(site, operation)).parks.map((one) => one.reason), ['egress']);
    }
    unseen(null, site);
}

// The IPv6 address takes no connection; what is at the IPv4 one answers.
const deadV6 = async (certificates) => {
    const upstream = await named('::1', '127.0.0.1')(certificates);
    const hole = await holeAt('::1', upstream.port);
    const { stop } = upstream;
    upstream.stop = async () => { hole.stop(); await stop.call(upstream); };
    return upstream;
};
const soon = ({ line }) => assert.ok(line.ttfb_s * 1000 < patient(1500), `the next address is tried early: ${line.ttfb_s} s`);

export const rows = [
    lost('A01', 'a name that does not exist', 'none'),
    row('A01', 'a name that does not exist, asked for once', { site: named('none'), provider: trusting, heals: false, run: askedOnce }),
    lost('A02', 'the resolver cannot say', 'fails'),
    row('A02', 'the resolver cannot say any more', { site: named('127.0.0.1'), provider: trusting, run: servedByTheOldAddress, long: true }),
    lost('A03', 'the resolver says nothing', 'silent'),
    row('A03', 'the resolver says nothing, and others go on', { site: named('silent'), provider: trusting, heals: false, run: notHeldUp }),
    ...DENIED.map(denied),
    row('A05', 'four addresses, the first three refuse', { site: named('127.0.0.9', '127.0.0.10', '127.0.0.11', '127.0.0.1'),
        provider: trusting, play: healthy, alone: served(), marks: NEITHER }),
    row('A06', 'an IPv6 address that takes no connection', { site: deadV6, provider: trusting, play: healthy, alone: served(), marks: NEITHER, also: soon }),
    row('A07', 'a name that leads to a denied address later', { site: named('127.0.0.1'), provider: trusting, silent: true, run: judgedAnew, long: true }),
];
