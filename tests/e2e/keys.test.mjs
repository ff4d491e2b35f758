// SPDX-License-Identifier: Apache-2.0
// Callers' keys: who is let in and with what credential, what an owner may, what records and log say of
// it, a file of keys that changes under a running headgate, and the command that edits it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { App, ask } from './lib/app.mjs';
import { BINARY, CANARY, Headgate, environment, providersAt, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { KEY_SECRET, bearer, digestOf, newKey, ringOf, shown, withSum } from './lib/keys.mjs';
import { recordsIn } from './lib/records.mjs';
import { checkRefusal, errorOf } from './lib/rows.mjs';
import { GOOD, good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, request, until } from './lib/wire.mjs';

requireBinary();

const DAY = 24 * 3600 * 1000;
const day = (days) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
const TOKEN = 'token-of-operators-for-keys';

const RING = ringOf({
    ci: { team: 'growth', user: 'build', tags: ['batch', 'night'] },
    open: {},
    limited: { routes: ['smart'] },
    pattern: { models: ['gpt-*'] },
    embedder: { operations: ['embeddings'] },
    thrifty: { tiers: ['flex'] },
    away: { addresses: ['10.0.0.0/8'] },
    home: { addresses: ['127.0.0.0/8'] },
    stopped: { team: 'idle' },
    revoked: { revoked: true },
    expired: { expires: day(-1) },
    early: { not_before: day(2) },
    asked: { user: 'from_request', team: 'growth' },
});
const { texts } = RING;

let upstream;
let headgate;

before(async () => {
    upstream = await Upstream.start();
    upstream.play(healthy);
    headgate = await Headgate.start({
        providers: providersAt(upstream),
        routes: {
            smart: { match: { models: ['smart-*'] }, targets: [{ provider: 'openai', model: 'gpt-4o' }] },
            secret: { targets: [{ provider: 'openai', model: 'gpt-4o' }] },
            claude: { targets: [{ provider: 'anthropic' }] },
        },
        tasks: { hidden: 'secret', shown: 'smart' },
        key_secret: KEY_SECRET,
        keys: RING.keys,
        teams: { idle: { disabled: true } },
    }, { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
});
// No key, digest or secret is ever told, neither by the log nor by what is kept.
const SECRETS = () => [...Object.values(texts), KEY_SECRET, TOKEN];
afterEach(() => {
    if (headgate.exited?.code !== 0) { // some tests stop it themselves
        headgate.check();
        upstream.check();
        for (const secret of SECRETS()) {
            assert.ok(!headgate.stderr.includes(secret), 'a key is in the log');
        }
    }
});

// From an address of its own, so that no test is put off by what another did.
let nextAddress = 2;
async function askFrom(what, from = `127.0.1.${(nextAddress += 1)}`, port = headgate.port) {
    const app = await App.connect(port, { from });
    try {
        app.send(request(what));
        return await app.answer();
    } finally {
        app.close();
    }
}

const call = (headers, operation = 'chat', more = {}, extra = {}) =>
    askFrom({ ...good(operation, more), ...extra, headers });

async function refused(answer, status, code) {
    checkRefusal(answer, { status, code });
    const line = await headgate.callLine(answer);
    assert.equal(line.reason, code);
    return line;
}

describe('credentials', () => {
    test('BA01 none: 401 missing_key', async () => {
        const before = upstream.requests.length;
        for (const headers of [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { 'x-api-key': '' }]) {
            const answer = await call(headers);
            await refused(answer, 401, 'missing_key');
            assert.equal(header(answer, 'www-authenticate'), 'Bearer');
        }
        const claude = await call({ 'anthropic-version': '2023-06-01' }, 'messages');
        assert.equal(errorOf(claude, 'anthropic').type, 'authentication_error');
        assert.equal(upstream.requests.length, before);
    });

    const carriers = {
        'Authorization: Bearer': (key) => ({ Authorization: `Bearer ${key}` }),
        'x-api-key': (key) => ({ 'x-api-key': key }),
        'x-goog-api-key': (key) => ({ 'x-goog-api-key': key }),
        'api-key': (key) => ({ 'api-key': key }),
        'BA02 bearer in lower case': (key) => ({ authorization: `bearer ${key}` }),
    };
    for (const [name, make] of Object.entries(carriers)) {
        for (const operation of ['chat', 'messages']) {
            test(`${name} opens ${operation}, and goes no further`, async () => {
                const before = upstream.requests.length;
                const answer = await call(make(texts.open), operation);
                assert.equal(answer.status, 200, answer.body.toString());
                const [sent] = upstream.requests.slice(before);
                assert.ok(!sent.head.includes(texts.open) && !sent.body.includes(texts.open), 'BH34');
                const own = operation === 'chat' ? header(sent, 'authorization') : header(sent, 'x-api-key');
                assert.equal(own, operation === 'chat' ? `Bearer ${CANARY.provider}` : CANARY.anthropic);
            });
        }
    }
    test('?key= opens, and goes no further', async () => {
        const before = upstream.requests.length;
        const answer = await call({}, 'chat', {}, { target: `/v1/chat/completions?key=${texts.open}&beta=true` });
        assert.equal(answer.status, 200);
        assert.equal(upstream.requests[before].target, '/v1/chat/completions?beta=true');
    });

    test('BA02 other forms of Authorization: 401', async () => {
        const key = texts.open;
        for (const value of [`Basic ${Buffer.from(`user:${key}`).toString('base64')}`, `Bearer  ${key}`, `Bearer\t${key}`,
            key, `Token ${key}`, `Bearer ${key} ${key}`, `Bearer ${key}, Bearer ${key}`]) {
            await refused(await call({ Authorization: value }), 401, 'invalid_key');
        }
    });

    test('BA03 BA08 one and the same no, whatever is wrong', async () => {
        const wrong = {
            unknown: newKey(),
            mistyped: `${texts.open.slice(0, -1)}${texts.open.endsWith('a') ? 'b' : 'a'}`,
            revoked: texts.revoked, expired: texts.expired, not_yet_valid: texts.early,
        };
        const seen = new Set();
        for (const [fault, key] of Object.entries(wrong)) {
            const answer = await call(bearer(key));
            const line = await refused(answer, 401, 'invalid_key');
            assert.equal(line.key_fault, fault);
            assert.equal(line.credential, shown(key));
            assert.equal(line.key, { revoked: 'revoked', expired: 'expired', not_yet_valid: 'early' }[fault]);
            seen.add(`${answer.body.toString()} ${answer.head.toString().length}`);
        }
        assert.equal(seen.size, 1, [...seen].join('\n'));
    });

    test('BA04 anything that is no key: 401', async () => {
        for (const key of ['x', 'y'.repeat(8192), 'sch\u00fcssel', '"quoted"', '%00%0a', "'; DROP TABLE keys; --", '${HEADGATE_KEY_SECRET}',
            `${texts.open}x`, texts.open.slice(1), texts.open.toUpperCase()]) {
            await refused(await call({ 'x-api-key': key }), 401, 'invalid_key');
        }
        const answer = await call({ 'x-api-key': `${texts.open}\0` });
        checkRefusal(answer, { status: [400, 401] });
    });

    test('BA05 of two credentials Authorization counts, told once', async () => {
        assert.equal((await call({ ...bearer(texts.open), 'x-api-key': newKey() })).status, 200);
        await refused(await call({ ...bearer(newKey()), 'x-api-key': texts.open }), 401, 'invalid_key');
        assert.equal((await call({ Authorization: 'Bearer', 'x-api-key': texts.open })).status, 200);
        await call({ ...bearer(texts.open), 'api-key': texts.ci });
        assert.equal(headgate.lines().filter((line) => line.event === 'two_credentials').length, 1);
    });

    test('BA06 two Authorization lines: 400, and the connection ends', async () => {
        const app = await App.connect(headgate.port);
        app.send(request({ ...good(), headers: [['Authorization', `Bearer ${texts.open}`], ['Authorization', `Bearer ${texts.open}`]] }));
        checkRefusal(await app.answer(), { status: 400, code: 'bad_header' });
        assert.equal(await app.closed(), 'fin');
    });

    // In a headgate of its own: addresses share their counts, some with some.
    test('BA07 after 20 wrong ones in a minute 429; the right key of the same address is served', async () => {
        const own = await Headgate.start({ providers: providersAt(upstream), key_secret: KEY_SECRET, keys: RING.keys.filter(({ routes }) => !routes) });
        const from = (address, headers) => askFrom({ ...good(), headers }, address, own.port);
        const near = Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => withSum(texts.open.slice(0, -7) + letter)).filter((key) => key !== texts.open);
        for (let i = 0; i < 20; i += 1) {
            checkRefusal(await from('127.0.2.1', bearer(near[i])), { status: 401, code: 'invalid_key' });
        }
        const late = await from('127.0.2.1', bearer(newKey()));
        checkRefusal(late, { status: 429, code: 'too_many_wrong_keys' });
        const wait = Number(header(late, 'retry-after'));
        assert.ok(wait >= 1 && wait <= 60, `${wait}`);
        assert.equal((await from('127.0.2.1', bearer(texts.open))).status, 200);
        checkRefusal(await from('127.0.2.2', bearer(newKey())), { status: 401 });
        checkRefusal(await from('127.0.2.1', {}), { status: 401, code: 'missing_key' });
        await own.stop();
    });

    test('BA16 a secret of ours as key: 401 and an alarm without it', async () => {
        await refused(await call(bearer(CANARY.provider)), 401, 'invalid_key');
        const [alarm] = headgate.lines().filter((line) => line.event === 'foreign_credential');
        assert.equal(alarm.owner, 'openai');
        assert.equal(alarm.credential, shown(CANARY.provider));
        assert.equal(alarm.level, 'warn');
        await refused(await call(bearer(CANARY.anthropic)), 401, 'invalid_key');
        assert.equal(headgate.lines().filter((line) => line.event === 'foreign_credential').length, 1, 'now and then');
    });

    test('BA13 no key opens the listener of operators, nor their token that of apps', async () => {
        checkRefusal(await ask(headgate.admin, { method: 'GET', target: '/admin/v1/status', headers: bearer(texts.open) }), { status: 401 });
        await refused(await call(bearer(TOKEN)), 401, 'invalid_key');
    });

    test('a stranger learns nothing else, and leaves no record', async () => {
        for (const what of [{ ...good(), headers: { 'x-headgate-tags': ',,' } }, { ...good(), headers: { 'content-encoding': 'gzip' } },
            { ...good(), body: '', headers: { 'content-type': 'text/plain' } }, { method: 'GET', target: '/v1/models' }]) {
            checkRefusal(await askFrom(what), { status: 401, code: 'missing_key' });
        }
        const big = await askFrom({ ...good(), headers: { 'content-length': '99999999999' }, length: false });
        checkRefusal(big, { status: 401 });
        await until(() => recordsIn(path.join(headgate.dir, 'state')).length > 0, 3000, 'records');
        for (const record of recordsIn(path.join(headgate.dir, 'state'))) {
            assert.ok(!['missing_key', 'invalid_key', 'too_many_wrong_keys'].includes(record.reason), JSON.stringify(record));
        }
    });

    test('health pages need no key', async () => {
        for (const target of ['/livez', '/healthz', '/readyz']) {
            assert.equal((await ask(headgate.port, { method: 'GET', target })).status, 200, target);
        }
    });

    test('any Host is served: a page in a browser has no key', async () => {
        const answer = await call(bearer(texts.open), 'chat', {}, { host: 'gateway.example' });
        assert.equal(answer.status, 200);
    });
});

describe('what a key may', () => {
    test('BA09 a disabled team: 403', async () => {
        const line = await refused(await call(bearer(texts.stopped)), 403, 'team_disabled');
        assert.equal(line.key, 'stopped');
        const claude = await call({ 'x-api-key': texts.stopped }, 'messages');
        assert.equal(errorOf(claude, 'anthropic').type, 'permission_error');
    });

    test('BA11 another path than those of the key: 403', async () => {
        await refused(await call(bearer(texts.embedder)), 403, 'not_allowed');
        checkRefusal(await call(bearer(texts.embedder), 'messages'), { status: 403, dialect: 'anthropic', type: 'permission_error' });
        assert.equal((await call(bearer(texts.embedder), 'embeddings')).status, 200);
    });

    test('BS16 a service tier that is not for the key: 403, before a provider hears of it', async () => {
        const asked = upstream.requests.length;
        for (const body of [{ service_tier: 'priority' }, { service_tier: 'fast' }]) {
            await refused(await call(bearer(texts.thrifty), 'chat', body), 403, 'tier_not_allowed');
            await refused(await call(bearer(texts.thrifty), 'responses', body), 403, 'tier_not_allowed');
        }
        for (const body of [{ speed: 'fast' }, { service_tier: 'priority' }]) {
            checkRefusal(await call({ 'x-api-key': texts.thrifty }, 'messages', body), { status: 403, dialect: 'anthropic', type: 'permission_error' });
        }
        for (const name of ['serviceTier', 'service_tier']) { // Gemini takes both spellings
            const answer = await askFrom({ target: '/v1beta/models/gpt-4o:generateContent', headers: { 'content-type': 'application/json', 'x-goog-api-key': texts.thrifty },
                body: JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }], [name]: 'priority' }) });
            assert.equal(answer.status, 403, name);
            assert.equal(JSON.parse(answer.body).error.status, 'PERMISSION_DENIED');
        }
        const spelt = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] });
        const hidden = `${spelt.slice(0, -1)},"service_ti\\u0065r":"pri\\u006frity"}`;
        await refused(await askFrom({ ...good(), body: hidden, headers: { ...good().headers, ...bearer(texts.thrifty) } }), 403, 'tier_not_allowed');
        assert.equal(upstream.requests.length, asked);
        for (const body of [{ service_tier: 'flex' }, { service_tier: 'auto' }, { service_tier: null }, {}]) {
            assert.equal((await call(bearer(texts.thrifty), 'chat', body)).status, 200, JSON.stringify(body));
        }
        assert.equal((await call(bearer(texts.open), 'chat', { service_tier: 'priority' })).status, 200);
        // What is passed on unread may name any tier, and be no JSON at all.
        const unread = { method: 'POST', target: '/v1/batches', headers: { ...good().headers, ...bearer(texts.thrifty) }, body: '{"\\u":1}' };
        await refused(await askFrom(unread), 403, 'not_allowed');
    });

    test('BA12 from elsewhere: 403', async () => {
        await refused(await call(bearer(texts.away)), 403, 'address_not_allowed');
        assert.equal((await call(bearer(texts.home))).status, 200);
    });

    test('BA10 a model that is not for the key is not there', async () => {
        const text = (answer, name) => answer.body.toString().replaceAll(name, 'NAME');
        for (const [key, there, absent] of [['limited', 'secret', 'nobody'], ['limited', 'gpt-4o', 'gpt-9x'], ['pattern', 'secret', 'nobody'],
            ['pattern', 'openai/o3', 'openai/o9']]) {
            const one = await call(bearer(texts[key]), 'chat', { model: there });
            const other = await call(bearer(texts[key]), 'chat', { model: absent });
            await refused(one, 404, 'model_not_found');
            await refused(other, 404, 'model_not_found');
            assert.equal(text(one, there), text(other, absent), 'no oracle');
        }
        for (const model of ['smart', 'smart-1']) {
            assert.equal((await call(bearer(texts.limited), 'chat', { model })).status, 200, model);
        }
        assert.equal((await call(bearer(texts.pattern), 'chat', { model: 'gpt-4o' })).status, 200);
    });

    test('BA10 nor by x-headgate-route or x-headgate-task', async () => {
        const by = (name, value, key = 'limited') => call({ ...bearer(texts[key]), [name]: value }, 'chat', { model: 'gpt-4o' });
        assert.equal((await by('x-headgate-route', 'smart')).status, 200);
        assert.equal((await by('x-headgate-task', 'shown')).status, 200);
        await refused(await by('x-headgate-route', 'secret'), 404, 'route_not_found');
        await refused(await by('x-headgate-route', 'nobody'), 404, 'route_not_found');
        await refused(await by('x-headgate-task', 'hidden'), 404, 'task_not_found');
        assert.equal((await by('x-headgate-route', 'secret', 'open')).status, 200);
    });

    test('BA10 no suggestion gives a name away', async () => {
        const near = async (key, model) => (await call(bearer(texts[key]), 'chat', { model })).body.toString();
        assert.match(await near('limited', 'smrt'), /did you mean smart/);
        for (const model of ['secrt', 'hiden', 'claud']) {
            assert.doesNotMatch(await near('limited', model), /did you mean/, model);
        }
    });

    test('a path that names no model is not for a key with limits', async () => {
        const files = { method: 'GET', target: '/v1/files' };
        assert.equal((await askFrom({ ...files, headers: bearer(texts.open) })).status, 200);
        await refused(await askFrom({ ...files, headers: bearer(texts.limited) }), 403, 'not_allowed');
        await refused(await askFrom({ ...files, headers: bearer(texts.pattern) }), 403, 'not_allowed');
    });

    test('the list of models holds what the key may use', async () => {
        const listed = async (key) => {
            const answer = await askFrom({ method: 'GET', target: '/v1/models', headers: bearer(texts[key]) });
            assert.equal(answer.status, 200);
            return JSON.parse(answer.body).data.map((model) => model.id);
        };
        for (let twice = 0; twice < 2; twice += 1) { // asked of the provider, then as it is kept
            assert.deepEqual(await listed('open'), ['smart', 'secret', 'claude', 'lab-model']); // also what is translated
            assert.deepEqual(await listed('limited'), ['smart']);
            assert.deepEqual(await listed('pattern'), []);
            assert.deepEqual(await listed('embedder'), ['smart', 'secret', 'claude', 'lab-model']);
        }
    });
});

