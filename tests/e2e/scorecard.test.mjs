// SPDX-License-Identifier: Apache-2.0
// The fault scorecard: every row of faults.md A to E against the real program, with one target and
// with a healthy second one, whole and as a stream, in both dialects. At the end it prints which rows
// hold, which are shown elsewhere or not yet, and why; no row is silently missing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { makeCertificates } from './lib/certs.mjs';
import { requireBinary, temporary } from './lib/headgate.mjs';
import { Lab } from './lib/lab.mjs';
import test, { after, before } from './lib/test.mjs';
import { patient, within } from './lib/wire.mjs';
import { rows as answers } from './rows/answers.mjs';
import { rows as ports } from './rows/ports.mjs';
import * as names from './rows/names.mjs';
import { behindProxy, refusingProxy, rows as reach } from './rows/reach.mjs';
import { rows as send } from './rows/send.mjs';
import { rows as streams } from './rows/streams.mjs';
import { rows as apps } from './rows/apps.mjs';
import { ids, notHere } from './rows/catalogue.mjs';

requireBinary();

const ONLY = process.env.HEADGATE_TEST_ROWS ? new RegExp(process.env.HEADGATE_TEST_ROWS) : /./;
const MEMORY_MAX = 32 << 20;
const HEAVY_MEMORY = 16 << 20; // of a row with large bodies: freed, but kept by the allocator
const LANES = 8;
const HEAVY_LANES = 4;
const ROW_MS = 90000;
const ROWS_PER_LAB = 25; // more would not fit into one configuration
const tables = { apps, names: names.rows, reach, ports, proxy: behindProxy, send, answers, streams };
// What a table's headgate is started with besides.
const settings = { 'proxy 1': refusingProxy, 'names 1': names.settings };
const environments = { 'names 1': names.env };
const results = new Map(); // id: failures, empty when it holds
const labs = {};
// Each { name: of its laboratory, row }.
const all = Object.entries(tables).flatMap(([table, rows]) => rows.filter((one) => ONLY.test(one.id))
    .map((row, i) => ({ name: `${table} ${Math.floor(i / ROWS_PER_LAB) + 1}`, row })));
const labNames = [...new Set(all.map((one) => one.name))];
let dir;

// Rows run beside each other, so many at a time, those with megabytes after the others, whose times
// they would spoil; each test below waits for its own.
async function lane(waiting) {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
        const lab = labs[one.name];
        const site = lab.sites.find((each) => each.row === one.row);
        const begun = Date.now();
        one.settle(within(lab.row(site), ROW_MS, `row ${one.row.id}`).finally(() => { one.took = Date.now() - begun; }));
        await one.done.catch(() => {});
    }
}

before(async () => {
    dir = temporary();
    const certificates = makeCertificates(dir);
    for (const name of labNames) {
        labs[name] = await Lab.start(all.filter((one) => one.name === name).map((one) => one.row), { certificates, settings: settings[name], env: environments[name] });
    }
    for (const one of all) {
        one.done = new Promise((resolve) => { one.settle = resolve; });
        one.done.catch(() => {});
    }
    const [light, heavy, long] = [(row) => !row.heavy && !row.long, (row) => row.heavy, (row) => row.long].map((yes) => all.filter((one) => yes(one.row)));
    long.forEach((one) => lane([one]));
    Promise.all(Array.from({ length: LANES }, () => lane(light)))
        .then(() => Array.from({ length: HEAVY_LANES }, () => lane(heavy)));
});

for (const one of all) {
    const { id, title } = one.row;
    test(`${id} ${title}`, { timeout: patient(ROW_MS * 2) }, async () => {
        const failures = results.get(id) ?? [];
        results.set(id, failures);
        try {
            await one.done;
        } catch (error) {
            failures.push(`${title}: ${error.message}`);
            throw error;
        }
    });
}

for (const name of labNames) {
    test(`nothing is left of ${name}`, async () => {
        const lab = labs[name];
        const left = await lab.stop();
        lab.left = left;
        const heavy = lab.sites.filter((site) => site.row.heavy).length;
        assert.ok(process.env.HEADGATE_TEST_PATIENCE || left.grown < MEMORY_MAX + heavy * HEAVY_MEMORY, `memory grew by ${left.grown >> 10} KiB`);
    });
}

test('every row of the catalogue is shown, or it is said why not', () => {
    const here = new Set(Object.values(tables).flat().map((one) => one.id));
    for (const id of ids) {
        assert.ok(here.has(id) !== notHere.has(id), `${id} is ${here.has(id) ? 'shown and excused' : 'neither shown nor excused'}`);
    }
});

after(async () => {
    await Promise.all(Object.values(labs).map((lab) => lab.kill()));
    names.stop();
    fs.rmSync(dir, { recursive: true, force: true });
    const held = [...results].filter(([, failures]) => failures.length === 0);
    console.log(`\nFault scorecard: ${ids.length} rows; ${held.length} hold, ${results.size - held.length} do not, ${notHere.size} are not shown here.`);
    for (const [id, failures] of results) {
        failures.forEach((text) => console.log(`  ${id} FAILS: ${text.split('\n')[0]}`));
    }
    for (const { row } of all.filter((one) => one.row.differs)) {
        console.log(`  ${row.id} differs: ${row.differs}`);
    }
    for (const [id, why] of notHere) {
        console.log(`  ${id} not here: ${why}`);
    }
    for (const [name, { left }] of Object.entries(labs)) {
        console.log(`  ${name}: ${left?.calls} calls, memory ${left?.grown >> 10} KiB more at the end`);
    }
    if (process.env.HEADGATE_TEST_ROWS_TIMES) {
        all.sort((a, b) => b.took - a.took).slice(0, 15).forEach((one) => console.log(`  ${one.took} ms: ${one.row.id} ${one.row.title}`));
    }
    console.log('  Of every call but those of the breakers\' rows what was held and charged was looked at, and in the end what the ledger says.');
});
