// SPDX-License-Identifier: Apache-2.0
// A port that answers no connection attempt: a process that listens and never accepts, its queue filled
// so that the kernel drops further attempts.
import { spawn } from 'node:child_process';
import net from 'node:net';

const LISTENER = `
const server = require('node:net').createServer();
const [host, port] = process.argv.slice(1);
server.listen({ host, port: Number(port), backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

// At 127.0.0.1: { port, stop() }
export const blackhole = () => holeAt('127.0.0.1', 0);

export async function holeAt(host, wanted) {
    const child = spawn(process.execPath, ['-e', LISTENER, '--', host, String(wanted)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = await new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
    const fillers = [];
    for (let i = 0; i < 8; i += 1) {
        const filler = net.connect({ host, port });
        filler.on('error', () => {});
        fillers.push(filler);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    return {
        port,
        stop() {
            fillers.forEach((filler) => filler.destroy());
            child.kill('SIGKILL');
        },
    };
}