describe('whose call it is', () => {
    const recordOf = (answer) => until(() => recordsIn(path.join(headgate.dir, 'state'))
        .find((record) => record.call_id === header(answer, 'x-headgate-call-id')), 3000, 'the record');

    test('records and lines say key, team, user and tags', async () => {
        const answer = await call({ ...bearer(texts.ci), 'x-headgate-tags': 'web, batch' });
        const record = await recordOf(answer);
        assert.deepEqual([record.key, record.team, record.user, record.tags], ['ci', 'growth', 'build', ['batch', 'night', 'web']]);
        const line = await headgate.callLine(answer);
        assert.deepEqual([line.key, line.team, line.user, line.tags], ['ci', 'growth', 'build', 'batch,night,web']);
        const plain = await recordOf(await call(bearer(texts.open)));
        assert.deepEqual([plain.key, plain.team, plain.user, plain.tags], ['open', 'default', undefined, undefined]);
    });

    test('BA14 what a body or a header says of users and teams changes nothing', async () => {
        const headers = { ...bearer(texts.ci), 'x-headgate-team': 'other', 'x-headgate-user': 'other', 'x-headgate-key': 'open' };
        for (const [operation, more] of [['chat', { user: 'other' }], ['messages', { metadata: { user_id: 'other' } }]]) {
            const before = upstream.requests.length;
            const record = await recordOf(await call(headers, operation, more));
            assert.deepEqual([record.key, record.team, record.user], ['ci', 'growth', 'build']);
            assert.ok(upstream.requests[before].body.includes('other'), 'the body is left as it is');
        }
    });

    test('BA15 from_request: whom each request names, from the first and at once', async () => {
        const all = await Promise.all(Array.from({ length: 50 }, () => call(bearer(texts.asked), 'chat', { user: 'new user' })));
        for (const answer of all) {
            assert.equal(answer.status, 200);
            const record = await recordOf(answer);
            assert.deepEqual([record.key, record.team, record.user], ['asked', 'growth', 'new user']);
        }
        for (const [operation, more, user] of [['chat', { user: 'a"b\u00e9' }, 'a"b\u00e9'], ['responses', { user: 'x' }, 'x'], ['embeddings', { user: 'e' }, 'e'],
            ['messages', { metadata: { user_id: 'm' } }, 'm'], ['chat', { user: 5 }, undefined], ['chat', {}, undefined], ['chat', { user: '' }, undefined]]) {
            assert.equal((await recordOf(await call(bearer(texts.asked), operation, more))).user, user);
        }
        for (const user of ['x'.repeat(257), 'a\nb', '\u0000']) {
            checkRefusal(await call(bearer(texts.asked), 'chat', { user }), { status: 400, code: ['invalid_value', 'invalid_json'] });
        }
    });

    test('BA17 a key in the model, the prompt or metadata passes and is not told', async () => {
        const key = newKey();
        texts.inside = key;
        const before = upstream.requests.length;
        const answer = await call(bearer(texts.open), 'chat', { messages: [{ role: 'user', content: key }], metadata: { key } });
        assert.equal(answer.status, 200);
        assert.ok(upstream.requests[before].body.includes(key));
        await recordOf(answer);
        assert.ok(!JSON.stringify(recordsIn(path.join(headgate.dir, 'state'))).includes(key));
    });

    test('BA19 every answer says no-store', async () => {
        const rows = [call(bearer(texts.open)), call(bearer(texts.open), 'chat', { stream: true }), call(bearer(texts.open), 'messages'), call({}),
            call(bearer(texts.limited)), askFrom({ method: 'GET', target: '/v1/models', headers: bearer(texts.open) }),
            askFrom({ method: 'GET', target: '/v1/files', headers: bearer(texts.open) }), askFrom({ method: 'GET', target: '/nothing', headers: bearer(texts.open) }),
            ask(headgate.port, { method: 'GET', target: '/livez' })];
        for (const answer of await Promise.all(rows)) {
            assert.match(header(answer, 'cache-control') ?? '', /(^|, )no-store$/, answer.line);
        }
    });

    test('metrics, pages and records hold no key', async () => {
        for (const target of ['/admin/v1/status', '/admin/v1/targets', '/health', '/readyz?verbose']) {
            const page = await ask(headgate.admin, { method: 'GET', target, headers: bearer(TOKEN) });
            for (const secret of SECRETS()) {
                assert.ok(!page.body.includes(secret), target);
            }
        }
        const journal = JSON.stringify(recordsIn(path.join(headgate.dir, 'state')));
        for (const secret of SECRETS()) {
            assert.ok(!journal.includes(secret));
        }
    });
});

