// SPDX-License-Identifier: Apache-2.0
// The column `charge` of faults.md: what the attempts of a row at its first provider are charged.
//   0   nothing                        U    as told
//   A   nobody knows whether it ran: the input, as `ambiguous_charge` has it for a budget that enforces
//   I   the input                      IO   the input and the output that came
//   est the answer is whole and tells no usage
// Several: any of them, as the provider's answer can or cannot be read. Where a row differs from faults.md: a connection
// that is reset at once (A11) may have taken the whole request with it; of an answer that broke off (C33, C34) or was
// too long (C40) what came is charged too, and of one that drips until the deadline (C45) as of any that we close; a
// stream where a whole answer was asked (D29) is not read on for its usage.
import assert from 'node:assert/strict';

const per = (letter, count, charge, but = {}) => Object.fromEntries(Array.from({ length: count }, (_, i) => {
    const id = `${letter}${String(i + 1).padStart(2, '0')}`;
    return [id, but[id] ?? charge];
}));

export const charges = {
    ...per('A', 22, '0', { A05: 'U', A06: 'U', A20: 'U', A11: '0 A' }),
    ...per('B', 20, 'A', { B01: '0', B02: '0', B03: '0', B04: '0', B06: 'U', B07: 'A U', B08: 'A U', B10: 'U A', B12: 'U' }),
    ...per('C', 51, '0', {
        C08: 'A', C22: 'U 0', C32: 'A', C33: 'U A IO', C34: 'U A IO', C35: 'U', C40: 'IO', C45: 'cancelled', C46: 'U 0', C47: 'U', C48: 'U', C49: 'U', C50: 'U', C51: 'U',
        ...Object.fromEntries([36, 37, 38, 39, 41, 42, 43, 44].map((n) => [`C${n}`, 'A'])),
    }),
    ...per('D', 36, 'U', { D01: '0', D02: '0', D03: 'A', D04: 'A', D05: 'I', D06: 'A', D07: 'IO', D08: 'IO', D09: 'IO', D10: 'IO U', D11: 'U est',
        D12: 'IO', D13: 'est', D18: 'IO U', D26: 'est', D27: '0', D28: 'est U', D29: 'A', D35: 'IO', D36: 'IO' }),
};

const is = {
    0: (record) => record.charged_nusd === 0,
    U: (record) => (['complete', 'refused_told', 'drained'].includes(record.charge) && record.provenance === 'provider') ||
        ((record.usage_raw === undefined || record.flags?.includes('usage_anomaly')) && is.est(record)),
    A: (record) => record.charge === 'ambiguous' && record.charged_nusd > 0 && record.input > 0 && !record.output,
    I: (record) => ['broken', 'ambiguous'].includes(record.charge) && record.charged_nusd > 0 && record.input > 0,
    IO: (record) => record.charge === 'broken' && record.input > 0 && record.output > 0,
    cancelled: (record) => record.charge === 'cancelled' && record.charged_nusd > 0,
    est: (record) => record.charge === 'complete_untold' && record.charged_nusd > 0,
};

// The records of one call of the row, in the order of its attempts; the last one may be the second provider's.
export function checkCharges(id, records, isFirst) {
    for (const record of records) {
        const what = `${id}, attempt ${record.attempt}: ${record.charge} ${record.charged_nusd} nUSD after ${record.outcome}`;
        assert.ok(record.hold_nusd > 0 && record.held_at && record.decision === 'allow', `${what}, held ${record.hold_nusd}`);
        if (!isFirst(record)) {
            assert.ok(is.U(record) || is.est(record), `${what}, wanted the second one's usage`);
        } else if (charges[id]) {
            assert.ok(charges[id].split(' ').some((letter) => is[letter](record)), `${what}, wanted ${charges[id]}`);
        }
    }
}
