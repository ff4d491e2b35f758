// SPDX-License-Identifier: Apache-2.0
// The laboratory of the fault scorecard: one headgate before pairs of scripted providers, one pair
// for each row, so that rows run beside each other and share no breaker, park or budget. A row says
// what its first provider plays and what must come of it: with that one alone, and with a healthy
// second one. What must hold for every row is checked here, in one place.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './app.mjs';
import { CANARY, Headgate, temporary } from './headgate.mjs';
import { begun, firstBody, secondBody, second } from './plays.mjs';
import { errorOf } from './rows.mjs';
import { recordsIn } from './records.mjs';
import { good, healthy } from './samples.mjs';
import { Upstream } from './upstream.mjs';
import { checkCharges } from '../rows/charges.mjs';
import { header, patient, request, until } from './wire.mjs';

// A pair of sockets each for what libcurl opens at its first use and keeps: dialing with and without
// a certificate file, probes.
const LIBCURLS = 4;
const TOKEN = 'test-token-of-operators';
export const MODEL = 'lab-model';
// In milliseconds: long for what is not about time, on a machine that does much else; short for what
// is. After the first attempt the next one needs 2 s of what is left.
const LONG = { connect: 5000, write: 5000, head: 6000, first_content: 6000, idle: 6000, content_idle: 8000, total: 20000, stream_total: 20000 };
// Every call counts on a budget that has more than enough: what it holds must come back. So cheap that what may
// be paid for twice keeps no row from failing over.
const PRICES = ['openai', 'anthropic'].map((provider) => [MODEL, 'other-model', 'lab-claude']
    .map((model) => `  - { provider: ${provider}, model: ${model}, input: 0.01, output: 0.10, source: made-up }`)).flat();
const BUDGETS = [{ name: 'lab', scope: 'route', limit: '1000000 USD', window: 'total' }];
export const QUICK = { connect: 900, write: 1200, head: 1200, first_content: 1000, idle: 1200, content_idle: 1800, total: 8000, stream_total: 12000 };

// ---- what is expected of a call. tries: how each attempt ended, in order; a list in place of a word
// where chance decides between them ----

export const refused = (status, code, ...tries) => ({ kind: 'refused', status, code, tries });
export const passed = (status, ...tries) => ({ kind: 'passed', status, tries });
export const served = (...tries) => ({ kind: 'served', tries: tries.length > 0 ? tries : ['ok'] });
export const rescued = (...tries) => ({ kind: 'rescued', tries: [...tries, 'ok'] });
// An error in the stream after `before` (a function of the operation): ours with this code, or the provider's own.
export const broken = (code, before, ...tries) => ({ kind: 'broken', code, before, tries });

// ---- what is expected of the breakers: which one opens after enough of these ----

export const CONNECT = { endpoint: 3, deployment: 0 };
export const ENDPOINT = { endpoint: 5, deployment: 0 };
export const DEPLOYMENT = { endpoint: 0, deployment: 5 };
export const NEITHER = { endpoint: 0, deployment: 0 };
export const parks = (scope, reason, from, to) => ({ ...NEITHER, park: { scope, reason, left: [from, to] } });
export const cools = (from, to, more = NEITHER) => ({ ...more, cool: [from, to] });

// headgate asks an endpoint whose breaker is open for its model list: that is no call of the row.
const besideProbes = (script) => (script instanceof Function
    ? (exchange) => (exchange.request.method === 'GET' ? healthy(exchange) : script(exchange)) : script);

// Answers none of the first `count` before all of them are here: the first answer would keep the others away.
function together(count, script) {
    let here = 0;
    let open;
    const gate = new Promise((resolve) => { open = resolve; });
    return async (exchange) => {
        here += 1;
        if (here >= count) {
            open();
        }
        await gate;
        return script(exchange);
    };
}

const DIALECT = { chat: 'openai', messages: 'anthropic' };
const KIND = { chat: 'o', messages: 'a' };
const listed = (wanted) => (Array.isArray(wanted) ? wanted : [wanted]);
const per = (value, operation) => (value !== null && typeof value === 'object' && operation in value ? value[operation] : value);

