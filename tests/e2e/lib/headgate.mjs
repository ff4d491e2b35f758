// SPDX-License-Identifier: Apache-2.0
// Runs the real program: settings in, ready process out, its log collected, its end checked. The
// binary comes from HEADGATE_BIN. After each test `check()` holds what must always hold: the log is
// JSON lines, no secret is in it, and every call that was counted has one line.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { ask } from './app.mjs';
import { header, until, within } from './wire.mjs';

export const BINARY = process.env.HEADGATE_BIN;

// Secrets that the tests plant; none of them may ever appear in a log line.
export const CANARY = {
    provider: 'sk-test-canary-provider-0f1e2d3c',
    anthropic: 'sk-test-canary-anthropic-4b5a6978',
    app: 'sk-test-canary-app-8796a5b4',
    prompt: 'canary-prompt-marker-c3d2e1f0',
    header: 'canary-header-marker-11223344',
};

// Of operators, for a headgate that is started with `resets`.
const ADMIN_TOKEN = 'test-token-of-operators';

export function requireBinary() {
    if (!BINARY || !fs.existsSync(BINARY)) {
        console.error('HEADGATE_BIN must name the headgate program');
        process.exit(1);
    }
}

export async function freePort() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

// A run never leaves a headgate behind, however it ends.
const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

// A clean environment: only what the program needs to run, and the sanitizers' options.
export function environment(extra = {}) {
    const kept = Object.entries(process.env).filter(([name]) =>
        /^(PATH|LANG|TZ|[A-Z]+SAN_OPTIONS|LD_.*|SSL_CERT_.*)$/.test(name));
    return { ...Object.fromEntries(kept), ...extra };
}

export const temporary = () => fs.mkdtempSync(path.join(os.tmpdir(), 'headgate-e2e-'));

// The standard pair of providers, both at the scripted upstream.
export function providersAt(upstream, more = {}) {
    return {
        openai: { kind: 'openai', base_url: `${upstream.origin}/v1`, credential: CANARY.provider, ...more },
        anthropic: { kind: 'anthropic', base_url: upstream.origin, credential: CANARY.anthropic, ...more },
    };
}

