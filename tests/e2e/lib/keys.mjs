// SPDX-License-Identifier: Apache-2.0
// Callers' keys as a test makes them: the form, the checksum and the digest worked out apart from the
// program.
import crypto from 'node:crypto';
import { crc32c } from './records.mjs';

export const KEY_SECRET = 'key-secret-of-the-tests-0123456789';

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

// The key's whole text; `rest` without its checksum.
export function withSum(rest) {
    let sum = parseInt(crc32c(Buffer.from(rest)), 16);
    let text = rest;
    for (let i = 0; i < 6; i += 1) {
        text += LETTERS[sum % 62];
        sum = Math.floor(sum / 62);
    }
    return text;
}

const chance = (count) => Array.from(crypto.randomBytes(count), (byte) => LETTERS[byte % 62]).join('');

export const newKey = () => withSum(`hg_${chance(8)}_${chance(28)}`);

export const digestOf = (key, secret = KEY_SECRET) =>
    `hmac-sha256:${crypto.createHmac('sha256', secret).update(key).digest('hex')}`;

export const shown = (key) => `sha256:${crypto.createHash('sha256').update(key).digest('hex').slice(0, 8)}`;

// { texts: { name: key }, keys: [entries] } of { name: what the entry says besides }.
export function ringOf(described) {
    const texts = {};
    const keys = Object.entries(described).map(([name, more]) => {
        texts[name] = newKey();
        return { name, digest: digestOf(texts[name]), ...more };
    });
    return { texts, keys };
}

export const bearer = (key) => ({ Authorization: `Bearer ${key}` });
