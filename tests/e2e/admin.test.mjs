// SPDX-License-Identifier: Apache-2.0
// The operators' listener: health in words, who may read and who may change, the browser guard, and
// the commands that ask a running headgate.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { after, before, describe } from './lib/test.mjs';
import { App, ask } from './lib/app.mjs';
import { Headgate, freePort, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { checkRefusal, errorOf } from './lib/rows.mjs';
import { good } from './lib/samples.mjs';
import { header, request, until } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token-of-operators';
const SETTINGS = 'version: 1\nlisten: LISTEN\nlog: { level: info, format: json }\n'
    + 'providers: { a: { kind: fixtures, fixtures: { dialect: openai } }, b: { kind: fixtures, fixtures: { dialect: anthropic } } }\n';
const OPEN = `${SETTINGS}admin: { listen: ADMIN }\n`;
const LOCKED = `${SETTINGS}admin: { listen: ADMIN, token: ${TOKEN} }\n`;
const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const PARK = '/admin/v1/targets/nobody/park';
const READS = ['/admin/v1/status', '/admin/v1/targets', '/admin/v1/status.txt'];
const PUBLIC = ['/livez', '/healthz', '/readyz', '/health', '/health/providers'];

// A headgate with helpers for its operators' listener.
async function start(settings, options) {
    const headgate = await Headgate.start(settings, options);
    const host = `127.0.0.1:${headgate.admin}`;
    headgate.get = (target, headers = {}, more = {}) => ask(headgate.admin, { method: 'GET', target, host, headers, ...more });
    headgate.post = (target, headers = {}, more = {}) => ask(headgate.admin, { target, host, headers, ...more });
    return headgate;
}

const bodyOf = (answer) => JSON.parse(answer.body.toString('utf8'));

describe('health and pages', () => {
    let headgate;
    before(async () => { headgate = await start(OPEN); });
    after(() => headgate.stop());

    test('/health says ok in JSON, and nothing of the build or the host', async () => {
        const answer = await headgate.get('/health');
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'content-type'), 'application/json');
        assert.equal(header(answer, 'cache-control'), 'no-store');
        const body = bodyOf(answer);
        assert.deepEqual(Object.keys(body), ['status', 'message', 'targets']);
        assert.equal(body.status, 'ok');
        assert.equal(typeof body.message, 'string');
        assert.equal(body.targets.eligible, body.targets.total);
    });
    test('/health/providers has a list of providers', async () => {
        const body = bodyOf(await headgate.get('/health/providers'));
        assert.deepEqual(Object.keys(body), ['status', 'message', 'targets', 'providers']);
        assert.ok(Array.isArray(body.providers));
    });
    test('/admin/v1/status tells of the process', async () => {
        const body = bodyOf(await headgate.get('/admin/v1/status'));
        assert.match(body.process.version, /^\d+\.\d+\.\d+$/);
        assert.ok(body.process.uptime_s < 60);
        assert.equal(body.process.calls_in_flight, 0);
        assert.equal(body.process.draining, false);
        assert.ok(Array.isArray(body.targets));
        assert.deepEqual(bodyOf(await headgate.get('/admin/v1/targets')).targets, body.targets);
    });
    test('the table is plain text', async () => {
        const answer = await headgate.get('/admin/v1/status.txt');
        assert.match(header(answer, 'content-type'), /^text\/plain/);
        assert.match(answer.body.toString(), /^headgate \d[^\n]*: ok, up /);
    });
    test('none of them is on the listener of the apps', async () => {
        for (const target of ['/health', '/health/providers', ...READS]) {
            checkRefusal(await ask(headgate.port, { method: 'GET', target }), { status: 404, code: 'not_found' });
        }
        checkRefusal(await ask(headgate.port, { target: PARK }), { status: 404, code: 'not_found' });
    });
    test('pages are read, orders are posted', async () => {
        for (const target of [...PUBLIC, ...READS]) {
            const answer = await headgate.post(target);
            checkRefusal(answer, { status: 405, code: 'method_not_allowed' });
            assert.equal(header(answer, 'allow'), 'GET, HEAD');
        }
        const app = await App.connect(headgate.admin);
        app.send(request({ method: 'HEAD', target: '/health', host: '127.0.0.1' }));
        await until(() => app.received.includes('\r\n\r\n'), 3000, 'a head');
        assert.match(app.received.toString(), /^HTTP\/1\.1 200 [^]*content-length: [1-9]\d*\r\n\r\n$/);
        app.close();
        const answer = await headgate.get(PARK);
        checkRefusal(answer, { status: 405 });
        assert.equal(header(answer, 'allow'), 'POST');
    });
    test('pages leave no line, refusals one', async () => {
        await headgate.get('/health');
        const line = await headgate.callLine(await headgate.get('/admin/v1/nothing'));
        assert.equal(line.status, 404);
        assert.equal(line.path, '/admin/v1/nothing');
        assert.equal(headgate.callLines().filter((one) => one.path === line.path).length, 1);
        assert.deepEqual(headgate.callLines().filter((one) => one.status === 200), []);
    });
    test('a draining headgate says so with 503', async () => {
        const other = await start(`${OPEN}drain: { delay: 10s }\n`);
        const app = await App.connect(other.port);
        other.signal('SIGTERM');
        await until(async () => (await other.get('/health')).status === 503, 3000, 'health 503');
        assert.equal(bodyOf(await other.get('/health')).status, 'draining');
        const status = await other.get('/admin/v1/status');
        assert.equal(status.status, 200);
        assert.equal(bodyOf(status).process.draining, true);
        app.close();
        await other.stop(); // its second SIGTERM
    });
});

