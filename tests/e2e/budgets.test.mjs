// SPDX-License-Identifier: Apache-2.0
// Budgets: what fits is let through, what does not is refused before a byte of it is sent; what an
// app is told, what a provider is asked, what the records say.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, requireBinary, temporary } from './lib/headgate.mjs';
import { DONE, ROLE, STOP, delta } from './lib/plays.mjs';
import { recordsIn } from './lib/records.mjs';
import { Redis } from './lib/redis.mjs';
import { good } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

// 100 tokens in, 7 out, at 1 and 10 USD per million: 0.00017 USD.
const PRICES = `version: 1
prices:
  - { provider: first, model: m, input: 1, output: 10, source: "made up" }
  - { provider: first, model: dear, input: 100, output: 1000, source: "made up" }
  - { provider: second, model: n, input: 0.10, output: 1, source: "made up" }
  - { provider: claude, model: c, input: 1, output: 10, source: "made up" }
  - { provider: first, model: gpt-4o, input: 1, output: 10, source: "made up" }
  - { provider: first, model: small, input: 1, output: 10, context: 40000, source: "made up" }
  - { provider: claude, model: claude-sonnet-4-6, input: 1, output: 10, source: "made up" }
`;
const COST = 170000; // nanodollars
const usage = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
const said = { id: 'x', object: 'chat.completion', model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }], usage };
const claudeSaid = { id: 'msg_1', type: 'message', role: 'assistant', model: 'c', stop_reason: 'end_turn',
    content: [{ type: 'text', text: 'Hello' }], usage: { input_tokens: 100, output_tokens: 7 } };

let upstream;
let dir;
let headgate;

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
});
after(async () => {
    await upstream.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
afterEach(async () => {
    upstream.forget();
    await headgate?.stop();
    headgate = null;
});

const itemSaid = { id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-4o', output: [],
    usage: { input_tokens: 100, output_tokens: 7, total_tokens: 107 } };
const ANSWER_OF = { messages: claudeSaid, responses: itemSaid };
const plays = (exchange) => exchange.json(ANSWER_OF[exchange.request.target.split('/').pop()] ?? said);

async function start(budgets, more = {}) {
    upstream.play(plays);
    headgate = await Headgate.start({
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
            second: { kind: 'compatible', base_url: `${upstream.origin}/second/v1`, credential: CANARY.provider },
            claude: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic },
        },
        routes: {
            one: { targets: [{ provider: 'first', model: 'm' }] },
            two: { targets: [{ provider: 'first', model: 'm' }, { provider: 'second', model: 'n' }] },
            chat: { targets: [{ provider: 'claude', model: 'c' }] },
            free: { targets: [{ provider: 'first', model: 'unknown' }] },
        },
        budgets, ...more,
    });
}
const call = (more = {}, extra = {}, ms = 5000) => ask(headgate.port, good('chat', { model: 'one', max_tokens: 20, ...more }, extra), ms);
// As who sends the body only when it is told to: [go-aheads, answer].
async function asked(headers = {}) {
    const app = await App.connect(headgate.port);
    const what = request(good('chat', { model: 'one', max_tokens: 20 }, { headers: { ...good().headers, expect: '100-continue', ...headers } }));
    const head = what.subarray(0, what.indexOf('\r\n\r\n') + 4);
    app.send(head);
    const went = app.answer();
    if (await Promise.race([until(() => app.interim.length > 0, 5000, 'a go-ahead'), went.then(() => false)])) {
        app.send(what.subarray(head.length));
    }
    const answer = await went;
    app.close();
    return [app.interim.length, answer];
}
const budgetOf = (answer) => header(answer, 'x-headgate-budget')?.split(';');
const records = (count) => until(() => {
    const all = recordsIn(path.join(headgate.dir, 'state'));
    return all.length >= count && all;
}, 3000, `${count} records`);
const told = (event) => until(() => {
    const all = headgate.lines().filter((line) => line.event === event);
    return all.length > 0 && all;
}, 3000, event);
const errorOf = (answer) => JSON.parse(answer.body.toString()).error;
const nano = (text) => {
    const [, whole, part = ''] = text.match(/^(\d+)(?:\.(\d+))? USD$/);
    return BigInt(whole) * 1000000000n + BigInt(part.padEnd(9, '0'));
};

