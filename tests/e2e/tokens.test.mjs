// SPDX-License-Identifier: Apache-2.0
// Tokens, id by id, against an independent implementation: 10 MB of text made by chance from a seed,
// in both encodings. U+0085 and U+FEFF are left out: they are white space to one of Unicode and
// JavaScript and not to the other; the unit tests have them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test, { before } from './lib/test.mjs';
import { encode as cl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { encode as o200k } from 'gpt-tokenizer/encoding/o200k_base';

const TOOL = process.env.HEADGATE_ENCODE;
const RANKS = process.env.HEADGATE_TEST_RANKS;
const BYTES = 10 * 1000 * 1000;
const SEED = Number(process.env.HEADGATE_TEST_SEED ?? 20261120);
const EXCEPT = new Set([0x85, 0xfeff, 0x295]); // the last is a letter of another case in the newest Unicode
const LIMIT = { timeout: 280000 };

if (!TOOL || !RANKS) {
    console.error('HEADGATE_ENCODE must name the program of tests/tools/encode.c, HEADGATE_TEST_RANKS the rank files');
    process.exit(1);
}

// A small generator of our own, so that a seed means the same text everywhere.
let state = SEED >>> 0;
function below(n) {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[below(list.length)];
const many = (most, make) => Array.from({ length: 1 + below(most) }, make).join('');

const WORDS = {
    english: "The provider answers with a stream of events, which nobody's router had expected; however they'll retry, WE'RE told, and I'd wait. (See §3.2!)",
    german: 'Die Anbieterin hält die Verbindung länger offen, als es üblich ist; Straßenbahnfahrplanänderungen, Größenverhältnisse „und“ Übermut.',
    french: 'L’été dernier, où l’œuvre naïve du garçon « coûtait » déjà 12 € — ça n’était qu’un aperçu.',
    russian: 'Модель отвечает на запрос, который пришёл; Город и река, день — ночь. ЁЛКА №5',
    greek: 'Το μοντέλο απαντά σε ΚΑΘΕ ερώτηση· ίσως.',
    hebrew: 'שלום עולם, מה שלומך היום? בְּרֵאשִׁית',
    arabic: 'النموذج يجيب عن السؤال، في ٢٠٢٦ مرّة',
    hindi: 'मॉडल प्रश्न का उत्तर देता है। क्या १२३४ ठीक है?',
    thai: 'แบบจำลองตอบคำถามได้อย่างรวดเร็ว',
    japanese: '日本語のテキストを数える。今日は、東京で雨が降る「はい」とテストｶﾀｶﾅ',
    chinese: '模型回答了用户的问题，价格是每百万个令牌三元。',
    korean: '모델이 질문에 답합니다. 오늘은 비가 옵니다.',
    vietnamese: 'Mô hình trả lời câu hỏi của người dùng rất nhanh',
};
const SOURCE = ['function ', 'handleRequest(', 'req, res) {\n', '\tconst ', '    let ', 'value = ', 'await fetchJson(url);\r\n', '// one more\n', '/* why */', '!==', ' => ', '}\n\n',
    'camelCaseName', 'SCREAMING_CASE', 'XMLHttpRequest', '#include <stdio.h>\n', '"\\u00e9"', "'s", "'LL", '0x1F', '1e-9', '://', '///\n/', '?.'];
const JSON_PARTS = ['{"role":"user",', '"content":', '"hello"},\n', '  {\n    "id": ', '17', '3.25', 'null', 'true', ',', '[1,2,3]', '}}', '"created_at":"2026-11-20T15:04:05.123Z"'];
const BLANKS = [' ', '  ', '   ', '\n', '\r\n', '\n\n', '\t', ' \n', '\n ', '\u00a0', '\u3000', '\u2003', '\u2028', '\r', '\v', '\f', '        '];
const EMOJI = ['🚀', '👩‍💻', '❤️', '🇩🇪', '🙏🏽', '✅', '👨‍👩‍👧‍👦', '…', '—', '™', '©', '½', '²', 'Ⅷ', '①'];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

// What a code point is to the split patterns, as JavaScript's regular expressions see it.
const SPACES = /[\t\v\f \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;
function classOf(character) {
    if (/[\r\n]/u.test(character)) return 4;
    if (SPACES.test(character)) return 2;
    if (/[\p{Lu}\p{Lt}]/u.test(character)) return 16;
    if (/\p{Ll}/u.test(character)) return 32;
    if (/\p{L}/u.test(character)) return 64;
    if (/\p{M}/u.test(character)) return 1;
    return /\p{N}/u.test(character) ? 8 : 0;
}

let agreed; // code points that both know alike
const KINDS = [
    ...Object.values(WORDS).map((text) => () => many(30, () => pick(text.split(' ')) + pick([' ', ' ', ' ', pick(BLANKS), '']))),
    () => many(40, () => pick(SOURCE)),
    () => many(40, () => pick(JSON_PARTS)),
    () => many(20, () => pick(EMOJI) + pick(['', '', ' ', 'a'])),
    () => many(20, () => pick(BLANKS)),
    () => many(200, () => pick(ALPHABET)),
    () => many(30, () => String(below(10 ** (1 + below(9))))),
    () => pick(['a', 'Z', '!', ' ', '\n', '0', '=', '日', 'é', '/', '\u0301']).repeat(1 + below(300)),
    () => many(40, () => String.fromCodePoint(pick(agreed))),
    () => many(60, () => String.fromCodePoint(below(0x7f))),
    () => many(12, () => pick(["'", "’", 'ſ', 'ǅ', 'ʰ', 'ª', '\u0301', '\u0308', 'A', 'b', '日', '1', ' ', '\n', '/', 'S', 't', 'RE', 'll', '\u{e0100}', '\u200d'])),
];

let chunks;
let stream;
before(() => {
    const told = spawnSync(TOOL, ['classes'], { maxBuffer: 1 << 26, encoding: 'utf8' });
    assert.equal(told.status, 0, told.stderr);
    const ours = new Map(told.stdout.trim().split('\n').map((line) => line.split(' ')).map(([code, has]) => [parseInt(code, 16), Number(has)]));
    agreed = [];
    const wrong = [];
    for (let code = 0; code < 0x110000; code++) {
        if ((code >= 0xd800 && code < 0xe000) || EXCEPT.has(code)) continue;
        const character = String.fromCodePoint(code);
        const has = ours.get(code) ?? 0;
        const theirs = classOf(character);
        if (has === theirs) {
            if (has !== 0 || code < 0x3000 || (code > 0x1f000 && code < 0x20000)) agreed.push(code);
        } else if (has !== 0 && !/\p{Cn}/u.test(character)) {
            wrong.push(`U+${code.toString(16)}: ${has}, not ${theirs}`);
        } // else: assigned since the one or the other was made
    }
    assert.deepEqual(wrong, []);
    chunks = [];
    for (let size = 0; size < BYTES;) {
        const text = many(12, () => pick(KINDS)());
        chunks.push(text);
        size += Buffer.byteLength(text);
    }
    stream = Buffer.concat(chunks.flatMap((text) => [Buffer.from(`${Buffer.byteLength(text)}\n`), Buffer.from(text)]));
});

for (const [family, encode] of Object.entries({ o200k_base: o200k, cl100k_base: cl100k })) {
    test(`${family}: the ids of 10 MB are those of gpt-tokenizer`, LIMIT, () => {
        const ran = spawnSync(TOOL, [RANKS, family], { input: stream, maxBuffer: 1 << 28, encoding: 'latin1' });
        assert.equal(ran.status, 0, ran.stderr);
        const lines = ran.stdout.split('\n');
        assert.equal(lines.length, chunks.length + 1);
        let tokens = 0;
        chunks.forEach((text, i) => {
            const ids = encode(text, { disallowedSpecial: new Set() });
            tokens += ids.length;
            assert.equal(lines[i], ids.join(' '), `seed ${SEED}, chunk ${i}: ${JSON.stringify(text)}`);
        });
        assert.ok(tokens > BYTES / 10);
        console.log(`${family}: ${chunks.length} chunks, ${stream.length} bytes, ${tokens} tokens`);
    });
}
