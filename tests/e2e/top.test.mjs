// SPDX-License-Identifier: Apache-2.0
// headgate top: one table, tables one after the other without a terminal, and on one; what it says when
// nobody answers, or somebody else.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import { BINARY, CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { good } from './lib/samples.mjs';
import test, { after, before } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { patient, until, within } from './lib/wire.mjs';

requireBinary();

const TOKEN = 'test-token-of-operators';
const env = { ...process.env, HEADGATE_ADMIN_TOKEN: TOKEN, TERM: 'xterm' };
const children = [];
let upstream;
let dir;
let headgate;
let file;
let begun; // when the calls of the first minute were made

before(async () => {
    dir = temporary();
    fs.writeFileSync(path.join(dir, 'prices.yaml'), `version: 1
prices:
  - { provider: first, model: m, input: 1, output: 10, source: "made up" }
`);
    upstream = await Upstream.start();
    upstream.play((exchange) => exchange.json({ id: 'x', object: 'chat.completion', model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 } }));
    headgate = await Headgate.start({
        state_dir: path.join(dir, 'state'),
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: { first: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider } },
        routes: { one: { targets: [{ provider: 'first', model: 'm' }] } },
    }, { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
    file = path.join(dir, 'copy.yaml'); // its own is deleted at its end
    fs.copyFileSync(headgate.file, file);
    begun = Date.now();
    for (let i = 0; i < 3; i += 1) {
        assert.equal((await ask(headgate.port, good('chat', { model: 'one' }))).status, 200);
    }
    // Two of another source: one of this minute with an error, one of half an hour ago.
    const reported = [{ call_id: 'r-1', at: new Date().toISOString(), input: 250000, status: 500, outcome: 'provider_error' },
        { call_id: 'r-2', at: new Date(begun - 1800000).toISOString() }];
    const answer = await ask(headgate.admin, { target: '/admin/v1/usage/records', host: `127.0.0.1:${headgate.admin}`,
        headers: { Authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({ records: reported.map((more) => ({ source: 'job', provider: 'other', model: 'large', output: 5,
            cost_usd: '1.25', user: 'a b&c', ...more })) }) });
    assert.equal(answer.status, 200, answer.body.toString());
    await until(async () => /^total .* 5 +1 /m.test((await top('--once')).stdout), 10000, 'all calls in the table');
});
after(async () => {
    children.forEach((child) => child.kill('SIGKILL'));
    await headgate?.stop();
    await upstream?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});

const top = (...words) => runToEnd(['-c', file, 'top', ...words], { env: { HEADGATE_ADMIN_TOKEN: TOKEN } });
// A program that goes on until it is told to end: its text so far, and its end.
function begin(program, ...words) {
    const child = spawn(program, words, { env });
    const run = { child, text: '', said: '', ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code))) };
    child.stdout.on('data', (piece) => { run.text += piece; });
    child.stderr.on('data', (piece) => { run.said += piece; });
    children.push(child);
    return run;
}
const over = (run) => within(run.ended, 10000, 'the end');
// A row's figures: of the last minute, the hour, and since the start.
const row = (text, name) => text.split('\n').slice(1).find((line) => line.startsWith(`${name} `))?.slice(name.length).trim().split(/ +/);
// On a machine that is slow enough, that minute is over.
const inMinute = () => Date.now() - begun < 50000;

