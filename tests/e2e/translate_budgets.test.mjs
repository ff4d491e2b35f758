// SPDX-License-Identifier: Apache-2.0
// Budgets before a target of another dialect: what is set aside is by the request as that target gets it, what is
// booked by what it says it used, and an app is told no in its own words.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import { APPS } from './lib/apps.mjs';
import { chat, generate, messages } from './lib/foreign.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, until } from './lib/wire.mjs';

requireBinary();

const FOREIGN = { chat, messages, generate, compatible: { ...chat, kind: 'compatible', model: 'small' } };
const PAIRS = [['chat', 'messages'], ['responses', 'generate'], ['messages', 'chat'], ['generate', 'messages'], ['generate', 'chat'], ['messages', 'compatible'], ['responses', 'compatible']];
// Nanodollars a token.
const IN = 1000;
const OUT = 10000;
const CACHED = 100;
const WRITTEN = 2000;
const COST = { chat: 9 * IN + 20 * CACHED + 11 * OUT, messages: 4 * IN + 5 * WRITTEN + 20 * CACHED + 11 * OUT, generate: 9 * IN + 20 * CACHED + 11 * OUT };
COST.compatible = COST.chat;
const CAP = 40;
// Each purpose has a provider, and so a budget, of its own.
const PURPOSES = { wide: { limit: '1 USD' }, low: { limit: '0.006 USD' }, none: { limit: '0.0001 USD' }, strict: { limit: '1 USD', bound: 'strict' } };

const ups = {};
let headgate;
let dir;
const nameOf = (purpose, app, name) => `${purpose}-${app}-${name}`;
const EACH = Object.keys(PURPOSES).flatMap((purpose) => PAIRS.map(([app, name]) => ({ purpose, app, name, as: nameOf(purpose, app, name) })));

const calm = () => Object.entries(ups).forEach(([name, upstream]) => {
    upstream.forget();
    upstream.play((exchange) => {
        const dialect = FOREIGN[name];
        dialect.check(exchange.request);
        return dialect.isStream(exchange.request)
            ? exchange.answer({ headers: { 'Content-Type': 'text/event-stream' }, framing: 'chunked', body: dialect.stream({ text: 'Yes.' }) })
            : exchange.json(dialect.whole({ text: 'Yes.' }));
    });
});
before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), ['version: 1', 'prices:', ...EACH.map(({ name, as }) =>
        `  - { provider: ${as}, model: ${FOREIGN[name].model}, input: 1, cache_read: 0.1, cache_write_5m: 2, output: 10, source: "made up" }`), ''].join('\n'));
    for (const name of Object.keys(FOREIGN)) {
        ups[name] = await Upstream.start();
    }
    const baseOf = (name) => (['chat', 'compatible'].includes(name) ? `${ups[name].origin}/v1` : ups[name].origin);
    headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { ...Object.fromEntries(EACH.map(({ name, as }) => [as, { kind: FOREIGN[name].kind, base_url: baseOf(name), credential: CANARY.provider }])),
            other: { kind: 'gemini', base_url: ups.generate.origin, credential: CANARY.provider } },
        routes: { ...Object.fromEntries(EACH.map(({ name, as }) => [as, { targets: [{ provider: as, model: FOREIGN[name].model }], default_max_output: 4000 }])),
            next: { targets: [{ provider: nameOf('none', 'chat', 'messages'), model: messages.model }, { provider: 'other', model: generate.model }] } },
        budgets: EACH.map(({ purpose, as }) => ({ name: as, scope: `provider:${as}`, window: 'day', ...PURPOSES[purpose] })),
    });
    calm();
});
after(async () => {
    await headgate?.stop();
    await Promise.all(Object.values(ups).map((upstream) => upstream.stop()));
    fs.rmSync(dir, { recursive: true, force: true });
});
afterEach(() => {
    headgate.check();
    Object.values(ups).forEach((upstream) => upstream.check());
    calm();
});