// ---- a file of keys ----

// Polling is guessing, too: after 20 wrong ones the no has another number.
const isNo = (status) => status === 401 || status === 429;

const SETTINGS = (file, more = {}) => ({ key_secret: '${HEADGATE_KEY_SECRET}', keys: { file }, ...more });

async function withFile(content, act, more = {}) {
    const dir = temporary();
    const file = path.join(dir, 'keys.yaml');
    const put = (text, name = file) => {
        fs.writeFileSync(`${name}.tmp`, text, { mode: 0o600 });
        fs.renameSync(`${name}.tmp`, name);
    };
    put(content);
    const own = await Headgate.start({ providers: providersAt(upstream), ...SETTINGS(file, more) }, { env: { HEADGATE_KEY_SECRET: KEY_SECRET } });
    try {
        await act({ headgate: own, file, put, dir,
            served: async (key) => (await ask(own.port, { ...good(), headers: bearer(key) })).status });
        await own.stop();
    } finally {
        await own.kill();
        fs.rmSync(dir, { recursive: true, force: true });
    }
}

const fileOf = (...entries) => `version: 1\nkeys:\n${entries.map((entry) => `  - ${JSON.stringify(entry)}\n`).join('')}`;
const entry = (name, key, more = {}) => ({ name, digest: digestOf(key), ...more });