describe('money', () => {
    test('a budget that is used up refuses before anything is sent', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.001 USD', window: 'day' }]);
        let answer = await call();
        let served = 0;
        for (; answer.status === 200; served += 1) {
            answer = await call();
        }
        assert.equal(answer.status, 402);
        assert.ok(served >= 4 && served <= 5, `${served} calls were served`);
        assert.equal(upstream.requests.length, served);
        assert.deepEqual([errorOf(answer).type, errorOf(answer).code], ['insufficient_quota', 'budget_exceeded']);
        assert.equal(header(answer, 'x-should-retry'), 'false');
        assert.equal(header(answer, 'retry-after'), undefined);
        const [name, used, end] = budgetOf(answer);
        assert.equal(name, 'day');
        assert.equal(nano(used), BigInt(COST * served));
        const tomorrow = new Date();
        tomorrow.setUTCHours(24, 0, 0, 0);
        assert.equal(new Date(end).getTime(), tomorrow.getTime());
        assert.match(errorOf(answer).message, /^headgate: .*: day, until 20/);
        const all = await records(served + 1);
        assert.equal(all.filter((record) => record.decision === 'allow' && record.charged_nusd === COST && record.hold_nusd >= COST).length, served);
        assert.deepEqual(all.filter((record) => record.decision === 'deny').map((record) => [record.budget, record.status, record.attempt, record.outcome]),
            [['day', 402, 0, 'budget']]);
    });

    test('BH20 who waits for a go-ahead is told before the body', async () => {
        await start([{ name: 'calls', scope: 'team', limit: '1 requests', window: 'day' }]);
        const [before, first] = await asked({ 'idempotency-key': 'once' });
        assert.deepEqual([before, first.status], [1, 200]);
        const [after, second] = await asked();
        assert.deepEqual([after, second.status, errorOf(second).code, budgetOf(second)[0]], [0, 402, 'budget_exceeded', 'calls']);
        assert.match(errorOf(second).message, /: calls, until 20/);
        assert.equal(upstream.requests.length, 1);
        const [again, kept] = await asked({ 'idempotency-key': 'once' });
        assert.deepEqual([again, kept.status, header(kept, 'x-headgate-replayed')], [1, 200, 'true'], 'what was paid for is there');
        const denial = (await records(2)).find((record) => record.decision === 'deny');
        assert.deepEqual([denial.budget, denial.status, denial.attempt, denial.outcome], ['calls', 402, 0, 'budget']);
    });

    test('BH20 so does a rate tell, and takes nothing by being looked at', async () => {
        await start([], { rates: [{ name: 'hourly', scope: 'team', limit: '2 requests', per: 'hour' }] });
        for (const left of ['1', '0']) {
            const [said, answer] = await asked();
            assert.deepEqual([said, answer.status, header(answer, 'x-ratelimit-remaining-requests')], [1, 200, left]);
        }
        const [said, answer] = await asked();
        assert.deepEqual([said, answer.status, errorOf(answer).code], [0, 429, 'rate_limit_exceeded']);
        assert.equal(header(answer, 'x-ratelimit-remaining-requests'), '0');
    });

    test('in the words of the other dialect, and as 429 for who knows nothing else', async () => {
        await start([{ name: 'tiny', scope: 'global', limit: '0.00001 USD', window: 'month' }], { budget_status: 429 });
        const answer = await ask(headgate.port, good('messages', { model: 'chat' }));
        assert.equal(answer.status, 429);
        assert.equal(errorOf(answer).type, 'rate_limit_error');
        assert.equal(header(answer, 'x-should-retry'), 'false');
        assert.equal(budgetOf(answer)[1], '', 'what everybody spent is nobody\'s business');
        assert.equal(errorOf(await call()).code, 'insufficient_quota');
        assert.equal(upstream.requests.length, 0);
    });

    test('the output cap is lowered to what is left, and the provider is told', async () => {
        await start([{ name: 'small', scope: 'team', limit: '0.004 USD', window: 'total' }]);
        const answer = await call({ max_tokens: 4000 });
        assert.equal(answer.status, 200);
        const cap = Number(header(answer, 'x-headgate-max-output-clamped'));
        assert.ok(cap >= 256 && cap < 400, `clamped to ${cap}`);
        assert.equal(upstream.requests[0].json().max_tokens, cap);
        assert.equal(budgetOf(answer)[0], 'small');
        const [record] = await records(1);
        assert.deepEqual([record.decision, record.budget, record.flags], ['clamp', 'small', ['clamped']]);
        assert.ok(record.hold_nusd <= 4000000);
        const both = await call({ max_tokens: 4000, max_completion_tokens: 100 });
        assert.equal(upstream.requests[1].json().max_completion_tokens, 100);
        assert.ok(upstream.requests[1].json().max_tokens < 4000, JSON.stringify([both.status, upstream.requests[1].json()]));
    });

    test('a budget that would rather deny than clamp', async () => {
        await start([{ name: 'small', scope: 'team', limit: '0.004 USD', window: 'total', on_low: 'deny' }]);
        assert.equal((await call({ max_tokens: 4000 })).status, 402);
        assert.equal((await call()).status, 200);
    });

    test('a request without a cap gets the route\'s, in the provider\'s own words', async () => {
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day' }], { routes: {
            one: { targets: [{ provider: 'first', model: 'm' }], default_max_output: 500 },
            two: { targets: [{ provider: 'second', model: 'n' }], default_max_output: 500 },
            chat: { targets: [{ provider: 'claude', model: 'c' }] },
            none: { targets: [{ provider: 'first', model: 'm' }] },
        } });
        for (const max_tokens of [undefined, null]) {
            assert.equal((await call({ max_tokens })).status, 200);
        }
        assert.deepEqual(upstream.requests.map((request) => [request.json().max_completion_tokens, request.json().max_tokens]), [[500, undefined], [undefined, 500]]);
        assert.equal((await call({ model: 'two', max_tokens: undefined })).status, 200);
        assert.equal(upstream.requests[2].json().max_tokens, 500);
        const answer = await call({ model: 'none', max_tokens: undefined });
        assert.deepEqual([answer.status, errorOf(answer).code], [400, 'unbounded_cost']);
    });

    test('budgets that do not enforce let through and say so', async () => {
        await start([{ name: 'soft', scope: 'team', limit: '0.0002 USD', window: 'day', mode: 'warn', warn_at: ['50%'] },
            { name: 'dark', scope: 'team', limit: '0.0001 USD', window: 'day', mode: 'shadow' }]);
        assert.equal(budgetOf(await call())[0], 'soft');
        const second = await call();
        assert.equal(second.status, 200);
        assert.equal(nano(budgetOf(second)[1]), BigInt(COST));
        const all = await records(2);
        assert.deepEqual(all.map((record) => [record.decision, record.budget]), [['warn', 'soft'], ['warn', 'soft']]);
        const told = headgate.lines().filter((line) => line.event === 'budget').map((line) => [line.budget, line.of, line.mode, line.percent, line.level]);
        assert.deepEqual(told, [['soft', 'default', 'warn', 50, 'warn'], ['dark', 'default', 'shadow', 100, 'info'], ['soft', 'default', 'warn', 100, 'warn']]);
    });

    test('64 apps at once do not get a nanodollar more than there is', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.02 USD', window: 'day' }]);
        const statuses = await Promise.all(Array.from({ length: 64 }, async () => {
            const got = [];
            for (let i = 0; i < 5; i += 1) {
                got.push((await call()).status);
            }
            return got;
        }));
        const served = statuses.flat().filter((status) => status === 200).length;
        assert.equal(statuses.flat().filter((status) => status === 402).length, 320 - served);
        const all = await records(320);
        const spent = all.reduce((sum, record) => sum + (record.charged_nusd ?? 0), 0);
        assert.equal(spent, served * COST);
        assert.ok(spent <= 20000000, `${spent} of 20000000`);
        assert.ok(spent > 19000000, `${spent} of 20000000: refused too early`);
    });
});

