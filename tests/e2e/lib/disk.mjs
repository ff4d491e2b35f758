// SPDX-License-Identifier: Apache-2.0
// A disk whose syncs take as long, or fail, as a test wants: the program is started with ours in front of
// the C library's (tests/e2e/disk.c), which reads what we write.
import fs from 'node:fs';
import path from 'node:path';
import { BINARY, temporary } from './headgate.mjs';
import { sanitizer } from './resolver.mjs';

const LIBRARY = process.env.HEADGATE_TEST_DISK_LIBRARY ?? path.resolve(path.dirname(BINARY ?? ''), '../tests/libdisk.so');

export class Disk {
    #dir = temporary();

    constructor() {
        if (!fs.existsSync(LIBRARY)) {
            throw new Error(`HEADGATE_TEST_DISK_LIBRARY must name the disk; there is no ${LIBRARY}`);
        }
        this.file = path.join(this.#dir, 'disk');
        this.say({});
    }

    get env() {
        return { LD_PRELOAD: [sanitizer(), LIBRARY].filter(Boolean).join(' '), HEADGATE_TEST_DISK: this.file };
    }

    // From now on: { fdatasync: { ms, errno }, msync: { ms, errno } }.
    say(what) {
        const text = Object.entries(what).map(([name, { ms = 0, errno = 0 }]) => `${name} ${ms} ${errno}\n`).join('');
        fs.writeFileSync(`${this.file}.new`, text);
        fs.renameSync(`${this.file}.new`, this.file);
    }

    // How often it was synced so.
    done(name) {
        const all = fs.existsSync(`${this.file}.done`) ? fs.readFileSync(`${this.file}.done`, 'utf8') : '';
        return all.split('\n').filter((one) => one === name).length;
    }

    stop() {
        fs.rmSync(this.#dir, { recursive: true, force: true });
    }
}