// "p/m reset 3ms, same_target after 5ms; q/m ok 9ms" as [{ provider, outcome }].
function triesOf(line) {
    if (line.tries === undefined) {
        return [{ provider: line.target.split('/')[0], outcome: line.outcome }];
    }
    return line.tries.split('; ').map((text) => {
        const [target, outcome] = text.split(' ');
        return { provider: target.split('/')[0], outcome };
    });
}

export function checkNoSecrets(text) {
    for (const [name, secret] of Object.entries({ ...CANARY, token: TOKEN })) {
        assert.ok(!text.includes(secret), `the ${name} canary is in what went out`);
    }
}

// The answer tells how long to wait, 1 to 60 s, or not to ask again; of a longer wait both.
function checkHonest(answer) {
    if (![408, 409, 429].includes(answer.status) && answer.status < 500) {
        return;
    }
    const wait = header(answer, 'retry-after');
    const no = header(answer, 'x-should-retry') === 'false';
    if (wait === undefined) {
        assert.ok(no, 'neither a wait nor a no');
    } else {
        assert.match(wait, /^([1-9]|[1-5]\d|60)$/);
        assert.ok(!no || wait === '60', 'a wait that is kept and a no');
    }
}

// One site: the pair of a row.
export class Site {
    static async start(name, row, certificates) {
        const site = new Site();
        site.name = name;
        site.row = row;
        site.first = await (row.site ? row.site(certificates) : Upstream.start({ tls: row.tls?.(certificates) }));
        site.second = await Upstream.start();
        site.second.play(second);
        site.first.site = site;
        return site;
    }

    get timeouts() { return { ...LONG, ...this.row.timeouts }; }
    provider(operation, place) { return `${this.name}-${KIND[operation]}${place}`; }
    route(which, operation) { return `${which}-${this.name}-${KIND[operation]}`; }

    settings(certificates) {
        const { row } = this;
        const providers = {};
        const routes = {};
        const timeouts = Object.fromEntries(Object.entries(this.timeouts)
            .map(([what, ms]) => [what, `${patient(ms)}ms`]));
        for (const operation of row.operations) {
            const version = operation === 'chat' ? '/v1' : '';
            const kind = operation === 'chat' ? 'openai' : 'anthropic';
            const key = operation === 'chat' ? CANARY.provider : CANARY.anthropic;
            providers[this.provider(operation, 1)] = { kind, base_url: `${this.first.origin}${version}`,
                credential: `${key}-${this.name}-1`, ...row.provider?.(certificates) };
            providers[this.provider(operation, 2)] = { kind, base_url: `${this.second.origin}${version}`, credential: `${key}-${this.name}-2` };
            const target = (place) => ({ provider: this.provider(operation, place), model: MODEL, ...row.targets?.[place - 1] });
            const rules = { timeouts, default_max_output: 1000, ...row.rules };
            routes[this.route('alone', operation)] = { targets: [target(1)], ...rules };
            routes[this.route('pair', operation)] = { targets: [target(1), target(2)], ...rules };
            routes[this.route('once', operation)] = { targets: [target(1)], ...rules, retry: { attempts: 1 } };
            routes[this.route('other', operation)] = { targets: [{ ...target(1), model: 'other-model' }], ...rules };
        }
        return { providers, routes };
    }

    forget() {
        for (const one of [this.first, this.second]) {
            one.forget?.();
        }
    }

    async stop() {
        await this.first.stop();
        await this.second.stop();
    }
}