describe('what cannot be counted', () => {
    test('a model without a price is refused where money is counted, unless the operator lets it', async () => {
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day' }]);
        const answer = await call({ model: 'free' });
        assert.deepEqual([answer.status, errorOf(answer).code], [400, 'model_unpriced']);
        assert.equal(upstream.requests.length, 0);
    });

    test('where the operator lets it, it counts nothing', async () => {
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day' }], { prices: { files: [path.join(dir, 'prices.yaml')], unpriced: 'allow' } });
        assert.equal((await call({ model: 'free' })).status, 200);
    });

    test('tools that the provider runs, and paths that nobody meters', async () => {
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day' }]);
        const tools = await ask(headgate.port, good('messages', { model: 'chat', tools: [{ type: 'web_search_20250305', name: 'web_search' }] }));
        assert.deepEqual([tools.status, errorOf(tools).type], [400, 'invalid_request_error']);
        assert.match(errorOf(tools).message, /tools/);
        const path_ = await ask(headgate.port, good('chat', {}, { target: '/v1/moderations' }));
        assert.deepEqual([path_.status, errorOf(path_).code], [403, 'unmetered_path']);
        assert.equal(upstream.requests.length, 0);
    });
});

// A picture has a ceiling by the model (2,000 tokens of gpt-4o and Claude Sonnet 4, 50,000 of a name that
// nobody knows), inline or by its address, and its base64 is no text.
describe('media', () => {
    const MEBI = 'iVBORw0KGgoA'.repeat(87382); // 1 MiB in base64
    const DATA = `data:image/png;base64,${MEBI}`;
    const URL = 'https://pictures.example/a.png';
    const caps = { chat: { max_tokens: 20 }, responses: { max_output_tokens: 20 }, messages: { max_tokens: 20 } };
    const parts = {
        chat: (url) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url } }] }] }),
        responses: (url) => ({ input: [{ role: 'user', content: [{ type: 'input_text', text: 'What is it?' }, { type: 'input_image', image_url: url }] }] }),
        messages: (url) => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' },
            { type: 'image', source: url === URL ? { type: 'url', url } : { type: 'base64', media_type: 'image/png', data: MEBI } }] }] }),
    };
    const models = { chat: 'first/gpt-4o', responses: 'first/gpt-4o', messages: 'claude/claude-sonnet-4-6' };
    const GUARD = { name: 'guard', scope: 'call', limit: '0.50 USD' };
    const DAY = { name: 'day', scope: 'team', limit: '1 USD', window: 'day' };
    const item = (part) => ({ input: [{ role: 'user', content: 'Hi' }, part] });
    // The input in the hold of the last of so many records; a token is 1,000 nanodollars, 10,000 of output.
    const tokensHeld = async (count) => ((await records(count)).at(-1).hold_nusd - 20 * 10000) / 1000;

    for (const [name, budgets] of Object.entries({ 'a day': [DAY], 'a guard': [GUARD], both: [DAY, GUARD] })) {
        test(`pictures under ${name}`, async () => {
            await start(budgets);
            let count = 0;
            for (const operation of Object.keys(parts)) {
                for (const url of [URL, DATA]) {
                    const asked = good(operation, { model: models[operation], ...caps[operation], ...parts[operation](url) });
                    const answer = await ask(headgate.port, asked);
                    assert.equal(answer.status, 200, `${operation} ${answer.body.subarray(0, 300)}`);
                    const base64 = url === URL ? 0 : (operation === 'messages' ? MEBI : DATA).length + 2;
                    assert.equal(await tokensHeld(count += 1), asked.body.length - base64 + 2000, `${operation} ${url.slice(0, 9)}`);
                }
            }
        });
    }

    test('of a model that nobody knows a picture is the most that one takes anywhere', async () => {
        await start([DAY]);
        const asked = good('chat', { model: 'first/m', ...caps.chat, ...parts.chat(DATA) });
        assert.equal((await ask(headgate.port, asked)).status, 200);
        assert.equal(await tokensHeld(1), asked.body.length - DATA.length - 2 + 50000);
    });

    test('reasoning that only the provider can read has a token for each of its bytes', async () => {
        await start([DAY]);
        const sealed = 'gAAAAABpXzQ1'.repeat(500);
        const asked = [
            good('responses', { model: models.responses, ...caps.responses, ...item({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: sealed }) }),
            good('messages', { model: models.messages, ...caps.messages, messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [
                { type: 'thinking', thinking: 'Hm.', signature: sealed }, { type: 'redacted_thinking', data: sealed }] }, { role: 'user', content: 'So?' }] }),
        ];
        for (const [i, each] of asked.entries()) {
            assert.equal((await ask(headgate.port, each)).status, 200);
            assert.equal(await tokensHeld(i + 1), each.body.length);
        }
    });

    test('a file, sound and what is kept elsewhere fit into the context, where that is known', async () => {
        await start([DAY]);
        const file = { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: `data:application/pdf;base64,${MEBI}` } }] }] };
        const sound = { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: MEBI, format: 'wav' } }] }] };
        const asked = (model) => [
            good('chat', { model, ...caps.chat, ...file }),
            good('chat', { model, ...caps.chat, ...sound }),
            good('chat', { model, ...caps.chat, ...parts.chat(DATA.replace('image/png', 'application/pdf')) }),
            good('responses', { model, ...caps.responses, ...item({ type: 'reasoning', id: 'rs_1', summary: [] }) }),
            good('responses', { model, ...caps.responses, input: 'Hi', previous_response_id: 'resp_0' }),
        ];
        for (const [i, each] of asked('first/small').entries()) {
            assert.equal((await ask(headgate.port, each)).status, 200);
            assert.equal(await tokensHeld(i + 1), 40000);
        }
        upstream.forget();
        for (const each of asked('first/gpt-4o')) { // of which no row here knows a context
            const answer = await ask(headgate.port, each);
            assert.deepEqual([answer.status, errorOf(answer).code], [400, 'unbounded_cost']);
        }
        assert.equal(upstream.requests.length, 0);
        const stored = await ask(headgate.port, good('responses', { model: 'first/small', ...caps.responses, input: 'Hi', prompt: { id: 'pmpt_1' } }));
        assert.deepEqual([stored.status, errorOf(stored).code], [400, 'unbounded_cost'], 'it may have tools of its own');
    });
});

