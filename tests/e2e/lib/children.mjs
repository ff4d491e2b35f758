// SPDX-License-Identifier: Apache-2.0
// Programs that a test starts: none is left when the test's own process ends.
import { spawn } from 'node:child_process';

const alive = new Set();
process.on('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

// Like spawn; `ended` gives its exit code or signal.
export function start(command, args, options = {}) {
    const child = spawn(command, args, options);
    alive.add(child);
    child.ended = new Promise((resolve) => child.on('exit', (code, signal) => {
        alive.delete(child);
        resolve(code ?? signal);
    }));
    return child;
}