describe('a file of keys under a running headgate', () => {
    test('is followed within 2 s, for new calls on old connections too', async () => {
        const [one, two, three] = [newKey(), newKey(), newKey()];
        await withFile(fileOf(entry('one', one)), async ({ headgate: own, put, served }) => {
            assert.equal(await served(one), 200);
            assert.ok(isNo(await served(two)));
            const app = await App.connect(own.port);
            const again = async () => {
                app.send(request({ ...good(), headers: bearer(one) }));
                return (await app.answer()).status;
            };
            assert.equal(await again(), 200);
            put(fileOf(entry('one', one), entry('two', two)));
            await until(async () => await served(two) === 200, 2000, 'the new key');
            put(fileOf(entry('one', one, { revoked: true }), entry('two', two)));
            await until(async () => isNo(await again()), 2000, 'the revocation');
            assert.ok(app.isOpen);
            put(fileOf(entry('two', two), entry('three', three)));
            await until(async () => await served(three) === 200, 2000, 'a third one');
            assert.ok(isNo(await served(one)));
            assert.equal(await served(two), 200);
            app.close();
        });
    });

    test('bad, half written, empty or gone: the old keys stay, told once', async () => {
        const one = newKey();
        const whole = fileOf(entry('one', one));
        await withFile(whole, async ({ headgate: own, file, put, served }) => {
            const told = () => own.lines().filter((line) => line.event === 'keys_refused');
            let count = 0;
            for (const [text, words] of [[whole.slice(0, whole.length - 20), /keys\.yaml:3:/], ['', /keys\.yaml:/], ['version: 1\nkeys:\n  - { name: one }\n', /keys\.yaml:3:5: "digest" is missing/],
                [null, /No such file/], ['version: 1\nkeys: [\n', /keys\.yaml:/]]) {
                if (text === null) {
                    fs.unlinkSync(file);
                } else {
                    put(text);
                }
                count += 1;
                await until(() => told().length === count, 3000, `what is wrong with ${text}`);
                assert.match(told().at(-1).msg, words);
                assert.equal(told().at(-1).level, 'error');
                assert.equal(await served(one), 200);
            }
            await new Promise((resolve) => setTimeout(resolve, 1500)); // nothing more is said
            assert.equal(told().length, count);
            put(fileOf());
            await until(() => own.lines().some((line) => line.event === 'keys_refused' && /keys is empty|must be a list/.test(line.msg)), 3000, 'a list is wanted');
            put('version: 1\nkeys: []\n');
            await until(async () => isNo(await served(one)), 2000, 'no keys at all: nobody may call');
        });
    });

    test('a running call of a revoked key ends as it began', async () => {
        const one = newKey();
        await withFile(fileOf(entry('one', one)), async ({ headgate: own, put, served }) => {
            let release;
            upstream.play(async (exchange) => {
                await new Promise((resolve) => { release = resolve; });
                await healthy(exchange);
            });
            const app = await App.connect(own.port);
            app.send(request({ ...good(), headers: bearer(one) }));
            await until(() => release, 3000, 'the call at the provider');
            upstream.play(healthy);
            put('version: 1\nkeys: []\n');
            await until(async () => isNo(await served(one)), 2000, 'the revocation');
            release();
            assert.equal((await app.answer()).status, 200);
            app.close();
        });
    });

    test('SIGHUP reads keys and teams of the configuration, too', async () => {
        const [one, two] = [newKey(), newKey()];
        await withFile(fileOf(entry('one', one, { team: 'growth' })), async ({ headgate: own, served }) => {
            const settings = JSON.parse(fs.readFileSync(own.file));
            const again = async (change) => {
                const before = own.lines().filter((line) => line.event === 'reloaded').length;
                fs.writeFileSync(own.file, JSON.stringify({ ...settings, ...change }));
                own.signal('SIGHUP');
                await until(() => own.lines().filter((line) => line.event === 'reloaded').length > before, 5000, 'reloaded');
            };
            assert.equal(await served(one), 200);
            await again({ teams: { growth: { disabled: true } } });
            assert.equal(await served(one), 403);
            await again({ keys: [entry('two', two)] });
            assert.ok(isNo(await served(one)));
            assert.equal(await served(two), 200);
            await again({ keys: undefined });
            assert.ok(isNo(await served('anything')), 'keys do not go while it runs');
            assert.ok(own.lines().some((line) => line.event === 'keys_wait'));
        });
    });

    test('rotation: both hold until the old one does no more', async () => {
        const [old, fresh] = [newKey(), newKey()];
        const until2s = new Date(Date.now() + 2500).toISOString();
        await withFile(fileOf(entry('one', fresh, { previous: { digest: digestOf(old), until: until2s } })), async ({ served }) => {
            assert.equal(await served(fresh), 200);
            assert.equal(await served(old), 200);
            await until(async () => isNo(await served(old)), 4000, 'the end of the old one');
            assert.equal(await served(fresh), 200);
        });
    });
});

