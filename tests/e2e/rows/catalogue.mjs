// SPDX-License-Identifier: Apache-2.0
// The ids of faults.md A to E, and why some are not shown by the scorecard.
import { canHaveFewPorts } from './ports.mjs';

const run = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${String(i + 1).padStart(2, '0')}`);

export const ids = [...run('A', 22), ...run('B', 20), ...run('C', 51), ...run('D', 36), ...run('E', 10)];

// Not counted as shown here.
export const notHere = new Map([
    ...(canHaveFewPorts ? [] : [['A21', 'needs a network of its own with few ports (unshare -rn)']]),
    ['C19', 'is shown by gemini.test.mjs: the wait that RetryInfo tells'],
    ['D24', 'is shown by gemini.test.mjs: the last figures count'],
    ['D31', 'is shown by budgets.test.mjs: a stream beyond its cap'],
]);