// Runs the program to its end: { code, signal, stdout, stderr }.
export async function runToEnd(args, { env = {}, cwd, ms = 10000 } = {}) {
    const child = spawn(BINARY, args, { env: environment(env), cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (piece) => { stdout += piece; });
    child.stderr.on('data', (piece) => { stderr += piece; });
    try {
        const [code, signal] = await within(
            new Promise((resolve) => child.once('close', (...how) => resolve(how))),
            ms, `headgate ${args.join(' ')}`);
        return { code, signal, stdout, stderr };
    } finally {
        child.kill('SIGKILL');
    }
}

export class Headgate {
    stdout = '';
    stderr = '';
    exited = null; // { code, signal }

    // settings: the config as an object (JSON is YAML), without version and listeners, or a text
    // in which LISTEN and ADMIN stand for the two addresses; null: no file at all. ready: false
    // does not wait for /readyz. wrap: a command in front, as ['prlimit', '--nofile=40']. resets: it
    // takes reset().
    static async start(settings, { env = {}, args = [], ready = true, wrap = [], command = [], resets = false } = {}) {
        const all = resets ? { HEADGATE_ADMIN_TOKEN: ADMIN_TOKEN, ...env } : env;
        for (let tries = 1; ; tries += 1) {
            const headgate = new Headgate();
            await headgate.#spawn(settings, { env: all, args, wrap, command });
            try {
                if (ready) {
                    await headgate.ready();
                }
                return headgate;
            } catch (error) {
                await headgate.kill();
                // Someone else took the port between our look and its bind.
                if (headgate.exited?.code !== 73 || tries === 3) {
                    throw error;
                }
            }
        }
    }

    async #spawn(settings, { env, args, wrap, command }) {
        this.dir = temporary();
        this.port = await freePort();
        do {
            this.admin = await freePort();
        } while (this.admin === this.port);
        const file = path.join(this.dir, 'headgate.yaml');
        const addresses = { listen: `127.0.0.1:${this.port}`, admin: `127.0.0.1:${this.admin}` };
        const all = [...args];
        if (settings !== null) {
            fs.writeFileSync(file, typeof settings === 'string'
                ? settings.replaceAll('LISTEN', addresses.listen).replaceAll('ADMIN', addresses.admin)
                : JSON.stringify({ version: 1, listen: addresses.listen, admin: { listen: addresses.admin },
                                   log: { level: 'info', format: 'json' }, ...settings }));
            all.push('-c', file);
        }
        this.file = file;
        const [program, ...rest] = [...wrap, BINARY, ...all, ...command];
        this.process = spawn(program, rest, {
            cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'],
            env: environment({ HOME: this.dir, XDG_CONFIG_HOME: this.dir, XDG_STATE_HOME: this.dir,
                STATE_DIRECTORY: path.join(this.dir, 'state'), ...env }),
        });
        this.pid = this.process.pid;
        alive.add(this.process);
        for (const handle of [this.process, this.process.stdout, this.process.stderr]) {
            handle.unref();
        }
        this.process.stdout.on('data', (piece) => { this.stdout += piece; });
        this.process.stderr.on('data', (piece) => { this.stderr += piece; });
        this.ended = new Promise((resolve) => this.process.once('close', (code, signal) => {
            this.exited = { code, signal };
            alive.delete(this.process);
            resolve(this.exited);
        }));
    }

    async ready(ms = 10000) {
        await until(async () => {
            if (this.exited) {
                throw new Error(`headgate ended with ${JSON.stringify(this.exited)}: ${this.stderr}`);
            }
            const answer = await ask(this.port, { method: 'GET', target: '/readyz' }, 1000)
                .catch(() => null);
            return answer?.status === 200 && this.#holds(this.port);
        }, ms, `readiness of headgate (${this.stderr.slice(-500)})`);
    }

    // Whether the listener at this port is this very process, and not another headgate that took the
    // port between our look and its bind.
    #holds(port) {
        const own = new Set(fs.readdirSync(`/proc/${this.pid}/fd`).map((fd) => {
            try {
                return fs.readlinkSync(`/proc/${this.pid}/fd/${fd}`);
            } catch {
                return null; // closed meanwhile
            }
        }));
        const place = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
        return fs.readFileSync('/proc/net/tcp', 'latin1').split('\n').some((line) => {
            const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
            return state === '0A' && local.endsWith(place) && own.has(`socket:[${inode}]`);
        });
    }

    // Log lines so far, parsed. A line that is not one JSON object is an error.
    lines() {
        const text = this.stderr.slice(0, this.stderr.lastIndexOf('\n') + 1);
        return text.split('\n').filter((line) => line !== '').map((line) => {
            const value = JSON.parse(line);
            assert.equal(typeof value, 'object', line);
            return value;
        });
    }

    callLines() {
        return this.lines().filter((line) => line.event === 'call');
    }

    // The line of the call that got this answer.
    async callLine(answer, ms = 3000) {
        const id = header(answer, 'x-headgate-call-id');
        return until(() => this.callLines().find((line) => line.call_id === id), ms,
            `the log line of call ${id}`);
    }

    // What must hold after every test.
    check() {
        assert.equal(this.exited, null, `headgate has ended: ${this.stderr.slice(-2000)}`);
        this.#checkLog();
    }

    #checkLog() {
        for (const [name, secret] of Object.entries(CANARY)) {
            for (const text of [this.stderr, this.stdout]) {
                assert.ok(!text.includes(secret), `the ${name} canary is in the log`);
            }
        }
        const found = /^==\d+== [^]*/m.exec(this.stderr);
        assert.equal(found, null, `valgrind: ${found?.[0].slice(0, 2000)}`);
        const ids = this.callLines().map((line) => line.call_id);
        assert.equal(new Set(ids).size, ids.length, 'a call has one line');
    }

    // Nothing of the calls before is held against any target, as an operator would do it: breakers,
    // parks and cooldowns go on working, and no row of a table suffers from the row before.
    async reset() {
        const answer = await ask(this.admin, { target: '/admin/v1/targets/%2A/reset', host: `127.0.0.1:${this.admin}`,
            headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } }, 5000);
        assert.equal(answer.status, 200, answer.body.toString());
    }

    descriptors() {
        return fs.readdirSync(`/proc/${this.pid}/fd`).length;
    }

    descriptorNames() {
        return fs.readdirSync(`/proc/${this.pid}/fd`).map((fd) => {
            try {
                return fs.readlinkSync(`/proc/${this.pid}/fd/${fd}`);
            } catch {
                return ''; // closed meanwhile
            }
        });
    }

    // Resident bytes that are its own.
    memory() {
        const [, resident, shared] = fs.readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ');
        return (Number(resident) - Number(shared)) * 4096;
    }

    // CPU time used so far, in ms.
    cpu() {
        const fields = fs.readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1].split(' ');
        return (Number(fields[11]) + Number(fields[12])) * 10;
    }

    signal(name) {
        this.process.kill(name);
    }

    // SIGTERM, exit 0, clean log.
    async stop(ms = 15000) {
        if (!this.exited) {
            this.signal('SIGTERM');
            await within(this.ended, ms, 'the end after SIGTERM').catch(async (error) => {
                await this.kill();
                throw error;
            });
        }
        assert.deepEqual(this.exited, { code: 0, signal: null },
            `end of headgate; log: ${this.stderr.slice(-2000)}`);
        this.#checkLog();
        fs.rmSync(this.dir, { recursive: true, force: true });
    }

    async kill() {
        if (!this.exited) {
            this.signal('SIGKILL');
            await this.ended;
        }
        fs.rmSync(this.dir, { recursive: true, force: true });
    }
}