const call = (app, model, more) => ask(headgate.port, APPS[app].ask(model, more), 9000);
const recordOf = (answer) => until(() => recordsIn(path.join(headgate.dir, 'state')).find((record) => record.call_id === header(answer, 'x-headgate-call-id')), 4000, 'the record');
// Where the provider looks for the cap; and that it is nowhere else.
const capOf = (name, body) => {
    const told = { max_completion_tokens: body.max_completion_tokens, max_tokens: body.max_tokens, maxOutputTokens: body.generationConfig?.maxOutputTokens };
    const own = { chat: 'max_completion_tokens', messages: 'max_tokens', compatible: 'max_tokens', generate: 'maxOutputTokens' }[name];
    assert.deepEqual(Object.keys(told).filter((member) => told[member] !== undefined), [own]);
    return told[own];
};
const each = (purpose, act) => EACH.filter((one) => one.purpose === purpose).forEach((one) => test(`${one.app} at ${one.name}`, () => act(one)));

describe('what is set aside is settled by what the provider says', () => each('wide', async ({ app, name, as }) => {
    for (const isStream of [false, true]) {
        const answer = await call(app, as, { isStream, cap: CAP });
        assert.equal(answer.status, 200, answer.body.toString());
        const record = await recordOf(answer);
        assert.equal(record.charged_nusd, COST[name]);
        assert.ok(record.hold_nusd > CAP * OUT && record.hold_nusd < CAP * OUT + 1000 * IN * 2, `${record.hold_nusd}`);
        assert.deepEqual([record.decision, record.provenance], ['allow', 'provider']);
    }
}));

describe('a cap is lowered to what is left, in the member where the provider reads it', () => each('low', async ({ app, name, as }) => {
    for (const cap of [4000, undefined]) {
        const answer = await call(app, as, { cap: app === 'messages' ? 4000 : cap, isStream: cap === undefined });
        assert.equal(answer.status, 200, answer.body.toString());
        const sent = capOf(name, ups[name].requests.at(-1).json());
        assert.ok(sent >= 256 && sent < 600, `${sent}`);
        assert.equal(header(answer, 'x-headgate-max-output-clamped'), String(sent));
        const record = await recordOf(answer);
        assert.deepEqual([record.decision, record.charged_nusd], ['clamp', COST[name]]);
        assert.ok(record.hold_nusd >= sent * OUT && record.hold_nusd <= 6000000);
    }
}));

describe('no is told in the app\'s words, and nothing is sent', () => {
    each('none', async ({ app, name, as }) => {
        for (const isStream of [false, true]) {
            const answer = await call(app, as, { isStream, cap: CAP });
            assert.equal(answer.status, 402, answer.body.toString());
            const { type, code, status, message } = APPS[app].error(answer);
            assert.deepEqual([type, code, status], { messages: ['billing_error', undefined, undefined], generate: [undefined, 402, 'RESOURCE_EXHAUSTED'] }[app] ?? ['insufficient_quota', 'budget_exceeded', undefined]);
            assert.match(message, /^headgate: /);
            assert.equal(header(answer, 'x-headgate-budget').split(';')[0], as);
        }
        assert.equal(ups[name].requests.length, 0);
    });
    test('a target of yet another dialect is asked instead', async () => {
        const answer = await call('chat', 'next', { cap: CAP });
        assert.equal(header(answer, 'x-headgate-target'), `other/${generate.model}`);
        assert.equal(APPS.chat.whole(answer).text, 'Yes.');
        assert.equal(ups.messages.requests.length, 0);
    });
});

describe('a strict bound is of the request as it is sent', () => each('strict', async ({ app, name, as }) => {
    const answer = await call(app, as, { cap: CAP });
    assert.equal(answer.status, 200, answer.body.toString());
    const { hold_nusd, charged_nusd } = await recordOf(answer);
    const dear = name === 'messages' ? IN : WRITTEN; // only there nothing is written to a cache unasked
    assert.equal(hold_nusd, ups[name].requests.at(-1).body.length * dear + CAP * OUT, `${app} at ${name}: ${ups[name].requests.at(-1).body}`);
    assert.equal(charged_nusd, COST[name]);
}));
