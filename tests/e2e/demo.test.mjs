// SPDX-License-Identifier: Apache-2.0
// headgate demo as someone sees it who tries it for the first time: the text of README is the text
// of the program, and what runs on shows each call while it runs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { App, ask } from './lib/app.mjs';
import { freePort, Headgate, requireBinary, runToEnd } from './lib/headgate.mjs';
import { good } from './lib/samples.mjs';
import test, { describe } from './lib/test.mjs';
import { patient, request, until } from './lib/wire.mjs';

requireBinary();

const README = fs.readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

// Times are the only thing that differs from run to run.
const timeless = (text) => text.replace(/ +\d+\.\d\d s\b/g, ' T s').trimEnd();

describe('demo --once', { concurrency: 2 }, () => {
    test('prints what README shows, and ends well', async () => {
        const [, shown] = /```\n\$ \S*headgate demo --once\n([^]*?)```/.exec(README);
        const begun = Date.now();
        const { code, stdout, stderr } = await runToEnd(['demo', '--once'], { ms: patient(20000) });
        assert.equal(code, 0, stdout + stderr);
        assert.equal(timeless(stdout), timeless(shown));
        assert.equal(stderr, '');
        assert.ok(Date.now() - begun < patient(8000), `${Date.now() - begun} ms`);
    });
    test('each scripted failure is met in both dialects, and rescued by a provider of the other one', async () => {
        const { stdout } = await runToEnd(['demo', '--once', '-l', `127.0.0.1:${await freePort()}`], { ms: patient(20000) });
        for (const [dialect, other] of [['openai', 'anthropic'], ['anthropic', 'openai']]) {
            for (const how of ['503 overloaded', 'cut off', 'silence']) {
                const rungs = new RegExp(`^  ${dialect} +${how} +\\d\\.\\d\\d s   asks another target\\n  ${other}-backup +ok, 20 tokens `, 'm');
                assert.match(stdout, rungs);
            }
        }
    });
    test('a port that is taken ends it at once', async () => {
        const headgate = await Headgate.start(null, { ready: false, command: ['demo'], env: { HEADGATE_LISTEN: '127.0.0.1:0' } });
        const address = await until(() => /http:\/\/([\d.:]+)\//.exec(headgate.stdout)?.[1], patient(5000), 'the address');
        const { code, stdout, stderr } = await runToEnd(['demo', '--once', '-l', address]);
        assert.equal(code, 73, stderr);
        assert.equal(stdout, '');
        await headgate.stop();
    });
    test('wrong use is told', async () => {
        for (const [args, word] of [[['run', '--once'], /no --once of run/], [['demo', '--color=red'], /auto or never/],
            [['demo', '--once', '-l', 'unix:/tmp/headgate-demo-test'], /TCP port/], [['demo', '--once', 'more'], /one word too many/]]) {
            const { code, stderr } = await runToEnd(args);
            assert.equal(code, 64, args.join(' '));
            assert.match(stderr, word);
        }
        const { code, stdout } = await runToEnd(['demo', '--help']);
        assert.equal(code, 0);
        assert.match(stdout, /^usage: headgate \[-c FILE\] demo \[--once\]\n/);
    });
});

describe('demo', () => {
    test('shows each call as it happens, also failures, and only text on a pipe', async () => {
        const port = await freePort();
        const headgate = await Headgate.start(null, { ready: false, command: ['demo'], env: { HEADGATE_LISTEN: `127.0.0.1:${port}` } });
        headgate.port = port;
        await headgate.ready();
        const shows = (what) => until(() => what.exec(headgate.stdout), patient(5000), `${what} in ${headgate.stdout}`);

        assert.equal((await ask(port, good())).status, 200);
        await shows(/^call 1   POST \/v1\/chat\/completions\n  openai +503 overloaded +0\.\d\d s   asks another target\n  anthropic-backup +ok, \d+ tokens +0\.\d\d s\n/m);
        const streamed = await ask(port, good('chat', { stream: true }));
        assert.ok(streamed.body.toString().endsWith('data: [DONE]\n\n'));
        await shows(/^call 2   POST \/v1\/chat\/completions  stream\n  openai +cut off /m);

        // The third one is silent: its rung is there before the call's end.
        const app = await App.connect(port);
        app.send(request(good()));
        await shows(/^call 3   .*\n  openai +silence +1\.\d\d s   asks another target\n/m);
        assert.equal((await app.answer()).status, 200);

        assert.equal((await ask(port, good('chat', { model: 'any-name' }))).status, 200);
        await shows(/^call 4   .*\n  openai +ok, /m);
        assert.equal((await ask(port, { method: 'GET', target: '/v1/nowhere' })).status, 404);
        await shows(/^  the app got 404 not_found$/m);
        assert.ok(!headgate.stdout.includes('\x1b'), 'no colour on a pipe');
        assert.equal(headgate.stderr, '');
        await headgate.stop();
    });
    test('a breaker that opens is shown', async () => {
        const port = await freePort();
        const headgate = await Headgate.start(null, { ready: false, command: ['demo'], env: { HEADGATE_LISTEN: `127.0.0.1:${port}` } });
        headgate.port = port;
        await headgate.ready();
        for (let i = 0; i < 16 && !headgate.stdout.includes('a breaker opened'); i += 1) {
            assert.equal((await ask(port, good())).status, 200);
        }
        await until(() => /^  openai +a breaker opened: .*\(\d+ s\)$/m.exec(headgate.stdout), patient(3000), 'the breaker');
        await headgate.stop();
    });
});
