// SPDX-License-Identifier: Apache-2.0
// The program as a process: command line, exit codes, settings that are refused, signals, drain,
// health paths, running out of descriptors, a start without a file.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { describe } from './lib/test.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { App, ask } from './lib/app.mjs';
import { CANARY, Headgate, freePort, providersAt, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { Bench, checkRefusal } from './lib/rows.mjs';
import { good, healthy } from './lib/samples.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, patient, request, until } from './lib/wire.mjs';

requireBinary();

const FIXTURES = { a: { kind: 'fixtures', fixtures: { dialect: 'openai' } }, b: { kind: 'fixtures', fixtures: { dialect: 'anthropic' } } };

describe('command line', () => {
    test('--version', async () => {
        const { code, stdout, stderr } = await runToEnd(['--version']);
        assert.equal(code, 0, stderr);
        assert.match(stdout.split('\n')[0], /^headgate \d+\.\d+\.\d+/);
        assert.equal(stderr, '');
    });
    test('--help', async () => {
        const { code, stdout, stderr } = await runToEnd(['--help']);
        assert.equal(code, 0);
        for (const word of ['run', 'check', 'demo', 'env', '--version']) {
            assert.ok(stdout.includes(word), word);
        }
        assert.equal(stderr, '');
    });
    for (const args of [['--no-such-option'], ['no-such-command'], ['-c'], ['check', '--no-such-option'], ['--', '--version']]) {
        test(`usage error: ${args.join(' ')}`, async () => {
            const { code, stdout, stderr } = await runToEnd(args);
            assert.equal(code, 64);
            assert.equal(stdout, '');
            assert.match(stderr, /headgate/);
        });
    }
    test('env prints the exports', async () => {
        const { code, stdout } = await runToEnd(['env'], { cwd: temporary(), env: { HOME: '/nonexistent' } });
        assert.equal(code, 0);
        assert.match(stdout, /^export OPENAI_BASE_URL=["']?http:\/\/127\.0\.0\.1:8402\/v1["']?$/m);
        assert.match(stdout, /^export ANTHROPIC_BASE_URL=["']?http:\/\/127\.0\.0\.1:8402["']?$/m);
        assert.match(stdout, /^export GOOGLE_GEMINI_BASE_URL=["']?http:\/\/127\.0\.0\.1:8402["']?$/m);
    });
    test('env follows the settings', async () => {
        const dir = temporary();
        fs.writeFileSync(path.join(dir, 'headgate.yaml'), 'version: 1\nlisten: 127.0.0.1:9111\nproviders: { a: { kind: fixtures, fixtures: { dialect: openai } } }\n');
        const { stdout } = await runToEnd(['env'], { cwd: dir });
        assert.match(stdout, /127\.0\.0\.1:9111\/v1/);
        fs.rmSync(dir, { recursive: true });
    });
});

// ---- settings ----

const VALID = 'version: 1\nproviders:\n  openai: { kind: openai, credential: sk-test-1 }\n';
const provider = (more) => `version: 1\nproviders:\n  p: { kind: openai, credential: sk-test-1, ${more} }\n`;
const routed = (text) => `${VALID}routes:\n${text}`;
const base = (url) => provider(`base_url: "${url}"`);

// [id, settings, what the complaint says]
const REFUSED = [
    ['BC13', 'version: 1\nproviders:\n  openai: { kind: openai, credential: x }\nroutes:\n  smart:\n    retrys: 3\n    targets: [ { provider: openai } ]\n', /headgate\.yaml:6:5: error: unknown key "retrys"[^]*retrys: 3[^]*\^/],
    ['BC13', `${VALID}lissten: 127.0.0.1:1\n`, /unknown key "lissten"[^]*did you mean "listen"/],
    ['BC13', `${VALID}providers: {}\n`, /:4:1: error: /],
    ['BC13', 'version: 1\nproviders:\n\topenai: {}\n', /:3:/],
    ['BC13', 'version: 2\nproviders: {}\n', /version/],
    ['BC13', 'providers: {}\n', /version/],
    ['BC13', '', /error/],
    ['BC13', '- a\n', /error/],
    ['BC13', `${VALID}---\n${VALID}`, /error/],
    ['BC13', `${VALID}x-deep: ${'['.repeat(40)}${']'.repeat(40)}\n`, /error/],
    ['BC13', `x-a: &a [1,1,1,1,1,1,1,1,1,1]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nx-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nx-d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nx-e: [*d,*d,*d]\n${VALID}`, /error/],
    ['BC13', `${VALID}# ${'x'.repeat(1 << 20)}\n`, /headgate\.yaml.*larger than/],
    ['BC13', `${VALID}limits: { body: 32 }\n`, /:4:17: error/],
    ['BC13', `${VALID}drain: { timeout: 60 }\n`, /:4:19: error/],
    ['BC13', `${VALID}open: yes\n`, /:4:7: error/],
    ['BC13', `${VALID}log: { level: loud }\n`, /:4:15: error/],
    ['BC13', `${VALID}listen: 127.0.0.1\n`, /:4:9: error/],
    ['BC13', `${VALID}listen: 127.0.0.1:99999\n`, /:4:9: error/],
    ['words', routed('  a:\n    translate: lenjent\n    targets: [ { provider: openai } ]\n'), /did you mean "lenient"/],
    ['open', `${VALID}listen: 0.0.0.0:8402\n`, /open: true/],
    ['open', `${VALID}listen: "[::]:8402"\n`, /open: true/],
    ['production', 'version: 1\nenvironment: production\nproviders: { a: { kind: fixtures, fixtures: { dialect: openai } } }\n', /fixtures/],
    ['kind', 'version: 1\nproviders: { a: { kind: opnai, credential: x } }\n', /did you mean "openai"/],
    ['kind', 'version: 1\nproviders: { a: { kind: compatible, credential: none } }\n', /base_url/],
    ['key', 'version: 1\nproviders: { a: { kind: openai } }\n', /OPENAI_API_KEY/],
    ['key', 'version: 1\nproviders: { a: { kind: openai, credential: "${NO_SUCH_VARIABLE}" } }\n', /NO_SUCH_VARIABLE/],
    ['BC08', base('http://api.example.com/v1'), /:3:/],
    ['BC08', base('file:///etc/passwd'), /:3:/],
    ['BC08', base('gopher://127.0.0.1/'), /:3:/],
    ['BC08', base('http://user@127.0.0.1/v1'), /:3:/],
    ['BC08', base('https://user:secret-in-url@example.com/v1'), /:3:/],
    ['BC08', base('http://0x7f.1/v1'), /:3:/],
    ['BC08', base('http://2130706433/v1'), /:3:/],
    ['BC08', base('http://169.254.169.254/v1'), /:3:/],
    ['BC08', base('https://169.254.169.254/v1'), /:3:/],
    ['BC08', base('http://metadata.google.internal/v1'), /:3:/],
    ['BC08', base('https://metadata.google.internal/v1'), /:3:/],
    ['BC08', base('https://example.com./v1'), /:3:/],
    ['BC08', base('https://\u0435xample.com/v1'), /:3:/],
    ['BC09', base('https://good@evil/'), /:3:/],
    ['BC09', provider("base_url: 'https://good\\.evil'"), /:3:/],
    ['BC09', base('https://example.com/v1#x'), /:3:/],
    ['BC09', base('https://example.com/v1?x=1'), /:3:/],
    ['BC09', base('https://'), /:3:/],
    ['BC09', base('example.com'), /:3:/],
    ['BC10', provider('forward_headers: ["host"]'), /:3:/],
    ['BC10', provider('forward_headers: ["content-length"]'), /:3:/],
    ['BC10', provider('forward_headers: ["x\\r\\ny"]'), /:3:/],
    ['BC10', provider('forward_headers: ["transfer-encoding", "authorization"]'), /:3:/],
    ['BC11', 'version: 1\nproviders: { p: { kind: openai, credential: "sk-test-1\\n" } }\n', /:2:/],
    ['BC11', 'version: 1\nproviders: { p: { kind: openai, credential: " sk-test-1" } }\n', /:2:/],
    ['BC12', 'version: 1\nproviders: { p: { kind: openai, credential: "${file:/nonexistent/key}" } }\n', /\/nonexistent\/key/],
    ['BC12', 'version: 1\nproviders: { p: { kind: openai, credential: "${file:/tmp}" } }\n', /:2:/],
    ['BC16', routed('  a: { targets: [] }\n'), /:5:/],
    ['BC16', routed('  a: {}\n'), /targets/],
    ['BC16', routed('  a: { targets: [ { provider: opennai } ] }\n'), /did you mean "openai"/],
    ['BC16', routed('  a: { targets: [ { provider: openai }, { provider: openai } ] }\n'), /:5:/],
];

describe('settings', { concurrency: 4 }, () => {
    for (const [i, [id, text, wanted]] of REFUSED.entries()) {
        test(`${id} refused: ${text.slice(-70).replace(/\s+/g, ' ')}`, async () => {
            const dir = temporary();
            const file = path.join(dir, 'headgate.yaml');
            fs.writeFileSync(file, text);
            // check finds it in the working directory, -t by its name; run refuses it alike.
            const how = [['check'], ['-t', '-c', 'headgate.yaml'], ['-c', 'headgate.yaml']][i % 3];
            const { code, stdout, stderr } = await runToEnd(how, { cwd: dir });
            assert.equal(code, 78, `${stdout}${stderr}`);
            assert.match(stderr + stdout, wanted);
            assert.ok(!(stderr + stdout).includes('secret-in-url'), 'a secret is shown');
            fs.rmSync(dir, { recursive: true });
        });
    }
    test('all complaints come in one run, sorted, with lines shown', async () => {
        const dir = temporary();
        fs.writeFileSync(path.join(dir, 'headgate.yaml'), 'version: 1\nlissten: x\nproviders:\n  a: { kind: opnai }\nlog: { level: loud }\n');
        const { code, stderr, stdout } = await runToEnd(['check'], { cwd: dir });
        assert.equal(code, 78);
        const places = [...(stderr + stdout).matchAll(/headgate\.yaml:(\d+):\d+: error: /g)].map((m) => Number(m[1]));
        assert.deepEqual(places, [2, 4, 5]);
        assert.match(stderr + stdout, /\n\s+2 \| lissten: x\n/);
        fs.rmSync(dir, { recursive: true });
    });
    test('check says OK', async () => {
        const dir = temporary();
        const file = path.join(dir, 'good.yaml');
        fs.writeFileSync(file, VALID);
        for (const args of [['check', '-c', file], ['-t', '-c', file], ['-c', file, 'check']]) {
            const { code, stdout, stderr } = await runToEnd(args);
            assert.equal(code, 0, stderr);
            assert.match(stdout, /configuration OK/);
        }
        const byVariable = await runToEnd(['check'], { env: { HEADGATE_CONFIG: file } });
        assert.equal(byVariable.code, 0, byVariable.stderr);
        fs.rmSync(dir, { recursive: true });
    });
    test('a file that is not there is an error that names it', async () => {
        const { code, stderr } = await runToEnd(['check', '-c', '/nonexistent/headgate.yaml']);
        assert.equal(code, 78);
        assert.match(stderr, /\/nonexistent\/headgate\.yaml/);
    });
    test('BC12 a credential from a file', async () => {
        const dir = temporary();
        fs.writeFileSync(path.join(dir, 'key'), CANARY.provider, { mode: 0o600 });
        const upstream = await Upstream.start();
        upstream.play(healthy);
        const headgate = await Headgate.start({ providers: { p: { kind: 'openai', base_url: upstream.origin, credential: `\${file:${dir}/key}` } } });
        assert.equal((await ask(headgate.port, good())).status, 200);
        assert.equal(header(upstream.requests[0], 'authorization'), `Bearer ${CANARY.provider}`);
        assert.equal(upstream.requests[0].target, '/v1/chat/completions', 'a base_url without /v1');
        await headgate.stop();
        await upstream.stop();
        fs.rmSync(dir, { recursive: true });
    });
});

describe('start', () => {
    test('a port in use', async () => {
        const server = net.createServer().unref();
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        const dir = temporary();
        const { port } = server.address();
        fs.writeFileSync(path.join(dir, 'headgate.yaml'), `${VALID}listen: 127.0.0.1:${port}\nadmin: { listen: "off" }\n`);
        const { code, stderr } = await runToEnd([], { cwd: dir });
        assert.equal(code, 73, stderr);
        assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}`));
        server.close();
        fs.rmSync(dir, { recursive: true });
    });
    test('port 0 takes a free one and tells which', async () => {
        const headgate = await Headgate.start('version: 1\nlisten: 127.0.0.1:0\nadmin: { listen: "off" }\nproviders: { a: { kind: fixtures, fixtures: { dialect: openai } } }\n', { ready: false });
        const port = await until(() => /127\.0\.0\.1:([1-9]\d*)/.exec(headgate.stderr)?.[1], 5000, 'the address in the log');
        assert.equal((await ask(Number(port), { method: 'GET', target: '/readyz' })).status, 200);
        await headgate.stop();
    });
    test('as many listeners as may be written, and the admin one', async () => {
        const dir = temporary();
        const sockets = Array.from({ length: 15 }, (_, i) => `unix:${dir}/${i}`);
        const headgate = await Headgate.start(`version: 1\nlisten: [LISTEN, ${sockets.join(', ')}]\nadmin: { listen: ADMIN }\n`
            + 'providers: { a: { kind: fixtures, fixtures: { dialect: openai } } }\n');
        assert.equal((await ask(headgate.admin, { method: 'GET', target: '/readyz' })).status, 200);
        await headgate.stop();
        fs.rmSync(dir, { recursive: true });
    });
    test('a Unix socket', async () => {
        const dir = temporary();
        const socket = path.join(dir, 'headgate.sock');
        const headgate = await Headgate.start(`version: 1\nlisten: ["unix:${socket}", LISTEN]\nadmin: { listen: ADMIN }\nproviders: { a: { kind: fixtures, fixtures: { dialect: openai } } }\n`);
        assert.equal((await ask(socket, good())).status, 200);
        assert.equal((await ask(headgate.port, good())).status, 200);
        await headgate.stop();
        assert.ok(!fs.existsSync(socket), 'the socket is removed at the end');
        fs.rmSync(dir, { recursive: true });
    });
    // A start without a file has its operators' listener at its default place, which another
    // headgate on this machine may hold.
    async function defaultIsFree(t) {
        const probe = net.createServer();
        const isFree = await new Promise((resolve) => {
            probe.once('error', () => resolve(false));
            probe.listen(8403, '127.0.0.1', () => resolve(true));
        });
        await new Promise((resolve) => probe.close(resolve));
        if (!isFree) {
            t.skip('127.0.0.1:8403 is in use');
        }
        return isFree;
    }

    test('without a file and without keys it serves with the app\'s own', async (t) => {
        if (!await defaultIsFree(t)) {
            return;
        }
        const port = await freePort();
        const headgate = await Headgate.start(null, { ready: false, env: { HEADGATE_LISTEN: `127.0.0.1:${port}` } });
        headgate.port = port;
        await headgate.ready();
        await until(() => /passthrough/.test(headgate.stderr), 3000, 'a line about the app\'s own keys');
        assert.equal((await ask(port, { method: 'GET', target: '/livez' })).status, 200);
        checkRefusal(await ask(port, { target: '/v1/chat/completions', body: '[]' }), { status: 400, code: 'not_an_object' });
        await headgate.stop();
    });
    test('without a file and with a key in the environment it says so, not the key', async (t) => {
        if (!await defaultIsFree(t)) {
            return;
        }
        const port = await freePort();
        const headgate = await Headgate.start(null, { ready: false, env: { HEADGATE_LISTEN: `127.0.0.1:${port}`, OPENAI_API_KEY: CANARY.provider } });
        headgate.port = port;
        await headgate.ready();
        const told = await until(() => headgate.lines().find((line) => line.provider === 'openai'), 3000, 'a line about the provider');
        assert.ok(told.credential !== 'passthrough', JSON.stringify(told));
        await headgate.stop();
    });
    test('demo answers without a key', async (t) => {
        if (!await defaultIsFree(t)) {
            return;
        }
        const port = await freePort();
        const headgate = await Headgate.start(null, { ready: false, command: ['demo'], env: { HEADGATE_LISTEN: `127.0.0.1:${port}` } });
        headgate.port = port;
        await headgate.ready();
        for (const operation of ['chat', 'responses', 'messages', 'embeddings']) {
            const answer = await ask(port, good(operation));
            assert.equal(answer.status, 200, answer.body.toString());
        }
        await headgate.stop();
    });
});

describe('health', () => {
    test('livez, healthz and readyz on both listeners, and nothing else without reason', async () => {
        const bench = await Bench.start();
        for (const port of [bench.port, bench.headgate.admin]) {
            for (const target of ['/livez', '/healthz', '/readyz', '/readyz?verbose']) {
                const answer = await ask(port, { method: 'GET', target, host: `127.0.0.1:${port}` });
                assert.equal(answer.status, 200, `${port} ${target}`);
            }
            assert.equal((await ask(port, { method: 'GET', target: '/livez' })).body.toString().trim(), 'ok');
            const verbose = (await ask(port, { method: 'GET', target: '/readyz?verbose' })).body.toString();
            assert.ok(verbose.trim().split('\n').length >= 2, verbose);
            // BC18
            for (const [what, wanted] of [[{ method: 'POST', target: '/livez', body: '{}' }, 405], [{ method: 'DELETE', target: '/readyz' }, 405],
                [{ method: 'GET', target: `/readyz?${'x'.repeat(5000)}` }, 414], [{ method: 'GET', target: '/admin/keys' }, 404]]) {
                assert.equal((await ask(port, what)).status, wanted, JSON.stringify(what).slice(0, 60));
            }
            assert.equal((await ask(port, { method: 'GET', target: '/livez', host: 'evil.example' })).status, 421);
        }
        await bench.stop();
    });
});

describe('signals', { concurrency: 4 }, () => {
    const delta = (text) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;

    // A headgate with one stream running; finish() lets its provider end it.
    async function streaming(settings) {
        const bench = await Bench.start(settings);
        let finish;
        const finished = new Promise((resolve) => { finish = resolve; });
        bench.upstream.play(async (exchange) => {
            await exchange.streamHead();
            await exchange.event(delta('one'));
            await finished;
            await exchange.event(`${delta('two')}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`);
            await exchange.streamEnd();
        });
        const app = await App.connect(bench.port);
        app.send(bench.request(good('chat', { stream: true })));
        await app.text('one');
        return { bench, app, finish };
    }

    test('SIGTERM drains a running stream, refuses readiness, then ends with 0', async () => {
        const { bench, app, finish } = await streaming();
        const idle = await App.connect(bench.port);
        bench.headgate.signal('SIGTERM');
        await until(async () => (await ask(bench.headgate.admin, { method: 'GET', target: '/readyz' }).catch(() => null))?.status === 503,
            3000, 'readiness 503');
        assert.equal(bench.headgate.exited, null);
        finish();
        const answer = await app.answer();
        assert.ok(answer.body.toString().endsWith('data: [DONE]\n\n'));
        assert.deepEqual(await bench.headgate.ended, { code: 0, signal: null });
        assert.notEqual(idle.ended, null, 'idle connections are closed');
        await bench.stop();
    });
    test('drain.delay keeps accepting for a while', async () => {
        const { bench, finish } = await streaming({ drain: { delay: '1s', timeout: '5s' } });
        bench.headgate.signal('SIGTERM');
        await until(async () => (await ask(bench.port, { method: 'GET', target: '/readyz' })).status === 503, 800, 'readiness 503 on the data listener');
        const answer = await ask(bench.port, { method: 'GET', target: '/livez' });
        assert.equal(answer.status, 200);
        assert.equal(header(answer, 'connection')?.toLowerCase(), 'close');
        finish();
        await bench.headgate.ended;
        await bench.stop();
    });
    test('drain.timeout ends a stream with an honest error', async () => {
        const { bench, app } = await streaming({ drain: { timeout: '500ms' } });
        bench.headgate.signal('SIGTERM');
        const answer = await app.answer(8000);
        const tail = answer.body.toString().split('\n\n').at(-2);
        assert.equal(JSON.parse(tail.replace('data: ', '')).error.code, 'proxy_shutdown');
        assert.deepEqual(await bench.headgate.ended, { code: 0, signal: null });
        await bench.stop();
    });
    test('a body still coming in at the end of the drain is refused, and what follows of it read by nobody', async () => {
        const bench = await Bench.start({ drain: { timeout: '300ms' } });
        const app = await App.connect(bench.port);
        app.send(bench.request({ ...good(), headers: { 'Content-Length': '9999' } }));
        await sleep(100);
        bench.headgate.signal('SIGTERM');
        const answer = await app.answer();
        checkRefusal(answer, { status: 503, code: 'proxy_shutdown' });
        assert.equal(header(answer, 'connection')?.toLowerCase(), 'close');
        app.send('x'.repeat(9999));
        assert.deepEqual(await bench.headgate.ended, { code: 0, signal: null }, bench.headgate.stderr.slice(-2000));
        await bench.stop();
    });
    test('a connection whose empty body was refused is idle: the drain does not wait for it', async () => {
        const bench = await Bench.start({ drain: { timeout: '60s' } });
        const app = await App.connect(bench.port);
        app.send(bench.request({ target: '/livez' }));
        checkRefusal(await app.answer(), { status: 405, code: 'method_not_allowed' });
        const begun = Date.now();
        bench.headgate.signal('SIGTERM');
        await bench.headgate.ended;
        assert.ok(Date.now() - begun < patient(3000), `${Date.now() - begun} ms`);
        await bench.stop();
    });
    for (const [name, signals, most] of [['a second SIGTERM', ['SIGTERM', 'SIGTERM'], 6500], ['SIGINT twice', ['SIGINT', 'SIGINT'], 6500]]) {
        test(`${name} is quick`, async () => {
            const { bench, app } = await streaming();
            const begun = Date.now();
            for (const signal of signals) {
                bench.headgate.signal(signal);
                await sleep(200);
            }
            await bench.headgate.ended;
            assert.ok(Date.now() - begun < patient(most), `${Date.now() - begun} ms`);
            app.close();
            await bench.stop();
        });
    }
    test('SIGQUIT stops now, and tells the apps', async () => {
        const { bench, app } = await streaming();
        const half = await App.connect(bench.port);
        half.send(bench.request({ ...good(), headers: { 'Content-Length': '9999' } }));
        await sleep(100);
        bench.headgate.signal('SIGQUIT');
        checkRefusal(await half.answer(), { status: 503, code: 'proxy_shutdown' });
        const tail = (await app.answer()).body.toString().split('\n\n').at(-2);
        assert.equal(JSON.parse(tail.replace('data: ', '')).error.code, 'proxy_shutdown');
        await Promise.race([bench.headgate.ended, sleep(patient(1500)).then(() => { throw new Error('still running'); })]);
        assert.deepEqual(bench.headgate.exited, { code: 0, signal: null }, bench.headgate.stderr.slice(-2000));
        app.close();
        half.close();
        bench.headgate.kill();
        await bench.upstream.stop();
    });
    test('BC19 SIGHUP is refused with a clear line and the process lives', async () => {
        const bench = await Bench.start();
        fs.writeFileSync(bench.headgate.file, 'version: 1\nproviders: {');
        bench.headgate.signal('SIGHUP');
        const line = await until(() => bench.headgate.lines().find((one) => /SIGHUP|reload/i.test(JSON.stringify(one))), 3000, 'a line about SIGHUP');
        assert.ok(['warn', 'error'].includes(line.level), JSON.stringify(line));
        await bench.serves();
        await bench.stop();
    });
    test('SIGUSR1, SIGUSR2 and SIGPIPE do not end it', async () => {
        const bench = await Bench.start();
        for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE']) {
            bench.headgate.signal(signal);
            await sleep(50);
            await bench.serves();
        }
        await bench.stop();
    });
});

describe('log lines', { concurrency: 4 }, () => {
    const TRACE = '0af7651916cd43dd8448eb211c80319c';
    const refusing = (exchange) => exchange.answer({ status: 401, headers: { 'x-request-id': 'req_theirs_1' },
        body: '{"error":{"message":"no","type":"authentication_error","param":null,"code":"invalid_api_key"}}' });

    test('a refused path is named', async () => {
        const bench = await Bench.start();
        for (const [target, more] of [['/v1/nowhere', {}], ['/v1/nowhere?key=x', {}], ['/v1/chat/completions', {}],
            ['/v1/nowhere', { host: 'evil.example' }]]) {
            const answer = await ask(bench.port, { method: 'GET', target, ...more });
            assert.ok(answer.status >= 400);
            const line = await bench.headgate.callLine(answer);
            assert.equal(line.path, target.split('?')[0], JSON.stringify(line));
            assert.equal(line.level, 'info', JSON.stringify(line));
        }
        await bench.stop();
    });
    test('a call that the provider spoiled is a warning with the provider\'s side', async () => {
        const bench = await Bench.start();
        const fine = await bench.headgate.callLine(await ask(bench.port, good()));
        assert.equal(fine.level, 'info', JSON.stringify(fine));
        assert.equal(fine.upstream_status, undefined, JSON.stringify(fine));
        bench.upstream.play(refusing);
        const answer = await ask(bench.port, good());
        assert.equal(answer.status, 502);
        const line = await bench.headgate.callLine(answer);
        assert.equal(line.level, 'warn', JSON.stringify(line));
        assert.equal(line.reason, 'upstream_auth', JSON.stringify(line));
        assert.equal(line.upstream_status, 401, JSON.stringify(line));
        assert.equal(line.upstream_request_id, 'req_theirs_1', JSON.stringify(line));
        await bench.stop();
    });
    test('level warn: only the calls that went wrong', async () => {
        const bench = await Bench.start({ log: { level: 'warn', format: 'json' } });
        assert.equal((await ask(bench.port, good())).status, 200);
        assert.equal((await ask(bench.port, good('messages', { stream: true }))).status, 200);
        bench.upstream.play(refusing);
        const answer = await ask(bench.port, good());
        assert.equal((await bench.headgate.callLine(answer)).status, 502);
        assert.equal(bench.headgate.callLines().length, 1, bench.headgate.stderr);
        await bench.stop();
    });
    test('level debug: one more line for each attempt', async () => {
        const bench = await Bench.start({ log: { level: 'debug', format: 'json' } });
        const calls = [[good(), 'openai', 200], [good('messages', { stream: true }), 'anthropic', 200], [good(), 'openai', 502]];
        for (const [what, provider, status] of calls) {
            if (status !== 200) {
                bench.upstream.play(refusing);
            }
            const answer = await ask(bench.port, what);
            assert.equal(answer.status, status);
            const line = await bench.headgate.callLine(answer);
            const attempts = bench.headgate.lines().filter((one) => one.event === 'attempt' && one.call_id === line.call_id);
            assert.equal(attempts.length, 1, JSON.stringify(attempts));
            assert.equal(attempts[0].level, 'debug');
            assert.equal(attempts[0].attempt, 1);
            assert.equal(attempts[0].provider, provider);
            assert.equal(attempts[0].outcome, line.outcome);
        }
        const refused = await ask(bench.port, { method: 'GET', target: '/v1/nowhere' });
        await bench.headgate.callLine(refused);
        assert.equal(bench.headgate.lines().filter((one) => one.event === 'attempt').length, calls.length, 'none without a provider');
        await bench.stop();
    });
    test('traceparent and x-headgate-trace are told', async () => {
        const bench = await Bench.start();
        for (const [headers, wanted] of [
            [{ Traceparent: `00-${TRACE}-b7ad6b7169203331-01`, 'X-Headgate-Trace': 'job-7.a_b' }, { trace_id: TRACE, trace: 'job-7.a_b' }],
            [{ Traceparent: '00-short-b7ad6b7169203331-01' }, {}], [{}, {}]]) {
            bench.upstream.forget();
            const answer = await ask(bench.port, good('chat', {}, { headers }));
            assert.equal(answer.status, 200, answer.body.toString());
            const { trace_id, trace } = await bench.headgate.callLine(answer);
            assert.deepEqual({ trace_id, trace }, { trace_id: undefined, trace: undefined, ...wanted });
            assert.equal(header(bench.upstream.requests[0], 'traceparent'), headers.Traceparent, 'it goes on to the provider');
        }
        await bench.stop();
    });
    test('x-headgate-tags are names, and told', async () => {
        const bench = await Bench.start();
        for (const [value, tags] of [['nightly', 'nightly'], ['a, b,c.d-e_F', 'a,b,c.d-e_F'], ['a,', 'a'], ['', ''], [',a', undefined],
            ['a b', undefined], ['x'.repeat(65), undefined],
            [Array.from({ length: 17 }, (_, i) => `t${i}`).join(), undefined]]) {
            const answer = await ask(bench.port, good('chat', {}, { headers: { 'x-headgate-tags': value } }));
            assert.equal(answer.status, tags === undefined ? 400 : 200, `${value}: ${answer.body}`);
            const line = await bench.headgate.callLine(answer);
            assert.equal(line.tags, tags || undefined);
            assert.equal(line.reason, tags === undefined ? 'invalid_tags' : undefined);
        }
        await bench.stop();
    });
});

describe('limits of the system', () => {
    test('G08 out of descriptors: accepting pauses, says so, and goes on', async () => {
        const upstream = await Upstream.start();
        upstream.play(healthy);
        const headgate = await Headgate.start({ providers: providersAt(upstream) }, { wrap: ['sh', '-c', 'ulimit -n 64; exec "$0" "$@"'] });
        const apps = [];
        // Those that have said nothing make room for others (BT04), so each says something.
        const more = async () => apps.push((await App.connect(headgate.port)).send(request({ method: 'GET', target: '/livez' })));
        for (let i = 0; i < 120; i += 1) {
            await more();
        }
        await until(() => headgate.lines().some((line) => /descriptor|EMFILE|accept/i.test(line.msg ?? '')), 5000, 'a line about it');
        const cpu = headgate.cpu();
        await sleep(1000);
        assert.ok(headgate.cpu() - cpu < 500, 'the loop does not spin');
        // A descriptor comes back and is taken at once: accepting goes on and pauses again.
        for (let i = 0; i < 30; i += 1) {
            apps.shift().close();
            await more();
            await sleep(20);
        }
        const told = headgate.lines().filter((line) => line.event === 'accept_paused');
        assert.ok(told.length >= 1 && told.length <= 2, `told ${told.length} times`);
        apps.forEach((app) => app.close());
        await until(async () => (await ask(headgate.port, good(), 1000).catch(() => null))?.status === 200, 8000, 'it serves again');
        headgate.check();
        await headgate.stop();
        await upstream.stop();
    });
    test('G21 stdout and stderr closed by their reader', async () => {
        const bench = await Bench.start();
        bench.headgate.process.stdout.destroy();
        bench.headgate.process.stderr.destroy();
        await sleep(50);
        for (let i = 0; i < 20; i += 1) {
            await bench.serves();
        }
        const cpu = bench.headgate.cpu();
        await sleep(1000);
        assert.ok(bench.headgate.cpu() - cpu < 500, 'the loop does not spin over lines that nobody takes');
        await bench.stop();
    });
    test('fixtures answer on both dialects', async () => {
        const headgate = await Headgate.start({ providers: FIXTURES });
        for (const operation of ['chat', 'responses', 'messages', 'embeddings']) {
            const [one, two] = [await ask(headgate.port, good(operation)), await ask(headgate.port, good(operation))];
            assert.equal(one.status, 200, one.body.toString());
            const bare = (answer) => answer.body.toString().replace(/"(created|created_at|completed_at)": ?\d+/g, '');
            assert.equal(bare(one), bare(two), 'the same request gets the same answer');
        }
        await headgate.stop();
    });
    test('scripted failures of fixtures', async () => {
        const fixtures = (fail) => ({ kind: 'fixtures', fixtures: { dialect: 'openai', fail: [fail] } });
        const headgate = await Headgate.start({
            providers: { s: fixtures({ status: 503, every: 2 }), c: fixtures({ cut: 2, every: 1 }), r: fixtures({ reset: true, every: 1 }), h: fixtures({ hang: '30s', every: 1 }) },
            routes: Object.fromEntries(['s', 'c', 'r', 'h'].map((name) => [name, { targets: [{ provider: name, model: 'm' }],
                retry: { attempts: 1 }, timeouts: { first_content: '1s', head: '1s', idle: '1s' } }])),
        });
        const statuses = [];
        for (let i = 0; i < 4; i += 1) {
            statuses.push((await ask(headgate.port, good('chat', { model: 's' }))).status);
        }
        assert.deepEqual(statuses, [200, 503, 200, 503]);
        const cut = await ask(headgate.port, good('chat', { model: 'c', stream: true }));
        assert.ok(cut.status === 502 || /"code": ?"upstream_/.test(cut.body.toString()), cut.body.toString());
        assert.equal((await ask(headgate.port, good('chat', { model: 'r' }))).status, 502);
        assert.equal((await ask(headgate.port, good('chat', { model: 'h' }))).status, 504);
        await headgate.stop();
    });
});
