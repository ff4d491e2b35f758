// SPDX-License-Identifier: Apache-2.0
// Real Redis servers on free ports of 127.0.0.1: one, or one with a replica and a sentinel.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { start } from './children.mjs';
import { freePort, temporary } from './headgate.mjs';
import { patient, until } from './wire.mjs';

export class Redis {
    constructor(args = []) {
        this.args = args;
        this.folder = temporary();
    }

    async start() {
        this.port ??= await freePort();
        this.child = start('redis-server', [...this.words(), '--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder,
            ...this.args], { stdio: 'ignore' });
        await until(async () => {
            try {
                return /PONG|NOAUTH/.test(await this.ask(['PING']));
            } catch {
                return false;
            }
        }, 10000, 'redis');
        return this;
    }

    words() {
        return ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    }

    // One command, after AUTH with this password; gives the raw reply.
    async ask(...commands) {
        const socket = net.connect(this.port, '127.0.0.1');
        const auth = this.password ? [['AUTH', this.password]] : [];
        const all = [...auth, ...commands, ['QUIT']];
        let text = '';
        await new Promise((resolve, reject) => {
            socket.on('error', reject).on('close', resolve).setEncoding('utf8').on('data', (part) => {
                text += part;
                if (/unknown command 'QUIT'/.test(text)) { // a sentinel does not know it
                    socket.destroy();
                }
            });
            socket.write(all.map((words) => `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`).join(''));
        });
        return text;
    }

    async ids(stream = 'headgate:usage', database = '0') {
        const text = await this.ask(['SELECT', database], ['XRANGE', stream, '-', '+']);
        return [...text.matchAll(/\r\nrecord_id\r\n\$\d+\r\n([^\r]*)\r\n/g)].map((match) => match[1]);
    }

    async stop() {
        this.child.kill('SIGKILL');
        await this.child.ended;
    }

    async remove() {
        if (this.child.exitCode === null && this.child.signalCode === null) {
            await this.stop();
        }
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

class Sentinel extends Redis {
    words() {
        const file = path.join(this.folder, 'sentinel.conf');
        fs.appendFileSync(file, '');
        return [file, '--sentinel'];
    }
}

// A primary and its replica, and a sentinel that knows them by the name `main`.
export class RedisPair {
    async start() {
        this.servers = [await new Redis(['--repl-diskless-sync-delay', '0']).start(), await new Redis(['--repl-diskless-sync-delay', '0']).start()];
        this.sentinel = await new Sentinel().start();
        const [primary, replica] = this.servers;
        await replica.ask(['REPLICAOF', '127.0.0.1', String(primary.port)]);
        await this.sentinel.ask(['SENTINEL', 'MONITOR', 'main', '127.0.0.1', String(primary.port), '1']);
        await this.sentinel.ask(['SENTINEL', 'SET', 'main', 'down-after-milliseconds', '200', 'failover-timeout', '3000']);
        await this.whole();
        return this;
    }

    // The settings of a ledger on it.
    get ledger() {
        return { kind: 'redis', url: [`redis://127.0.0.1:${this.sentinel.port}`], sentinel: 'main' };
    }

    async primary() {
        const told = await this.sentinel.ask(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main']);
        return this.servers.find((server) => told.includes(`\r\n${server.port}\r\n`));
    }

    // Waits until the replica has all that the primary has, and the sentinel knows both. (A primary that comes back
    // when it is none any more would be told so by the sentinel, but only after some ten seconds.)
    async whole() {
        await until(async () => {
            try {
                const primary = await this.primary();
                const replica = this.servers.find((server) => server !== primary);
                if (/role:master/.test(await replica.ask(['INFO', 'replication']))) {
                    await replica.ask(['REPLICAOF', '127.0.0.1', String(primary.port)]);
                }
                return /role:master/.test(await primary.ask(['INFO', 'replication'])) && /:1\r\n/.test(await primary.ask(['WAIT', '1', '100'])) &&
                    /master_link_status:up/.test(await replica.ask(['INFO', 'replication'])) &&
                    (await this.sentinel.ask(['SENTINEL', 'REPLICAS', 'main'])).includes(`\r\n${replica.port}\r\n`) &&
                    /flags\r\n\$\d+\r\nmaster\r\n/.test(await this.sentinel.ask(['SENTINEL', 'MASTER', 'main']));
            } catch {
                return false;
            }
        }, patient(30000), 'a primary with its replica');
    }

    // The primary dies while the replica is behind by all that `meanwhile` does; the replica takes over, and the
    // old primary comes back as its replica.
    async failOver(meanwhile) {
        const old = await this.primary();
        const next = this.servers.find((server) => server !== old);
        next.child.kill('SIGSTOP');
        await old.ask(['CLIENT', 'KILL', 'TYPE', 'replica']);
        await meanwhile();
        await old.stop();
        next.child.kill('SIGCONT');
        await until(async () => await this.primary() === next, patient(30000), 'the replica takes over');
        await old.start();
    }

    async remove() {
        await Promise.all([this.sentinel, ...this.servers ?? []].map((one) => one?.remove()));
    }
}