describe('without a token', () => {
    let headgate;
    before(async () => { headgate = await start(OPEN); });
    after(() => headgate.stop());

    test('this machine reads everything', async () => {
        for (const target of [...PUBLIC, ...READS]) {
            assert.equal((await headgate.get(target)).status, 200, target);
        }
    });
    test('BC01 nobody changes anything, and the answer says what to write where', async () => {
        for (const headers of [{}, bearer(TOKEN), bearer(''), { 'x-api-key': TOKEN }]) {
            const answer = await headgate.post(PARK, headers);
            checkRefusal(answer, { status: 403, code: 'admin_token_not_set' });
            assert.match(errorOf(answer).message, /admin: \{ token: .*HEADGATE_ADMIN_TOKEN/);
        }
    });
});

describe('with a token', () => {
    let headgate;
    before(async () => { headgate = await start(LOCKED); });
    after(async () => {
        await headgate.stop();
        assert.ok(!headgate.stderr.includes(TOKEN), 'the token is in the log');
    });

    test('health is open, all else needs it', async () => {
        for (const target of PUBLIC) {
            assert.equal((await headgate.get(target)).status, 200, target);
        }
        for (const target of [...READS, '/admin/v1/nothing', '/v1/models']) {
            const answer = await headgate.get(target);
            checkRefusal(answer, { status: 401, code: 'invalid_admin_token', type: 'invalid_request_error' });
            assert.equal(header(answer, 'www-authenticate'), 'Bearer');
        }
        for (const target of READS) {
            assert.equal((await headgate.get(target, bearer(TOKEN))).status, 200, target);
            assert.equal((await headgate.get(target, { authorization: `bearer ${TOKEN}` })).status, 200, target);
        }
        assert.equal((await headgate.get('/admin/v1/nothing', bearer(TOKEN))).status, 404);
    });
    test('BC01 missing, wrong, or in another place', async () => {
        const wrong = [{}, bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), { Authorization: `Basic ${TOKEN}` }, { Authorization: TOKEN },
            { 'x-api-key': TOKEN }, { 'api-key': TOKEN }, [['Authorization', `Bearer ${TOKEN}`], ['Authorization', `Bearer ${TOKEN}`]]];
        for (const headers of wrong) {
            const answer = await headgate.post(PARK, headers);
            assert.ok([400, 401].includes(answer.status), `${JSON.stringify(headers)}: ${answer.status}`);
        }
        checkRefusal(await headgate.post(`${PARK}?key=${TOKEN}`), { status: 401 });
        checkRefusal(await headgate.get(`/admin/v1/status?key=${TOKEN}`), { status: 401 });
    });
    test('BA13 the token opens nothing on the listener of the apps', async () => {
        checkRefusal(await ask(headgate.port, { target: PARK, headers: bearer(TOKEN) }), { status: 404 });
    });
    test('a name that no target has: 404', async () => {
        for (const name of ['nobody', 'a%2Fno-such-model-xyz', '..', '..%2f..%2fetc', "'%3B--", 'a%0d%0ab', 'a%1b%5b2J', 'x'.repeat(3000)]) {
            const answer = await headgate.post(`/admin/v1/targets/${name}/park`, bearer(TOKEN));
            checkRefusal(answer, { status: 404, code: 'target_not_found' });
            assert.ok(!answer.body.includes('xxxxx'), 'the name is not repeated');
        }
        for (const name of ['%00', '%', '%zz', '', 'a%']) {
            checkRefusal(await headgate.post(`/admin/v1/targets/${name}/park`, bearer(TOKEN)), { status: [400, 404] });
        }
        checkRefusal(await headgate.post(`/admin/v1/targets/${'x'.repeat(5000)}/park`, bearer(TOKEN)), { status: 414 });
        assert.equal(headgate.lines().filter((line) => line.event === 'target_order').length, 0);
    });
    test('a body is read and dropped', async () => {
        const app = await App.connect(headgate.admin);
        const send = (body) => app.send(request({ target: PARK, host: `127.0.0.1:${headgate.admin}`, headers: bearer(TOKEN), body }));
        for (const body of ['', '{}', 'not json', 'x'.repeat(60000)]) {
            send(body);
            checkRefusal(await app.answer(), { status: 404, code: 'target_not_found' });
        }
        assert.ok(app.isOpen, 'the connection stays usable');
        send('x'.repeat(70000));
        checkRefusal(await app.answer(), { status: 413, code: 'body_too_large' });
        await app.closed(3000);
        app.close();
    });
});

