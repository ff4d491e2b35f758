// SPDX-License-Identifier: Apache-2.0
// Usage records as they stand in the journal, each line's sum checked by an implementation of its own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

// CRC-32C bit by bit: slow, and nothing that a table could get wrong.
export function crc32c(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit += 1) {
            crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
        }
    }
    return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

// state: the state folder. A last line without its line feed is nobody's.
export function recordsIn(state) {
    const folder = path.join(state, 'journal');
    const names = fs.existsSync(folder) ? fs.readdirSync(folder).sort((a, b) => a.split('-')[1].localeCompare(b.split('-')[1])) : [];
    return names.flatMap((name) => {
        const text = fs.readFileSync(path.join(folder, name), 'utf8');
        return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => {
            const at = line.lastIndexOf(',"crc":"');
            assert.equal(crc32c(Buffer.from(line.slice(0, at))), line.slice(at + 8, at + 16), line);
            return JSON.parse(line);
        });
    });
}