export class Lab {
    // rows: the table's, each with an id; names are made unique by their place.
    static async start(rows, { settings, env, certificates } = {}) {
        const lab = new Lab();
        lab.sites = await Promise.all(rows.map((row, i) => Site.start(`${row.id.toLowerCase()}-${i}`, row, certificates)));
        const providers = {};
        const routes = {};
        for (const site of lab.sites) {
            const own = site.settings(certificates);
            Object.assign(providers, own.providers);
            Object.assign(routes, own.routes);
        }
        lab.dir = temporary();
        fs.writeFileSync(path.join(lab.dir, 'prices.yaml'), `version: 1\nprices:\n${PRICES.join('\n')}\n`);
        lab.looked = []; // { id, call }: whose charges are looked at in the end
        lab.headgate = await Headgate.start({ providers, routes, limits: { response: '1MiB' }, budgets: BUDGETS,
            prices: { files: [path.join(lab.dir, 'prices.yaml')] }, ...await settings?.(lab) },
            { env: { HEADGATE_ADMIN_TOKEN: TOKEN, ...env?.() } });
        await lab.#warm();
        lab.descriptors = lab.headgate.descriptors();
        lab.memory = lab.headgate.memory();
        return lab;
    }

    // The first calls open what then stays open: that is no leak.
    async #warm() {
        const healthyOne = this.sites.find((one) => one.row.heals !== false);
        const site = healthyOne ?? this.sites[0];
        const operation = site.row.operations[0];
        site.first.play?.(healthy);
        await Promise.all(Array.from({ length: healthyOne ? 8 : 2 }, () => this.call(site, 'pair', operation, false, { zz: undefined })));
        await this.reset(site, operation);
        site.first.dropConnections?.();
        site.second.dropConnections();
        await sleep(patient(200));
    }

    get host() { return `127.0.0.1:${this.headgate.admin}`; }

    async reset(site, operation) {
        const answer = await ask(this.headgate.admin, { target: `/admin/v1/targets/${site.provider(operation, 1)}/reset`, host: this.host,
            headers: { Authorization: `Bearer ${TOKEN}` } });
        assert.equal(answer.status, 200, answer.body.toString());
    }

    async standing(site, operation, model = MODEL) {
        const answer = await ask(this.headgate.admin, { method: 'GET', target: '/health/providers', host: this.host }, 5000);
        checkNoSecrets(answer.body.toString());
        return JSON.parse(answer.body.toString()).providers.flatMap((one) => one.targets)
            .find((one) => one.target === `${site.provider(operation, 1)}/${model}`);
    }

    asks(site, which, operation, isStream, more = {}) {
        return request(good(operation, { model: site.route(which, operation), stream: isStream, ...site.row.more, ...more }));
    }

    // One call on a connection of its own: the answer, the line of it, and that nothing comes after it.
    async call(site, which, operation, isStream, more = {}) {
        const limit = isStream ? site.timeouts.stream_total : site.timeouts.total;
        const app = await App.connect(this.headgate.port);
        const begun = Date.now();
        app.send(this.asks(site, which, operation, isStream, more));
        const answer = await app.answer(limit + 3000);
        assert.ok(Date.now() - begun <= patient(limit + 1000), `the answer took ${Date.now() - begun} ms`);
        const line = await this.headgate.callLine(answer);
        await sleep(20);
        assert.equal(app.answers.length, 1, 'one answer');
        assert.equal(app.fault, null, 'nothing after the answer');
        app.close();
        checkNoSecrets(answer.head.toString('latin1') + answer.body.toString('latin1'));
        checkHonest(answer);
        assert.equal(line.status, answer.status);
        return { answer, line, operation, isStream };
    }

    // What the answer must be.
    check(site, wanted, { answer, line, operation, isStream }) {
        const text = answer.body.toString();
        const tell = `${answer.status} ${text.slice(0, 300)}; ${line.tries ?? line.outcome}`;
        const status = per(wanted.status, operation) ?? 200;
        assert.ok(listed(status).includes(answer.status), `status, wanted ${status}: ${tell}`);
        this.#checkTries(site, wanted, answer, line);
        if (answer.status === 200) {
            const type = header(answer, 'content-type');
            assert.ok(type.startsWith(isStream ? 'text/event-stream' : 'application/json'), type);
        }
        switch (wanted.kind) {
        case 'refused':
            checkOurs(wanted, answer, line, DIALECT[operation]);
            return;
        case 'passed':
            assert.equal(text, per(site.row.body, operation), 'the provider\'s own body');
            return;
        case 'served':
            assert.equal(text, site.row.arrives?.(operation, isStream) ?? firstBody(operation, isStream));
            return;
        case 'rescued':
            assert.equal(text, secondBody(operation, isStream), 'the whole answer of the second, and nothing else');
            assert.match(header(answer, 'x-headgate-failover') ?? 'none', /^(?!none)[a-z_]+$/);
            assert.ok(header(answer, 'x-headgate-target').startsWith(`${site.provider(operation, 2)}/`));
            return;
        case 'broken':
            checkBroken(wanted, operation, text);
            return;
        case 'cut': // inside an event that has no end: it is ended, then the error follows
            assert.ok(text.startsWith(begun(operation)), text.slice(0, 300));
            assert.match(text.slice(-400), new RegExp(`\\n\\ndata: \\{"error":\\{.*"code":"${wanted.code}"\\}\\}\\n\\n$`));
            return;
        default:
            assert.fail(wanted.kind);
        }
    }

    // Each attempt has its word in the line, and each is one request on the wire.
    #checkTries(site, wanted, answer, line) {
        const tries = triesOf(line);
        const words = tries.map((one) => one.outcome);
        assert.equal(words.length, wanted.tries.length, `attempts ${words}, wanted ${wanted.tries.join()}`);
        wanted.tries.forEach((word, i) => assert.ok(listed(word).includes(words[i]), `attempt ${i + 1}: ${words[i]}, wanted ${word}`));
        assert.equal(line.attempts, tries.length);
        assert.equal(header(answer, 'x-headgate-attempts'), String(tries.length));
        const isSecond = (one) => /2$/.test(one.provider);
        const at = (yes) => tries.filter((one) => isSecond(one) === yes).length;
        assert.equal(site.second.heads.length, at(true), 'requests at the second provider');
        if (!site.row.silent) {
            assert.equal(site.first.heads.length, at(false), 'requests at the first provider');
        }
        assert.equal(at(true), wanted.kind === 'rescued' ? 1 : 0, 'whom the attempts went to');
    }

    // ---- a row ----

    async row(site) {
        const { row } = site;
        if (row.run) {
            await row.run(this, site);
            this.headgate.check();
            return;
        }
        for (const operation of row.operations) {
            for (const isStream of row.modes) {
                for (const which of ['alone', 'pair']) {
                    await told(`${which}, ${operation}, ${isStream ? 'stream' : 'whole'}`, () => this.cell(site, which, operation, isStream));
                }
            }
            if (!row.heavy || operation === row.operations[0]) {
                await told(`breakers, ${operation}`, () => this.marks(site, operation));
            }
        }
        this.headgate.check();
    }

    async prepare(site, operation) {
        site.first.dropConnections?.();
        await sleep(10);
        await this.reset(site, operation); // and headgate has seen them go
        site.forget();
        site.first.play?.(besideProbes(site.row.play ?? healthy));
    }

    // The expectation of one cell: `alone` and `pair` of the row, perhaps apart for whole and stream.
    wanted(row, which, isStream) {
        const all = row[which] === 'same' ? row.alone : row[which];
        return all[isStream ? 'stream' : 'whole'] ?? all;
    }

    async cell(site, which, operation, isStream) {
        const { row } = site;
        await this.prepare(site, operation);
        row.before?.(site);
        const wanted = this.wanted(row, which, isStream);
        const got = await this.call(site, which, operation, isStream);
        this.check(site, wanted, got);
        this.looked.push({ id: row.id, call: header(got.answer, 'x-headgate-call-id'), first: site.provider(operation, 1) });
        row.also?.(got, site, which);
        site.first.check?.();
        await this.heals(site, operation, isStream);
    }

    // After a reset the next healthy call succeeds: at the first provider, or where that one cannot
    // heal, at the second.
    async heals(site, operation, isStream, isLast = false) {
        await this.reset(site, operation);
        site.first.play?.(healthy);
        if (site.row.heals === false && !isLast) {
            return; // each such call is a retry at the second one, and those are rationed
        }
        const { answer } = await this.call(site, site.row.heals === false ? 'pair' : 'alone', operation, isStream, { zz: undefined });
        assert.equal(answer.status, 200, `the next healthy call: ${answer.body}`);
    }

    // Plays the fault as often as a breaker needs, and looks at what is open, parked and cooling.
    async marks(site, operation) {
        const { row } = site;
        const { marks } = row;
        const ended = [];
        const count = marks.endpoint || marks.deployment || 5;
        await this.prepare(site, operation);
        if (marks.cool && !row.heavy && row.play instanceof Function) {
            site.first.play(besideProbes(together(count, row.play)));
        }
        const isStream = row.modes.length === 1 ? row.modes[0] : operation === 'messages';
        const calls = Array.from({ length: count }, () => async () => ended.push((await this.call(site, 'once', operation, isStream)).line.outcome));
        if (row.heavy) {
            for (const call of calls) {
                await call();
            }
        } else {
            await Promise.all(calls.map((call) => call()));
        }
        // A kept connection that the provider has just closed says nothing of it: such a call is made again.
        for (let more = 0; more < 5 && ended.filter((one) => one !== 'stale_connection').length < count; more += 1) {
            await calls[0]();
        }
        const seen = await this.standing(site, operation);
        seen.why += `; ${ended.join(' ')}`;
        assert.equal(seen.endpoint.breaker, marks.endpoint ? 'open' : 'closed', `the endpoint's breaker: ${seen.why}`);
        assert.equal(seen.deployment.breaker, marks.deployment ? 'open' : 'closed', `the deployment's breaker: ${seen.why}`);
        assert.deepEqual(seen.parks.map((one) => [one.scope, one.reason]), marks.park ? [[marks.park.scope, marks.park.reason]] : []);
        if (marks.park) {
            const [from, to] = marks.park.left instanceof Function ? marks.park.left() : marks.park.left;
            assert.ok(seen.parks[0].left_s >= from && seen.parks[0].left_s <= to, `parked for ${seen.parks[0].left_s} s, wanted ${from} to ${to}`);
            await this.#sibling(site, operation, marks.park.scope);
        }
        if (row.alarm) { // an operator hears of it
            const target = site.provider(operation, 1);
            assert.ok(this.headgate.lines().some((line) => line.event === row.alarm && line.level === 'error' && line.target.split('/')[0] === target),
                `no ${row.alarm} in the log`);
        }
        const left = seen.cooldown?.left_s;
        assert.ok(marks.cool ? left >= marks.cool[0] && left <= marks.cool[1] : seen.cooldown === null,
            `cooling ${JSON.stringify(seen.cooldown)}, wanted ${marks.cool}`);
        await this.heals(site, operation, isStream, true);
    }

    // Another model with the same credential: shut with a credential, open when only a target is.
    async #sibling(site, operation, scope) {
        if (site.row.silent) {
            return; // never reached
        }
        site.first.play(healthy);
        const { answer } = await this.call(site, 'other', operation, false, { zz: undefined });
        assert.equal(answer.status === 200, scope === 'target', `another model of the credential: ${answer.status}`);
    }

    // Nothing is left behind.
    async stop() {
        await Promise.all(this.sites.map((site) => site.stop()));
        const { headgate } = this;
        headgate.check();
        await until(() => headgate.descriptors() <= this.descriptors + LIBCURLS, 5000, `descriptors as before (${this.descriptors})`).catch((error) => {
            error.message += `: ${headgate.descriptorNames().join(', ')}`;
            throw error;
        });
        const grown = headgate.memory() - this.memory;
        const calls = headgate.callLines().length;
        await this.#checkCharges();
        await headgate.stop();
        return { grown, calls };
    }

    // By the records, once all of them are written.
    async #checkCharges() {
        const byCall = new Map();
        await sleep(patient(300));
        for (const record of recordsIn(path.join(this.headgate.dir, 'state'))) {
            byCall.set(record.call_id, [...byCall.get(record.call_id) ?? [], record]);
        }
        const wrong = new Set();
        for (const { id, call, first } of this.looked) {
            try {
                assert.ok(byCall.has(call), `${id}: no record of ${call}`);
                checkCharges(id, byCall.get(call).filter((record) => record.attempt > 0), (record) => record.provider === first);
            } catch (error) {
                wrong.add(error.message);
            }
        }
        assert.deepEqual([...wrong], []);
        await this.#checkLedger([...byCall.values()].flat());
    }

    // However a call ended: nothing is held any more, and what is settled is the sum of the records.
    async #checkLedger(records) {
        const { budgets, truncated } = JSON.parse((await ask(this.headgate.admin, { method: 'GET', target: '/admin/v1/budgets?budget=lab&limit=1000', host: this.host,
            headers: { Authorization: `Bearer ${TOKEN}` } }, 5000)).body.toString());
        const sums = new Map();
        for (const record of records) {
            if (record.held_at) {
                sums.set(record.route, (sums.get(record.route) ?? 0) + (record.charged_nusd ?? 0));
            }
        }
        assert.ok(!truncated && budgets.length === sums.size, `${budgets.length} counters of ${sums.size}`);
        for (const { of, held_nusd, presumed_nusd, settled_nusd } of budgets) {
            assert.deepEqual({ of, held_nusd, presumed_nusd, settled_nusd }, { of, held_nusd: 0, presumed_nusd: 0, settled_nusd: sums.get(of) });
        }
    }

    async kill() {
        fs.rmSync(this.dir, { recursive: true, force: true });
        await Promise.allSettled(this.sites.map((site) => site.stop()));
        await this.headgate?.kill();
    }
}

