// SPDX-License-Identifier: Apache-2.0
// The ids of faults.md A to E, and why some are not shown by the scorecard.
import { canHaveFewPorts } from './ports.mjs';
import { own } from './reach.mjs';

const run = (letter, count) => Array.from({ length: count }, (_, i) => `${letter}${String(i + 1).padStart(2, '0')}`);

export const ids = [...run('A', 22), ...run('B', 20), ...run('C', 51), ...run('D', 36), ...run('E', 10)];

const CONTRACT = 'shown with a resolver of its own by tests/contract/test_dial.c';

// Not counted as shown here.
export const notHere = new Map([
    ['A01', `needs a DNS server; ${CONTRACT}: name__that_does_not_exist_is_told_and_not_asked_again_at_once`],
    ['A02', `needs a DNS server; ${CONTRACT}: name__that_fails_later_is_served_by_its_last_good_address`],
    ['A03', `needs a DNS server; ${CONTRACT}: name__that_nobody_answers_runs_out_of_time_and_holds_nothing_up`],
    ['A05', `needs a DNS server; ${CONTRACT}: name__with_a_dead_first_address_is_served_by_the_next`],
    ['A06', `needs a DNS server; ${CONTRACT}: name__with_a_silent_first_address_is_served_by_the_next_in_time`],
    ['A07', `needs a DNS server; ${CONTRACT}: egress__judges_each_address_by_itself`],
    ...(own === null ? [['A04', 'needs a name of this machine with a private address']] : []),
    ...(canHaveFewPorts ? [] : [['A21', 'needs a network of its own with few ports (unshare -rn)']]),
    ['C19', 'needs the Gemini dialect, whose RetryInfo it is'],
    ['D24', 'needs the Gemini dialect'],
    ['D31', 'needs budgets'],
    ['E10', 'needs a store of idempotency keys'],
]);