describe('the start', () => {
    test('without keys it says that it is open on loopback', async () => {
        const own = await Headgate.start({ providers: providersAt(upstream) });
        assert.ok(own.lines().some((line) => line.event === 'open_loopback'));
        assert.equal((await ask(own.port, good())).status, 200);
        await own.stop();
    });
    const rows = {
        'keys without key_secret': [{ keys: [] }, /keys need key_secret/],
        'keys beside passthrough': [{ key_secret: KEY_SECRET, keys: [], providers: { openai: { kind: 'openai', credential: 'passthrough' } } }, /passthrough would send callers' keys/],
        'BC12 a file that is not there': [{ key_secret: KEY_SECRET, keys: { file: './none.yaml' } }, /No such file/],
        'BC12 a folder': [{ key_secret: KEY_SECRET, keys: { file: '/' } }, /not a regular file/],
        'BC12 a device': [{ key_secret: KEY_SECRET, keys: { file: '/dev/zero' } }, /not a regular file/],
        'BC11 a secret with a line end': [{ key_secret: `${KEY_SECRET}\n`, keys: [] }, /begins or ends with a blank/],
        'a listener beyond loopback': [{ listen: '0.0.0.0:0' }, /can be reached by others/],
    };
    for (const [name, [settings, words]] of Object.entries(rows)) {
        test(`${name} is refused`, async () => {
            const dir = temporary();
            const file = path.join(dir, 'headgate.yaml');
            fs.writeFileSync(file, JSON.stringify({ version: 1, providers: { openai: { kind: 'openai', credential: 'x' } }, ...settings }));
            const { code, stderr } = await runToEnd(['check', '-c', file]);
            assert.equal(code, 78);
            assert.match(stderr, words);
            assert.ok(!stderr.includes(KEY_SECRET));
            fs.rmSync(dir, { recursive: true, force: true });
        });
    }
    test('BC12 a FIFO does not hang it', async () => {
        const dir = temporary();
        execFileSync('mkfifo', [path.join(dir, 'keys')]);
        fs.writeFileSync(path.join(dir, 'headgate.yaml'), JSON.stringify({ version: 1, providers: { openai: { kind: 'openai', credential: 'x' } }, key_secret: KEY_SECRET, keys: { file: './keys' } }));
        const { code, stderr } = await runToEnd(['check', '-c', path.join(dir, 'headgate.yaml')], { ms: 5000 });
        assert.equal(code, 78);
        assert.match(stderr, /not a regular file/);
        fs.rmSync(dir, { recursive: true, force: true });
    });
});

// ---- the command ----

describe('headgate key', () => {
    let dir;
    let file;
    const config = (more = {}) => fs.writeFileSync(path.join(dir, 'headgate.yaml'), JSON.stringify({
        version: 1, providers: { openai: { kind: 'openai', credential: 'x' } }, routes: { smart: { targets: [{ provider: 'openai' }] } },
        key_secret: '${HEADGATE_KEY_SECRET}', keys: { file: './keys.yaml' }, ...more }));
    const key = (...args) => runToEnd(['key', ...args], { cwd: dir, env: { HEADGATE_KEY_SECRET: KEY_SECRET } });
    const good0 = async (...args) => {
        const done = await key(...args);
        assert.equal(done.code, 0, done.stderr);
        return done.stdout.trim();
    };
    const checked = async (text) => {
        const child = spawn(BINARY, ['key', 'check'], { cwd: dir, env: environment({ HEADGATE_KEY_SECRET: KEY_SECRET }), stdio: ['pipe', 'pipe', 'inherit'] });
        child.stdin.end(text);
        let out = '';
        child.stdout.on('data', (piece) => { out += piece; });
        const code = await new Promise((resolve) => child.once('close', resolve));
        return `${code} ${out.trim()}`;
    };
    before(() => {
        dir = temporary();
        file = path.join(dir, 'keys.yaml');
        config();
    });
    after(() => fs.rmSync(dir, { recursive: true, force: true }));
    const fresh = (text) => {
        fs.rmSync(file, { force: true });
        if (text !== undefined) {
            fs.writeFileSync(file, text, { mode: 0o640 });
        }
    };

    test('create, list, check, rotate, revoke', async () => {
        fresh();
        const made = await good0('create', 'ci', '--team', 'growth', '--user', 'build', '--tag', 'batch', '--tag=night', '--route', 'smart',
            '--model', 'gpt-*', '--expires', '2099-01-31', '--address', '10.0.0.0/8', '--operation', 'chat', '--tier', 'flex');
        assert.match(made, /^hg_[0-9A-Za-z]{8}_[0-9A-Za-z]{34}$/);
        assert.equal(withSum(made.slice(0, -6)), made, 'its checksum');
        const text = fs.readFileSync(file, 'utf8');
        assert.ok(text.includes(digestOf(made)) && !text.includes(made), 'kept as a digest');
        assert.equal(fs.statSync(file).mode & 0o777, 0o600);
        const list = JSON.parse(await good0('list', '--json')).keys;
        assert.deepEqual(list, [{ name: 'ci', id: made.slice(3, 11), team: 'growth', user: 'build', tags: ['batch', 'night'], routes: ['smart'],
            models: ['gpt-*'], operations: ['chat'], tiers: ['flex'], expires: '2099-01-31T00:00:00.000Z', state: 'good', rotating: false, team_disabled: false }]);
        const table = await good0('list');
        assert.match(table, /^NAME +PREFIX +TEAM +USER +EXPIRES +STATE\nci +hg_\w{8} +growth +build +2099-01-31 +valid$/);
        assert.ok(!table.includes('hmac') && !(await good0('list', '--json')).includes('hmac'));
        assert.equal(await checked(`${made}\n`), '0 ci: good');
        assert.equal(await checked(newKey()), '2 unknown');
        assert.equal(await checked(`${made.slice(0, -1)}_`), '2 mistyped');
        const second = JSON.parse(await good0('rotate', 'ci', '--grace', '1h', '--json')).key;
        assert.deepEqual([await checked(made), await checked(second)], ['0 ci: good', '0 ci: good']);
        assert.deepEqual(JSON.parse(await good0('list', '--json')).keys.map((one) => [one.state, one.rotating]), [['good', true]]);
        assert.match(await good0('list'), / valid, rotating$/);
        const third = await good0('rotate', 'ci');
        assert.deepEqual([await checked(made), await checked(second), await checked(third)], ['2 unknown', '2 ci: expired', '0 ci: good']);
        await good0('revoke', 'ci');
        assert.equal(await checked(third), '2 ci: revoked');
        await good0('revoke', 'ci');
        assert.equal((await key('rotate', 'ci')).code, 64);
        assert.equal(JSON.parse(await good0('list', '--json')).keys[0].state, 'revoked');
    });

    const written = {
        'block style with comments': '# Ours.\nversion: 1\nkeys:\n  # the first\n  - name: one   # its name\n    digest: "DIGEST"\n    team: growth\n\n  - name: two\n    digest: OTHER\nteams:\n  # gone\n  growth: { disabled: true }\n',
        'without indent': 'version: 1\nkeys:\n- {name: one, digest: "DIGEST"}\n- {name: two, digest: "OTHER"}\n',
        'flow style': 'version: 1\nkeys: [ { name: one, digest: "DIGEST" }, { name: two, digest: "OTHER" } ]\n',
        'JSON': '{"version": 1, "keys": [{"name": "one", "digest": "DIGEST"},{"name":"two","digest":"OTHER"}]}',
        'other alphabets': 'version: 1\n# caf\u00e9 \u65e5\u672c\nkeys:\n  - { user: "J\u00fcrgen \u00c5", name: one, digest: "DIGEST" }\n  - { name: two, digest: "OTHER" } # \u00df\n',
        'with the previous one below': 'version: 1\nkeys:\n  - name: one\n    previous:\n      until: 2099-01-01\n      # kept\n      digest: "OLD"\n    digest: "DIGEST"\n  - name: two\n    digest: "OTHER"\n',
    };
    for (const [name, text] of Object.entries(written)) {
        test(`a file in ${name} keeps all that is not changed`, async () => {
            const [one, two, old] = [newKey(), newKey(), newKey()];
            fresh(text.replace('DIGEST', digestOf(one)).replace('OTHER', digestOf(two)).replace('OLD', digestOf(old)));
            const kept = text.split('\n').map((line) => line.trim()).filter((line) => line.startsWith('#'));
            const made = await good0('create', 'new', '--user', 'a "quoted" \\ one');
            const next = await good0('rotate', 'one', '--grace', '1h');
            await good0('revoke', 'two');
            const states = [await checked(made), await checked(next), await checked(one), await checked(two)];
            assert.deepEqual(states, ['0 new: good', '0 one: good', '0 one: good', '2 two: revoked']);
            const after = fs.readFileSync(file, 'utf8');
            for (const comment of kept) {
                assert.ok(after.includes(comment), `${comment}\n${after}`);
            }
            assert.equal(fs.statSync(file).mode & 0o777, 0o640, 'its mode');
            assert.equal(JSON.parse(await good0('list', '--json')).keys.find((one) => one.name === 'new').user, 'a "quoted" \\ one');
            assert.deepEqual(fs.readdirSync(dir).sort(), ['headgate.yaml', 'keys.yaml']);
        });
    }

    test('what cannot be done is said, and nothing changes', async () => {
        const one = newKey();
        const text = fileOf(entry('one', one));
        fresh(text);
        for (const [args, code, words] of [
            [['create', 'one'], 64, /has this name already/], [['create', 'x', '--route', 'smrt'], 64, /no route smrt/], [['create', 'No Name'], 64, /is no name/],
            [['create', 'x', '--expires', 'soon'], 64, /must be a day/], [['create', 'x', '--team', 'a: b'], 64, /is no name/], [['create', 'x', '--models', 'y'], 64, /wrong option/],
            [['create'], 64, /which one/], [['create', 'x', 'y'], 64, /one word too many/], [['revoke', 'nobody'], 2, /no key is named nobody/], [['rotate', 'nobody'], 2, /no key/],
            [['rotate', 'one', '--grace', '24'], 64, /wrong option or value/], [['list', 'x'], 64, /takes no name/], [['lst'], 64, /no such word/], [[], 64, /say create/],
            [['create', 'x', '--user', 'a\nb'], 64, /./],
        ]) {
            const done = await key(...args);
            assert.equal(done.code, code, `${args}: ${done.stderr}`);
            assert.match(done.stderr, words, `${args}`);
            assert.equal(done.stdout, '', `${args}`);
        }
        assert.equal(fs.readFileSync(file, 'utf8'), text);
        fs.chmodSync(file, 0o666);
        const open = await key('create', 'x');
        assert.equal(open.code, 77);
        assert.match(open.stderr, /may be written by anyone/);
        fresh('version: 1\nkeys:\n  - { name: one, digest: hello }\n');
        const broken = await key('create', 'x');
        assert.equal(broken.code, 78);
        assert.match(broken.stderr, /keys\.yaml:3:26: error: keys\[0\]\.digest is no digest/);
        config({ keys: [] });
        assert.equal((await key('create', 'x')).code, 78);
        config({ keys: undefined });
        assert.match((await key('list')).stderr, /has no keys/);
        config();
    });

    test('the states of list are those of check', async () => {
        const [early, late, idle] = [newKey(), newKey(), newKey()];
        fresh(`${fileOf(entry('early', early, { not_before: '2099-01-01' }), entry('late', late, { expires: '2001-01-01' }), entry('idle', idle, { team: 'gone' }))}teams: { gone: { disabled: true } }\n`);
        assert.deepEqual(JSON.parse(await good0('list', '--json')).keys.map((one) => [one.name, one.state, one.rotating, one.team_disabled]),
            [['early', 'not_yet_valid', false, false], ['late', 'expired', false, false], ['idle', 'good', false, true]]);
        assert.deepEqual([await checked(early), await checked(late), await checked(idle)], ['2 early: not_yet_valid', '2 late: expired', '0 idle: good']);
        assert.match(await good0('list'), / not yet valid\n[^\n]* expired\n[^\n]* team disabled$/);
    });

    test('a key that was made and could not be shown is told', { skip: !fs.existsSync('/dev/full') }, () => {
        fresh();
        const full = fs.openSync('/dev/full', 'w');
        const lost = (...args) => spawnSync(BINARY, ['key', ...args], { cwd: dir, env: environment({ HEADGATE_KEY_SECRET: KEY_SECRET }), stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
        const made = lost('create', 'unseen');
        assert.deepEqual([made.status, /has the new key of unseen.*headgate key rotate unseen\n$/.test(made.stderr)], [1, true], made.stderr);
        const again = lost('rotate', 'unseen', '--grace', '1h');
        assert.deepEqual([again.status, /ends the grace of the old one\n$/.test(again.stderr)], [1, true], again.stderr);
        assert.match(lost('list').stderr, /did not take the list/);
        fs.closeSync(full);
    });

    test('a link stays a link, and its file is edited', async () => {
        fresh();
        fs.mkdirSync(path.join(dir, 'elsewhere'));
        fs.symlinkSync('elsewhere/real.yaml', file);
        const made = await good0('create', 'linked');
        assert.ok(fs.lstatSync(file).isSymbolicLink());
        assert.ok(fs.readFileSync(path.join(dir, 'elsewhere/real.yaml'), 'utf8').includes(digestOf(made)));
        fs.rmSync(path.join(dir, 'elsewhere'), { recursive: true });
    });

    test('twenty at once lose nothing', async () => {
        fresh();
        const made = await Promise.all(Array.from({ length: 20 }, (_, i) => good0('create', `k${i}`)));
        assert.equal(new Set(made).size, 20);
        assert.equal(JSON.parse(await good0('list', '--json')).keys.length, 20);
        for (const [i, text] of made.entries()) {
            assert.equal(await checked(text), `0 k${i}: good`);
        }
    });

    test('--help says how', async () => {
        const { code, stdout } = await key('--help');
        assert.equal(code, 0);
        assert.match(stdout, /create NAME[^]*rotate NAME \[--grace 24h\][^]*--team TEAM[^]*within 2 seconds/);
    });

    test('a running headgate takes a created key and drops a revoked one within 2 s', async () => {
        fresh();
        const first = await good0('create', 'first');
        const own = await Headgate.start({ providers: providersAt(upstream), ...SETTINGS(file) }, { env: { HEADGATE_KEY_SECRET: KEY_SECRET } });
        const served = async (text) => (await ask(own.port, { ...good(), headers: bearer(text) })).status;
        assert.equal(await served(first), 200);
        const made = await good0('create', 'second');
        await until(async () => await served(made) === 200, 2000, 'the new key');
        await good0('revoke', 'first');
        await until(async () => isNo(await served(first)), 2000, 'the revocation');
        await own.stop();
    });
});