describe('scopes', () => {
    test('one call may not cost more than its guard, whatever the day has left', async () => {
        await start([{ name: 'guard', scope: 'call', limit: '0.001 USD' }, { name: 'day', scope: 'team', limit: '1 USD', window: 'day' }]);
        const dear = await call({ messages: [{ role: 'user', content: 'x'.repeat(4000) }] });
        assert.equal(dear.status, 402);
        assert.deepEqual(budgetOf(dear), ['guard', '0 USD', 'never']);
        assert.equal((await call()).status, 200);
        const clamped = await call({ max_tokens: 4000 });
        assert.equal(clamped.status, 402, 'not even 256 tokens fit');
    });

    test('guards that only look are told of, and do not stand before one that enforces', async () => {
        await start([{ name: 'dark', scope: 'call', limit: '0.0001 USD', mode: 'shadow' }, { name: 'soft', scope: 'call', limit: '0.0002 USD', mode: 'warn' },
            { name: 'guard', scope: 'call', limit: '0.001 USD', on_low: 'deny' }]);
        const first = await call();
        assert.equal(first.status, 200);
        assert.equal(budgetOf(first)[0], 'soft');
        const denied = await call({ max_tokens: 4000 });
        assert.deepEqual([denied.status, budgetOf(denied)[0]], [402, 'guard']);
        await headgate.callLine(denied);
        const told = headgate.lines().filter((line) => line.event === 'budget');
        assert.deepEqual(told.map((line) => [line.budget, line.of, line.mode, line.limit, line.level]), [first, denied].map((answer) =>
            ['dark', header(answer, 'x-headgate-call-id'), 'shadow', '0.0001 USD', 'info']));
        assert.ok(told.every((line) => nano(line.asked) > 100000n));
    });

    test('a provider whose budget is used up is left for another one', async () => {
        await start([{ name: 'first-day', scope: 'provider:first', limit: '0.0005 USD', window: 'day' }]);
        const targets = [];
        for (let i = 0; i < 4; i += 1) {
            const answer = await call({ model: 'two' });
            assert.equal(answer.status, 200);
            targets.push(header(answer, 'x-headgate-target'));
        }
        assert.deepEqual(targets, ['first/m', 'first/m', 'second/n', 'second/n'].slice(0, 4), targets.join());
        const all = await records(6);
        assert.equal(all.filter((record) => record.decision === 'deny' && record.provider === 'first' && record.budget === 'first-day').length, 2);
    });

    test('tags, traces and tasks count apart', async () => {
        await start([{ name: 'tag', scope: 'tag', limit: '1 requests', window: 'day' },
            { name: 'trace', scope: 'trace', limit: '2 requests' }]);
        const tagged = (tags, trace) => call({}, { headers: { Authorization: `Bearer ${CANARY.app}`, 'x-headgate-tags': tags, 'x-headgate-trace': trace } });
        assert.equal((await tagged('a,b', 't1')).status, 200);
        assert.equal((await tagged('b,c', 't1')).status, 402);
        assert.equal((await tagged('c', 't1')).status, 200);
        const third = await tagged('d', 't1');
        assert.equal(third.status, 402);
        assert.equal(budgetOf(third)[0], 'trace');
        assert.equal((await tagged('d', 't2')).status, 200);
    });

    test('tokens and requests are counted as they are', async () => {
        await start([{ name: 'tokens', scope: 'team', limit: '450 tokens', window: 'hour' }, { name: 'calls', scope: 'team', limit: '3 requests', window: 'minute', mode: 'warn' }]);
        const bytes = JSON.parse(good('chat', { model: 'one', max_tokens: 20 }).body);
        assert.ok(JSON.stringify(bytes).length < 210);
        assert.equal((await call()).status, 200);
        assert.equal((await call()).status, 200);
        const third = await call();
        assert.equal(third.status, 200, '214 + at most 210 + 20');
        assert.equal((await call()).status, 402);
    });
});

