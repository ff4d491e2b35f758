// SPDX-License-Identifier: Apache-2.0
// headgate prices: what it prints, what it writes, how it exits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireBinary } from './lib/headgate.mjs';
import test, { after } from './lib/test.mjs';

requireBinary();

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headgate-prices-'));
after(() => fs.rmSync(folder, { recursive: true }));
const foreign = fileURLToPath(new URL('../data/prices/foreign.json', import.meta.url));
const SETTINGS = 'version: 1\nproviders: { openai: { kind: openai, credential: none } }\n';

function put(name, text) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
}

const plain = put('headgate.yaml', SETTINGS);

function prices(words, config = plain) {
    const result = spawnSync(process.env.HEADGATE_BIN, ['-c', config, 'prices', ...words], { encoding: 'utf8' });
    return { code: result.status, out: result.stdout, said: result.stderr };
}

test('list: the rows in force on a day, as a table and as JSON', () => {
    const table = prices(['list', 'openai', '--at', '2026-11-21']);
    assert.equal(table.code, 0);
    assert.match(table.out, /^openai\/gpt-5\.6-sol +4\.00 +0\.40 +20\.00 +long flex priority batch us eu$/m);
    assert.doesNotMatch(table.out, /anthropic/);
    assert.match(prices(['list', '--at=2026-11-22']).out, /^openai\/gpt-5\.6-sol +5\.00 +0\.50 +30\.00 /m);
    const rows = JSON.parse(prices(['list', 'deepseek', '--json', '--at', '2026-11-22']).out);
    assert.deepEqual(rows.map((row) => row.model), ['deepseek-v4-pro', 'deepseek-v4-flash']);
    assert.deepEqual(rows[0].prices[1], { hours: true, input: '1.32', cache_read: '0.044', output: '3.96' });
    assert.ok(JSON.parse(prices(['list', '--json']).out).length >= 100);
});

test('show: all rows of a model, by its name, an alias or with a date, the one in force marked', () => {
    const shown = prices(['show', 'openai/gpt-5.6-terra', '--at', '2026-08-01']);
    assert.equal(shown.code, 0);
    assert.match(shown.out, /^ {2}openai\/gpt-5\.6-terra from 2026-07-09$/m);
    assert.match(shown.out, /^\* openai\/gpt-5\.6-terra from 2026-07-30 \(in force\)$/m);
    assert.match(shown.out, /^ {4}priority, us, over 272000 +input 8\.80 /m);
    assert.match(prices(['show', 'openai/gpt-oss-20b']).out, /groq\/openai\/gpt-oss-20b/);
    assert.match(prices(['show', 'groq/openai/gpt-oss-20b']).out, /groq\/openai\/gpt-oss-20b/);
    assert.match(prices(['show', 'mistral-large-latest']).out, /mistral\/mistral-large-2512/);
    assert.match(prices(['show', 'gpt-5.4-2026-03-05']).out, /openai\/gpt-5\.4 /);
    assert.equal(prices(['show', 'claude-fable-5-2']).code, 2);
    assert.match(prices(['show', 'claude-fable-5-2']).said, /unpriced/);
});

