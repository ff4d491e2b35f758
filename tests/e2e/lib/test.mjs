// SPDX-License-Identifier: Apache-2.0
// node:test with a limit on every test, so that a hang is a failure that names itself.
import nodeTest, { after, afterEach, before, describe } from 'node:test';
import { patient } from './wire.mjs';

const LIMIT_MS = 30000;

// test(name, fn) or test(name, options, fn)
export default function test(name, ...rest) {
    const act = rest.pop();
    return nodeTest(name, { timeout: patient(LIMIT_MS), ...rest[0] }, act);
}

export { after, afterEach, before, describe };