describe('streams', () => {
    const events = async (exchange, count, pause = 0) => {
        await exchange.streamHead();
        await exchange.event(ROLE);
        for (let i = 0; i < count; i += 1) {
            await exchange.event(delta('many words of an answer that has no end '));
            if (pause > 0) {
                await new Promise((resolve) => setTimeout(resolve, pause));
            }
        }
    };

    test('one that stays within its cap ends as it should', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.01 USD', window: 'day' }]);
        upstream.play(async (exchange) => {
            await events(exchange, 3);
            await exchange.event(`${STOP}data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage })}\n\n${DONE}`);
            await exchange.streamEnd();
        });
        const answer = await call({ stream: true });
        assert.match(answer.body.toString(), /\[DONE\]/);
        const [record] = await records(1);
        assert.equal(record.charged_nusd, COST);
    });

    test('one that goes on beyond what was set aside is cut with the dialect\'s ending', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.001 USD', window: 'day' }]);
        upstream.play(async (exchange) => {
            await events(exchange, 400, 2).catch(() => {});
            await exchange.streamEnd().catch(() => {});
        });
        const answer = await call({ stream: true });
        const text = answer.body.toString();
        assert.equal(answer.status, 200);
        assert.match(text, /"code":"budget_exceeded"/);
        assert.doesNotMatch(text, /\[DONE\]/);
        const [record] = await records(1);
        assert.deepEqual([record.decision, record.budget, record.outcome, record.charge], ['cut', 'day', 'budget', 'cut']);
        assert.ok(record.flags.includes('cut'));
    });

    test('a lowered cap may be used up: what is held is paid for', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.004 USD', window: 'day' }]);
        upstream.play(async (exchange) => {
            const cap = exchange.request.json().max_tokens;
            await exchange.streamHead();
            await exchange.event(ROLE + delta('word ').repeat(cap - 20));
            for (let i = 0; i < 20; i += 1) {
                await exchange.event(delta('word '));
            }
            await exchange.event(STOP.replace('"stop"', '"length"'));
            await exchange.event(`data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage: { prompt_tokens: 100, completion_tokens: cap, total_tokens: 100 + cap } })}\n\n${DONE}`);
            await exchange.streamEnd();
        });
        const answer = await call({ stream: true, max_tokens: 4000 });
        const text = answer.body.toString();
        assert.ok(Number(header(answer, 'x-headgate-max-output-clamped')) >= 256);
        assert.match(text, /"finish_reason":"length"[^]*\[DONE\]/);
        assert.doesNotMatch(text, /budget_exceeded/);
        const [record] = await records(1);
        assert.deepEqual([record.decision, record.outcome, record.flags], ['clamp', 'ok', ['clamped']]);
        assert.ok(record.charged_nusd <= record.hold_nusd && record.charged_nusd > 2500000);
    });

    test('where the budget says so it may end, and the overrun is booked', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.001 USD', window: 'day', on_overrun: 'finish' }]);
        upstream.play(async (exchange) => {
            await events(exchange, 400);
            await exchange.event(`${STOP}data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage: { ...usage, completion_tokens: 400, total_tokens: 500 } })}\n\n${DONE}`);
            await exchange.streamEnd();
        });
        const answer = await call({ stream: true });
        assert.match(answer.body.toString(), /\[DONE\]/);
        const [record] = await records(1);
        assert.equal(record.charged_nusd, 4100000);
        assert.ok(record.flags.includes('overrun'));
        const [overrun] = await told('budget_overrun');
        assert.deepEqual([overrun.level, overrun.budget, overrun.booked], ['warn', 'day', '0.0041 USD']);
        assert.equal(nano(overrun.held), BigInt(record.hold_nusd));
        assert.equal((await call()).status, 402);
    });
});