test('check: every fault with its place, 78', () => {
    const good = put('good.yaml', 'version: 1\nprices:\n  - { provider: local, model: "qwen3:8b", input: 0, output: 0 }\n');
    const bad = put('bad.yaml', 'version: 1\nprices:\n  - { provider: local, model: m, input: 2.5e-06 }\n  - { provider: local }\n');
    assert.deepEqual([prices(['check', good]).code, prices(['check', good]).out], [0, `price file OK: ${good}, 1 rows\n`]);
    const checked = prices(['check', good, bad]);
    assert.equal(checked.code, 78);
    assert.match(checked.said, /bad\.yaml:3:41: error: prices\[0\]\.input must be USD per million tokens/);
    assert.match(checked.said, /bad\.yaml:4:5: error: "model" is missing in prices\[1\]/);
    assert.equal(prices(['check', path.join(folder, 'gone.yaml')]).code, 78);
    // Files of the settings are looked for beside them, and stand above our rows.
    const own = put('own.yaml', `${SETTINGS}prices: { files: [good.yaml] }\n`);
    assert.match(prices(['check'], own).out, /^prices OK: version 2026-11-20\+[0-9a-f]{12}, \d+ rows\n$/);
    assert.notEqual(prices(['check'], own).out, prices(['check']).out);
    assert.match(prices(['list', 'local'], own).out, /local\/qwen3:8b +0\.00 +- +0\.00/);
    // A row without a first day stands behind ours that has one.
    put('behind.yaml', 'version: 1\nprices:\n  - { provider: openai, model: gpt-5.6-sol, input: 1, output: 2 }\n  - { provider: openai, model: gpt-5.4, input: 1, output: 2 }\n');
    const behind = prices(['check', '--at', '2026-11-29'], put('with-behind.yaml', `${SETTINGS}prices: { files: [behind.yaml] }\n`));
    assert.match(behind.out, /^note: the row of openai\/gpt-5\.6-sol in your files is not in force: ours begins later, on 2026-11-22;/m);
    assert.doesNotMatch(behind.out, /gpt-5\.4/);
    const broken = prices(['check'], put('broken.yaml', `${SETTINGS}prices: { files: [bad.yaml] }\n`));
    assert.equal(broken.code, 78);
    assert.match(broken.said, /broken\.yaml:3:19: error: prices\.files\[0\] line 3, column 41: /);
    assert.match(broken.said, /help: headgate prices check .*bad\.yaml shows all of it/);
});

test('import: a price file that can be used, and what was not taken', () => {
    const imported = prices(['import', foreign, '--at', '2026-11-20']);
    assert.equal(imported.code, 0);
    const file = put('imported.yaml', imported.out);
    assert.match(prices(['check', file]).out, /OK: .*, 2 rows/);
    assert.match(imported.said, /^taken: 2 rows, 1 of them of models that we have no price of$/m);
    for (const [count, words] of [[2, 'documentation, no model: sample_spec, fallback_generalizations'],
        [1, 'no object: a-word'], [1, 'a price of 0: free, or a placeholder: free-one'],
        [1, 'no price per input token: absent is not zero: no-price'], [1, 'priced by ranges of its own .*: by-ranges'],
        [1, 'a price that is no whole number of picodollars: too-fine'], [1, 'a price that is no number .*: in-quotes'],
        [1, 'a provider without a list of ours .*: elsewhere'], [1, 'a tier below a quarter .*: gpt-5\\.4 \\(priority\\)'],
        [1, 'a key with a cost that is not known: left out: gpt-5\\.4 \\(another_cost_of_something\\)']]) {
        assert.match(imported.said, new RegExp(`^ +${count}  ${words}`, 'm'));
    }
    assert.match(imported.said, /^differs from ours: 1 prices\n {2}openai\/gpt-5\.4 output 16\.00, ours 15\.00$/m);
    const settings = put('with-import.yaml', `${SETTINGS}prices: { files: [imported.yaml] }\n`);
    assert.match(prices(['list', '--at', '2026-11-20'], settings).out, /^openai\/gpt-5\.4 +2\.50 +0\.25 +16\.00/m);
    assert.match(prices(['list', '--at', '2026-11-19'], settings).out, /^openai\/gpt-5\.4 +2\.50 +0\.25 +15\.00/m);
    const bedrock = prices(['import', foreign, '--provider', 'bedrock']);
    assert.match(bedrock.out, /provider: "bedrock"\n {4}model: "elsewhere"/);
    assert.equal(prices(['import', plain]).code, 2);
    assert.equal(prices(['import', plain]).out, '');
});

test('wrong words are told, 64', () => {
    for (const words of [[], ['lsit'], ['show'], ['list', 'a', 'b'], ['list', '--wrong'], ['show', 'm', '--json'],
        ['list', '--at', 'today'], ['import', 'a', '--provider']]) {
        const result = prices(words);
        assert.equal(result.code, 64, words.join(' '));
        assert.match(result.said, /headgate prices --help/);
    }
    assert.equal(prices(['--help']).code, 0);
    assert.equal(prices(['list', '-h']).code, 0);
});