test('--once: a table of the last minute, the hour, and since the start', async () => {
    const { code, stdout, stderr } = await top('--once');
    const isFresh = inMinute();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^headgate \S+ {2}ok {2}up 0d00:\d\d:\d\d {2}0 in flight {2}\d\d:\d\d:\d\d UTC$/m);
    assert.match(stdout, /^ +last minute +since \d\d:\d\d +since \d\d:\d\d \(start\)$/m);
    assert.match(stdout, /^provider\/model +calls +errors +in +out +USD +calls/m);
    const own = ['3', '0', '300', '21', '0.000510'];
    const minute = (figures) => (isFresh ? figures : []);
    const shown = (name) => row(stdout, name).slice(isFresh ? 0 : 5);
    assert.deepEqual(shown('first/m'), [...minute(own), ...own, ...own]);
    const others = ['1', '1', '250.0k', '5', '1.250000']; // the other one was before the start
    assert.deepEqual(shown('other/large'), [...minute(others), '2', '1', '250.0k', '10', '2.500000', ...others]);
    const all = ['4', '1', '250.3k', '26', '1.250510'];
    assert.deepEqual(shown('total'), [...minute(all), '5', '1', '250.3k', '31', '2.500510', ...all]);
    assert.doesNotMatch(stdout, /\x1b/);
});
test('--by and filters, and what is wrong with them', async () => {
    const by = (await top('--once', '--by', 'source', '--provider', 'other')).stdout;
    assert.deepEqual(row(by, 'job').slice(5, 7), ['2', '1']);
    assert.equal(row(by, 'headgate'), undefined, 'a row of another provider');
    assert.equal(row((await top('--once', '--by=user', '--user=a b&c')).stdout, 'total')[5], '2');
    for (const [words, said] of [[['--by', 'colour'], /by: /], [['--every', '10ms'], /--every takes a duration from 1s/], [['--from', '1h'], /no --from/],
        [['now'], /one word too many/], [['--key'], /needs a value/]]) {
        const { code, stderr } = await top(...words);
        assert.equal(code, 64, words.join(' '));
        assert.match(stderr, said);
    }
    const help = await top('--help');
    assert.equal(help.code, 0);
    assert.match(help.stdout, /^usage: headgate .*top \[--once\] \[--by LIST\][^]*--every TIME/);
});
test('without a terminal: a table each second, and what is new is in a later one', async () => {
    const run = begin(BINARY, '-c', file, 'top');
    const tables = () => run.text.split('\n\nheadgate ').filter((text, i, all) => i + 1 < all.length);
    await until(() => tables().length >= 1, 10000, 'a table');
    assert.equal((await ask(headgate.port, good('chat', { model: 'one' }))).status, 200);
    await until(() => row(tables().at(-1), 'first/m')[5] === '4', 10000, 'the call in a table');
    const last = row(tables().at(-1), 'first/m');
    assert.deepEqual([last[7], last[10], last[12]], ['400', '4', '400']);
    assert.ok(Number(last[0]) >= 1 && Number(last[0]) <= 4, `${last[0]} calls in the last minute`);
    run.child.kill('SIGINT');
    assert.equal(await over(run), 0);
    assert.doesNotMatch(run.text, /\x1b/);
});
const SCRIPT = `
import fcntl, os, pty, select, struct, sys, termios, time
def resize(rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
go, ready = os.pipe()
child, fd = pty.fork()
if child == 0:
    os.read(go, 1) # until the terminal has its size
    os.execvp(sys.argv[2], sys.argv[2:])
resize(10, 80)
os.write(ready, b'x')
out = b''
def read(done):
    global out
    end = time.time() + float(os.environ['SECONDS'])
    while time.time() < end and not done():
        if select.select([fd], [], [], 0.1)[0]:
            try:
                out += os.read(fd, 65536)
            except OSError:
                return
def pictures():
    return out.count(b'\\x1b[J')
read(lambda: pictures() >= 1)
resize(6, 40)
seen = pictures()
read(lambda: pictures() > seen + 1)
resize(3, 9)
seen = pictures()
read(lambda: pictures() > seen + 1)
if sys.argv[1] == 'c':
    os.write(fd, b'\\x03') # Ctrl-C
else:
    os.kill(child, 15)
read(lambda: False)
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(out)
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)
`;
test('on a terminal: within its size, and given back at Ctrl-C and SIGTERM', async () => {
    env.SECONDS = String(patient(10));
    const runs = ['c', 'term'].map((end) => begin('python3', '-c', SCRIPT, end, BINARY, '-c', file, 'top'));
    for (const run of runs) {
        assert.equal(await within(run.ended, 25000, 'the end'), 0, run.text + run.said);
        assert.ok(run.text.startsWith('\x1b[?1049h\x1b[?25l'), 'a screen of its own');
        assert.match(run.text, /\x1b\[\?25h\x1b\[\?1049l$/, 'given back');
        const screens = run.text.split('\x1b[H').slice(1).map((screen) => screen.split('\x1b[J')[0].replaceAll('\x1b[K', '').replaceAll('\r', '').split('\n'));
        const small = screens.find((screen) => screen.length === 6);
        for (const [screen, rows, columns] of [[screens[0], 10, 80], [small, 6, 40], [screens.at(-1), 3, 9]]) {
            assert.ok(screen.length <= rows, JSON.stringify(screen));
            assert.ok(screen.every((line) => line.length <= columns), JSON.stringify(screen));
        }
        assert.match(screens[0].join('\n'), /last minute[^]*first\/m[^]*\ntotal /);
        assert.doesNotMatch(screens[0].join('\n'), /since/, 'one window of time is all that fits');
        assert.match(small.join('\n'), /and 2 more/);
    }
});
test('somebody else at the address: told, and no byte of it moves the terminal', async () => {
    const answers = {
        status: { status: 'o\x1bk', process: { version: '\x1b]0;x\x07', uptime_s: 5, calls_in_flight: 1 } },
        summary: { total: { calls: 1 }, groups: [{ provider: '\x1b[2J\u009b31m', model: 'a\r\nb', calls: 1 }] },
        calls: { calls: [{ at: 5, model: ['\x1b[2J'] }, '\x1b[2J', 7] },
    };
    let status = 200;
    const server = http.createServer((request, response) => {
        response.statusCode = status;
        response.end(status === 200 ? JSON.stringify(answers[/\w+(?=$|\?)/.exec(request.url)[0]]) : '<html>\x1b[2J');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    server.unref();
    const other = path.join(dir, 'other.yaml');
    fs.writeFileSync(other, JSON.stringify({ version: 1, providers: { one: { kind: 'openai', credential: 'none' } }, admin: { listen: `127.0.0.1:${server.address().port}` } }));
    const asked = () => runToEnd(['-c', other, 'top', '--once']);
    const shown = await asked();
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(row(shown.stdout, '?[2J?31m/a??b')?.[5], '1', shown.stdout);
    assert.match(shown.stdout, /^[\n -~]+$/);
    answers.summary = [];
    const none = await asked();
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^headgate: top: what answers at 127\.0\.0\.1:\d+ is no headgate of this version\n$/);
    status = 404;
    assert.match((await asked()).stderr, /^headgate: [\n -~]+$/);
    server.close();
});
test('without its token, or a disk for its table: told at once', async () => {
    const wrong = await runToEnd(['-c', file, 'top'], { env: { HEADGATE_ADMIN_TOKEN: 'test-wrong' } });
    assert.equal(wrong.code, 77);
    assert.match(wrong.stderr, /token/);
    if (fs.existsSync('/dev/full')) {
        const full = begin('sh', '-c', 'exec "$0" "$@" > /dev/full', BINARY, '-c', file, 'top');
        assert.equal(await over(full), 1, 'goes on, and nobody can see it');
    }
});
test('a listener that is gone is told, and asked again', async () => {
    const run = begin(BINARY, '-c', file, 'top');
    await until(() => run.text.includes('total'), 10000, 'a table');
    headgate.signal('SIGKILL');
    await headgate.ended;
    headgate = null;
    await until(() => /no headgate answers at 127\.0\.0\.1:\d+ \(.*\); trying again\n[^]*total/.test(run.text), 10000, 'that it is gone');
    const gone = await top('--every=1h');
    assert.equal(gone.code, 69);
    assert.match(gone.stderr, /no headgate answers/);
    run.text = '';
    const again = begin(BINARY, '-c', file, 'run');
    await until(() => /^headgate \S+ {2}ok {2}up 0d00:\d\d:\d\d.*\n\n/m.test(run.text), 10000, 'that it is back');
    run.child.kill('SIGTERM');
    again.child.kill('SIGTERM');
    assert.equal(await over(run), 0);
    assert.equal(await over(again), 0);
});