describe('a ledger that goes away in a stream', () => {
    let redis;
    before(async () => { redis = new Redis(); });
    after(() => redis.remove());
    const streamed = async (budget, deltas) => {
        await redis.start();
        try {
            await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day', ...budget }],
                { ledger: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` } });
            upstream.play(async (exchange) => {
                await redis.stop();
                await exchange.streamHead();
                for (let i = 0; i < deltas && !exchange.socket.destroyed; i += 1) {
                    await exchange.event(delta('word ')).catch(() => {});
                    await new Promise((resolve) => setTimeout(resolve, deltas > 100 ? 10 : 0));
                }
                await exchange.event(`${STOP}${DONE}`).catch(() => {});
                await exchange.streamEnd().catch(() => {});
            });
            const answer = await call({ stream: true, max_tokens: 100 }, {}, 15000);
            await redis.start();
            const [record] = await records(1);
            return [/\[DONE\]/.test(answer.body.toString()), /budget_exceeded/.test(answer.body.toString()), record.decision, record.budget];
        } finally {
            await redis.stop();
        }
    };

    test('what is held may be used up', async () => {
        assert.deepEqual(await streamed({}, 95), [true, false, 'allow', undefined]);
    });
    test('beyond it a closed one cuts', async () => {
        assert.deepEqual(await streamed({}, 1000), [false, true, 'cut', 'day']);
    });
    test('an open one lets calls go out unasked, and says how many', async () => {
        await redis.start();
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day', on_failure: 'open' }],
            { ledger: { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` } });
        await redis.stop();
        for (let i = 0; i < 3; i += 1) {
            assert.equal((await call({}, {}, 15000)).status, 200);
        }
        const all = await records(3);
        assert.deepEqual(all.map((record) => record.flags), [['fail_open'], ['fail_open'], ['fail_open']]);
        assert.deepEqual((await told('budget_unasked')).map((line) => [line.level, line.calls]), [['error', 1]]);
    });
    test('an open one lets it go on', async () => {
        assert.deepEqual(await streamed({ on_failure: 'open' }, 400), [true, false, 'allow', undefined]);
    });
});