// Our word, in the form of the dialect (only OpenAI's has codes).
function checkOurs({ code }, answer, line, dialect) {
    const error = errorOf(answer, dialect);
    assert.match(error.message, /^headgate: /);
    assert.ok(dialect === 'anthropic' || listed(code).includes(error.code), `code ${error.code}, wanted ${code}`);
    assert.ok(listed(code).includes(line.reason), `the reason in the log: ${line.reason}, wanted ${code}`);
    assert.ok(header(answer, 'x-request-id'), 'a request id');
}

async function told(where, act) {
    try {
        await act();
    } catch (error) {
        error.message = `${where}: ${error.message}`;
        throw error;
    }
}

function checkBroken(wanted, operation, text) {
    const before = wanted.before(operation);
    assert.ok(text.startsWith(before), `what came before is unchanged: ${text.slice(0, 300)}`);
    const tail = text.slice(before.length).replace(/^(: keep-alive\n\n|event: ping\ndata: .*\n\n)*/, '');
    assert.ok(tail.endsWith('\n\n') && !tail.includes('[DONE]') && !tail.includes('message_stop'), `one terminal event: ${JSON.stringify(tail)}`);
    assert.equal(tail.match(/^data: /gm)?.length, 1, `one error event: ${JSON.stringify(tail)}`);
    const event = JSON.parse(/^data: (.*)$/m.exec(tail)[1]);
    assert.equal(text.split(operation === 'messages' ? 'event: message_start' : '"role":"assistant"').length, 2, 'one start event');
    if (operation === 'messages') {
        assert.match(tail, /^event: error\n/);
        assert.equal(event.type, 'error');
    } else if (wanted.code !== null) {
        assert.ok(listed(wanted.code).includes(event.error.code), event.error.code);
    }
    if (wanted.code !== null) {
        assert.match(event.error.message, /^headgate: /);
    }
}

// Rows as they stand in the tables, with what most of them share.
export const row = (id, title, more) => ({ id, title, operations: ['chat', 'messages'], modes: [false, true], marks: NEITHER, pair: 'same', ...more });
