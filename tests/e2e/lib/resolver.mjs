// SPDX-License-Identifier: Apache-2.0
// Names for a headgate under test, whatever they lead to, without a server: the program is started with a
// resolver of ours in front of the C library's (tests/e2e/resolver.c), which reads what we write.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BINARY, temporary } from './headgate.mjs';

const LIBRARY = process.env.HEADGATE_TEST_RESOLVER ?? path.resolve(path.dirname(BINARY ?? ''), '../tests/libresolver.so');

// A sanitizer wants to be loaded first.
export const sanitizer = () => /\S*\/libasan\.so\S*/.exec(spawnSync('ldd', [BINARY], { encoding: 'utf8' }).stdout)?.[0];

export class Resolver {
    #dir = temporary();
    #names = new Map();
    #last = 0;

    constructor() {
        if (!fs.existsSync(LIBRARY)) {
            throw new Error(`HEADGATE_TEST_RESOLVER must name the resolver; there is no ${LIBRARY}`);
        }
        this.file = path.join(this.#dir, 'names');
    }

    get env() {
        return { LD_PRELOAD: [sanitizer(), LIBRARY].filter(Boolean).join(' '), HEADGATE_TEST_NAMES: this.file };
    }

    // A name of its own, which leads there: addresses, or none, fails, silent.
    add(...words) {
        this.#last += 1;
        const name = `n${this.#last}.provider.test`;
        this.say(name, ...words);
        return name;
    }

    // From now on. A lookup that reads meanwhile sees the old file or the new one.
    say(name, ...words) {
        this.#names.set(name, words.join(' '));
        const text = [...this.#names].map(([one, rest]) => `${one} ${rest}\n`).join('');
        fs.writeFileSync(`${this.file}.new`, text);
        fs.renameSync(`${this.file}.new`, this.file);
    }

    // How often it was looked up.
    asked(name) {
        const all = fs.existsSync(`${this.file}.asked`) ? fs.readFileSync(`${this.file}.asked`, 'utf8') : '';
        return all.split('\n').filter((one) => one === name).length;
    }

    stop() {
        fs.rmSync(this.#dir, { recursive: true, force: true });
    }
}