describe('a usage beyond belief', () => {
    test('is told of once in a while, and the hold is charged', async () => {
        await start([{ name: 'day', scope: 'team', limit: '1 USD', window: 'day' }]);
        upstream.play((exchange) => exchange.json({ ...said, usage: { prompt_tokens: 900000, completion_tokens: 7, total_tokens: 900007 } }));
        await call();
        await call();
        const all = await records(2);
        assert.ok(all.every((record) => record.charged_nusd === record.hold_nusd && record.flags.includes('usage_anomaly')));
        assert.deepEqual((await told('usage_disbelieved')).map((line) => [line.level, line.provider, line.model]), [['error', 'first', 'm']]);
    });
});

describe('hedges', () => {
    test('both are held, the loser settles, and each stream is cut by its own budget', async () => {
        await start([{ name: 'first', scope: 'provider:first', limit: '0.007 USD', window: 'day' },
            { name: 'second', scope: 'provider:second', limit: '1 USD', window: 'day', on_overrun: 'finish' }], { providers: {
            first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider },
            second: { kind: 'openai', base_url: `${upstream.origin}/second/v1`, credential: CANARY.anthropic },
        }, routes: {
            hedged: { targets: [{ provider: 'first', model: 'm' }, { provider: 'second', model: 'n' }], hedge: { after: `${patient(300)}ms` } } } });
        const counters = async () => {
            const answer = await ask(headgate.admin, { method: 'GET', target: '/admin/v1/budgets' });
            return Object.fromEntries(JSON.parse(answer.body.toString()).budgets.map((row) => [row.budget, row]));
        };
        upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(`${ROLE}${delta('many ').repeat(7)}${STOP}data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', choices: [], usage })}\n\n${DONE}`);
            await exchange.streamEnd();
        });
        for (let i = 0; i < 25; i += 1) { // a hedge is one call in twenty of the route
            assert.equal((await call({ model: 'hedged', stream: true })).status, 200);
        }
        let both;
        let hedged;
        const isHedged = new Promise((resolve) => { hedged = resolve; });
        upstream.play(async (exchange) => {
            if (exchange.request.target.startsWith('/second')) {
                hedged();
                return;
            }
            await isHedged;
            both = await counters();
            await exchange.streamHead();
            for (let i = 0; i < 1000 && !exchange.socket.destroyed; i += 1) {
                await exchange.event(delta('many words of an answer that has no end ')).catch(() => {});
            }
        });
        const answer = await call({ model: 'hedged', stream: true });
        assert.match(answer.body.toString(), /"code":"budget_exceeded"/);
        const all = await records(27);
        const of = (provider) => all.filter((record) => record.provider === provider);
        const [loser] = of('second');
        const winner = of('first').at(-1);
        assert.deepEqual([loser.outcome, loser.decision], ['hedge_lost', 'allow']);
        assert.deepEqual([winner.outcome, winner.decision, winner.budget], ['budget', 'cut', 'first']);
        assert.equal(both.second.held_nusd, loser.hold_nusd);
        assert.ok(both.first.held_nusd > 0 && loser.hold_nusd > 0);
        const now = await counters();
        for (const provider of ['first', 'second']) {
            assert.equal(now[provider].held_nusd, 0);
            assert.equal(now[provider].settled_nusd, of(provider).reduce((sum, record) => sum + (record.charged_nusd ?? 0), 0));
        }
    });
});