describe('from a browser', () => {
    let headgate;
    before(async () => { headgate = await start(`${LOCKED}allowed_hosts: [gateway.example, 127.0.0.1]\n`); });
    after(() => headgate.stop());

    test('BH04 a name of its own does not reach us', async () => {
        for (const host of ['evil.example', 'localhost.evil.example', `127.0.0.1.evil.example:${headgate.admin}`]) {
            for (const [method, target] of [['GET', '/health'], ['GET', '/admin/v1/status'], ['POST', PARK]]) {
                const answer = await ask(headgate.admin, { method, target, host, headers: bearer(TOKEN) });
                checkRefusal(answer, { status: 421, code: 'host_not_served' });
            }
        }
        for (const host of ['127.0.0.1', `127.0.0.1:${headgate.admin}`, 'localhost', '[::1]', 'gateway.example', 'gateway.example:1']) {
            assert.equal((await ask(headgate.admin, { method: 'GET', target: '/health', host })).status, 200, host);
        }
    });
    test('an open data listener does not open this one', async () => {
        const other = await start(`${OPEN}open: true\n`);
        assert.equal((await ask(other.port, { method: 'GET', target: '/livez', host: 'evil.example' })).status, 200);
        checkRefusal(await other.get('/livez', {}, { host: 'evil.example' }), { status: 421 });
        await other.stop();
    });
    test('BC03 pages of other sites change nothing', async () => {
        const own = `127.0.0.1:${headgate.admin}`;
        const bad = [{ Origin: 'http://evil.example' }, { Origin: 'null' }, { Origin: `http://127.0.0.1:${headgate.port}` },
            { Origin: `http://localhost:${headgate.admin}` }, [['Origin', `http://${own}`], ['Origin', 'http://evil.example']],
            { 'Content-Type': 'application/x-www-form-urlencoded' }, { 'Content-Type': 'text/plain' }];
        for (const headers of bad) {
            const all = [...(Array.isArray(headers) ? headers : Object.entries(headers)), ['Authorization', `Bearer ${TOKEN}`]];
            checkRefusal(await headgate.post(PARK, all), { status: 403, code: 'no_browser' });
        }
        const answer = await headgate.post(PARK, { Origin: `http://${own}`, ...bearer(TOKEN) });
        checkRefusal(answer, { status: 404, code: 'target_not_found' });
        for (const name of ['access-control-allow-origin', 'access-control-allow-headers']) {
            assert.equal(header(answer, name), undefined);
        }
    });
    test('a preflight is refused', async () => {
        const answer = await headgate.get(PARK, { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' }, { method: 'OPTIONS' });
        assert.ok([401, 405].includes(answer.status), `${answer.status}`);
        assert.equal(header(answer, 'access-control-allow-origin'), undefined);
    });
});

describe('wrong tokens', () => {
    test('BC01 after twenty of an address everything of it waits, but not its health checks and not others', async () => {
        const headgate = await start(LOCKED);
        for (let i = 0; i < 20; i += 1) {
            checkRefusal(await headgate.get('/admin/v1/status', bearer(`wrong-${i}`)), { status: 401 });
        }
        for (const token of ['wrong-21', TOKEN]) {
            const answer = await headgate.get('/admin/v1/status', bearer(token));
            checkRefusal(answer, { status: 429, code: 'too_many_wrong_tokens' });
            assert.equal(header(answer, 'retry-after'), '10');
            checkRefusal(await headgate.post(PARK, bearer(token)), { status: 429 });
        }
        assert.equal((await headgate.get('/health')).status, 200);
        const other = await App.connect(headgate.admin, { from: '127.0.0.7' });
        other.send(request({ method: 'GET', target: '/admin/v1/status', headers: bearer(TOKEN) }));
        assert.equal((await other.answer()).status, 200);
        other.close();
        await headgate.stop();
        assert.ok(!headgate.stderr.includes(TOKEN) && !headgate.stderr.includes('wrong-1'), 'a token is in the log');
    });
});

describe('commands', () => {
    let headgate;
    before(async () => { headgate = await start(LOCKED); });
    after(() => headgate.stop());
    const run = (...args) => runToEnd(['-c', headgate.file, ...args]);

    for (const args of [['target'], ['target', 'park'], ['target', 'park', 'a', 'b'], ['target', 'kill', 'a'], ['target', 'park', ''],
        ['status', 'now'], ['check', '--json'], ['target', '--no-such-option'], ['target', 'park', 'x'.repeat(5000)]]) {
        test(`usage error: ${args.join(' ').slice(0, 40)}`, async () => {
            const { code, stdout, stderr } = await run(...args);
            assert.equal(code, 64, stderr);
            assert.equal(stdout, '');
            assert.match(stderr, /headgate/);
        });
    }
    test('each has a help of its own', async () => {
        for (const [name, word] of [['target', 'unpark'], ['status', '--json'], ['run', 'run']]) {
            const { code, stdout, stderr } = await runToEnd([name, '--help']);
            assert.equal(code, 0);
            assert.match(stdout, new RegExp(`^usage: headgate .*${name}`));
            assert.ok(stdout.includes(word), stdout);
            assert.equal(stderr, '');
        }
    });
    test('status prints a table, with --json the JSON', async () => {
        const table = await run('status');
        assert.equal(table.code, 0, table.stderr);
        assert.match(table.stdout, /^headgate \d+\.\d+\.\d+: ok, up /);
        const json = await run('status', '--json');
        assert.equal(json.code, 0, json.stderr);
        assert.equal(JSON.parse(json.stdout).status, 'ok');
        assert.equal(json.stderr, '');
    });
    test('a target that is not known: 2', async () => {
        const { code, stdout, stderr } = await run('target', 'park', 'nobody');
        assert.equal(code, 2, stderr);
        assert.equal(stdout, '');
        assert.match(stderr, /^headgate: no target has this name; known are: \S/);
    });
    test('a wrong token, or none: 77, and the token from the environment counts', async () => {
        const wrong = await runToEnd(['-c', headgate.file, 'status'], { env: { HEADGATE_ADMIN_TOKEN: 'test-token-wrong' } });
        assert.equal(wrong.code, 77, wrong.stderr);
        assert.match(wrong.stderr, /admin token/);
        const dir = temporary();
        const file = path.join(dir, 'headgate.yaml');
        fs.writeFileSync(file, fs.readFileSync(headgate.file, 'utf8').replace(`, token: ${TOKEN}`, ''));
        assert.equal((await runToEnd(['-c', file, 'status'])).code, 77);
        const right = await runToEnd(['-c', file, 'status'], { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
        assert.equal(right.code, 0, right.stderr);
        fs.writeFileSync(path.join(dir, 'token'), TOKEN, { mode: 0o600 });
        assert.equal((await runToEnd(['-c', file, 'status'], { env: { HEADGATE_ADMIN_TOKEN_FILE: path.join(dir, 'token') } })).code, 0);
        fs.rmSync(dir, { recursive: true });
    });
    test('the proxies of the environment are not asked', async () => {
        const { code, stderr } = await runToEnd(['-c', headgate.file, 'status'], { env: { http_proxy: 'http://127.0.0.1:9', ALL_PROXY: 'http://127.0.0.1:9' } });
        assert.equal(code, 0, stderr);
    });
    test('changes without a token in the settings: 77', async () => {
        const open = await start(OPEN);
        const { code, stderr } = await runToEnd(['-c', open.file, 'target', 'reset', '*']);
        assert.equal(code, 77, stderr);
        assert.match(stderr, /changes need a token/);
        assert.equal((await runToEnd(['-c', open.file, 'status'])).code, 0);
        await open.stop();
    });

    // Settings whose operators' listener is at this place.
    async function withAdmin(listen, use) {
        const dir = temporary();
        const file = path.join(dir, 'headgate.yaml');
        fs.writeFileSync(file, `version: 1\nproviders: { a: { kind: fixtures, fixtures: { dialect: openai } } }\nadmin: { listen: ${listen} }\n`);
        try {
            return await use(file);
        } finally {
            fs.rmSync(dir, { recursive: true });
        }
    }
    test('nobody there: 69, and where was asked', async () => {
        const port = await freePort();
        await withAdmin(`127.0.0.1:${port}`, async (file) => {
            for (const args of [['status'], ['status', '--json'], ['target', 'park', '*']]) {
                const { code, stdout, stderr } = await runToEnd(['-c', file, ...args]);
                assert.equal(code, 69, stderr);
                assert.equal(stdout, '');
                assert.ok(stderr.includes(`127.0.0.1:${port}`), stderr);
            }
        });
    });
    test('a listener that is off, a Unix socket, or any port: 78', async () => {
        for (const listen of ['"off"', '"unix:/tmp/no-such.sock"', '127.0.0.1:0']) {
            await withAdmin(listen, async (file) => {
                const { code, stderr } = await runToEnd(['-c', file, 'status']);
                assert.equal(code, 78, `${listen} ${stderr}`);
                assert.match(stderr, /admin\.listen/);
            });
        }
    });
    test('something else that answers there moves no terminal', async () => {
        const server = net.createServer((socket) => socket.on('error', () => {}).on('data', () => socket.end(
            'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\na\u001b[2Jb\nc\u0007d\n'))).unref();
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        await withAdmin(`127.0.0.1:${server.address().port}`, async (file) => {
            const { code, stdout } = await runToEnd(['-c', file, 'status']);
            assert.equal(code, 0);
            assert.equal(stdout, 'a[2Jb\ncd\n\na[2Jb\ncd\n');
        });
        server.close();
    });
    test('the program serves apps all the while', async () => {
        assert.equal((await ask(headgate.port, good())).status, 200);
    });
});
