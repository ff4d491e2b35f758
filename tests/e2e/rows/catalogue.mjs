// SPDX-License-Identifier: Apache-2.0
// The ids of faults.md A to E, and why some are not shown by the scorecard.
const run = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${String(i + 1).padStart(2, '0')}`);

export const ids = [...run('A', 22), ...run('B', 20), ...run('C', 51), ...run('D', 36), ...run('E', 10)];

export const notHere = new Map([
]);