describe('what may be paid for twice', () => {
    test('a request that may have run is sent again only while that costs little', async () => {
        await start(undefined, { routes: {
            one: { targets: [{ provider: 'first', model: 'm' }] }, dear: { targets: [{ provider: 'first', model: 'dear' }] },
        } });
        upstream.play((exchange) => exchange.socket.destroy());
        const cheap = await call();
        assert.deepEqual([cheap.status, upstream.requests.length], [502, 2]);
        const dear = await call({ model: 'dear', max_tokens: 500 });
        assert.deepEqual([dear.status, upstream.requests.length], [502, 3]);
        assert.match((await headgate.callLine(dear)).tries ?? '', /^$|exposure_budget/);
        upstream.play(plays);
        for (let i = 0; i < 8; i += 1) { // 0.017 USD each
            assert.equal((await call({ model: 'dear' })).status, 200);
        }
    });
});

describe('nothing stays held', () => {
    test('apps that leave, providers that fail, calls that fail over', async () => {
        await start([{ name: 'day', scope: 'team', limit: '0.01 USD', window: 'day' }]);
        upstream.play((exchange) => exchange.request.target.startsWith('/second') ? exchange.json(said) : exchange.json({ error: { message: 'x' } }, 503));
        for (let i = 0; i < 5; i += 1) {
            await call({ model: 'two' });
            await call();
        }
        upstream.play(() => new Promise(() => {}));
        for (let i = 0; i < 5; i += 1) {
            const app = await App.connect(headgate.port);
            const before_ = upstream.requests.length;
            app.send(request(good('chat', { model: 'one', max_tokens: 20 })));
            await until(() => upstream.requests.length > before_ || headgate.callLines().length > 10 + i, 3000, 'the call arrives');
            app.socket.destroy();
        }
        await until(() => headgate.callLines().length === 15, 3000, 'all calls are over');
        await headgate.stop(); // where the ledger claims that nothing is held
        assert.equal(headgate.exited.code, 0, headgate.stderr.slice(-500));
        headgate = null;
    });
});
