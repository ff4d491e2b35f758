// SPDX-License-Identifier: Apache-2.0
// node:test with a limit on every test, so that a hang is a failure that names itself. The sockets
// and processes of the tests do not keep the run alive (a failed test leaves some behind), so each
// test and hook does so itself while it runs.
import nodeTest, { after as nodeAfter, afterEach as nodeAfterEach, before as nodeBefore, beforeEach as nodeBeforeEach, describe } from 'node:test';
import { patient } from './wire.mjs';

const LIMIT_MS = 30000;

const kept = (act) => async (...args) => {
    const alive = setInterval(() => {}, 1000);
    try {
        return await act(...args);
    } finally {
        clearInterval(alive);
    }
};

// test(name, fn) or test(name, options, fn)
export default function test(name, ...rest) {
    const act = rest.pop();
    return nodeTest(name, { timeout: patient(LIMIT_MS), ...rest[0] }, kept(act));
}

export const after = (act) => nodeAfter(kept(act));
export const afterEach = (act) => nodeAfterEach(kept(act));
export const before = (act) => nodeBefore(kept(act));
export const beforeEach = (act) => nodeBeforeEach(kept(act));
export { describe };
