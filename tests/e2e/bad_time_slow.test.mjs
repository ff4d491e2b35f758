// SPDX-License-Identifier: Apache-2.0
// The rows of bad_time that wait for more than a minute: with HEADGATE_TEST_SLOW=1 only, and beside
// all others, since they do nothing but wait.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { describe } from './lib/test.mjs';
import { App } from './lib/app.mjs';
import { endless } from './lib/endless.mjs';
import { requireBinary } from './lib/headgate.mjs';
import { Bench } from './lib/rows.mjs';
import { good } from './lib/samples.mjs';
import { patient, request, until } from './lib/wire.mjs';

requireBinary();

const SLOW = process.env.HEADGATE_TEST_SLOW === '1';

describe('slow apps', { concurrency: 3 }, () => {
    test('BT06 an idle connection is closed at 75 s', { skip: !SLOW, timeout: patient(120000) }, async () => {
        const own = await Bench.start();
        const app = await App.connect(own.port);
        await own.serves(app);
        const begun = Date.now();
        await app.closed(90000);
        const took = Date.now() - begun;
        assert.ok(took > 70000 && took < patient(80000), `closed after ${took} ms`);
        await own.stop();
    });
    test('BT03 an app that does not read is cut at 60 s', { skip: !SLOW, timeout: patient(120000) }, async () => {
        const { upstream, headgate } = await endless();
        const app = await App.connect(headgate.port);
        app.socket.pause();
        app.send(request(good('chat', { stream: true })));
        await until(() => upstream.open.size > 0, 5000, 'the provider is asked');
        const begun = Date.now();
        await until(() => upstream.open.size === 0, 90000, 'the provider is let go');
        const took = Date.now() - begun;
        assert.ok(took > 50000 && took < patient(75000), `cut after ${took} ms`);
        app.close();
        await headgate.stop();
        await upstream.stop();
    });
    test('BT03 so is one that does not read an answer which is complete', { skip: !SLOW, timeout: patient(120000) }, async () => {
        const own = await Bench.start();
        const app = await App.connect(own.port);
        await own.serves(app);
        own.upstream.play((exchange) => exchange.json({ id: 'c1', object: 'chat.completion', choices: [], padding: 'x'.repeat(12 << 20) }));
        const lines = own.headgate.callLines().length;
        const end = (port) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
        const established = `${end(own.port)} 0100007F${end(app.socket.localPort)} 01 `;
        const isHeld = () => fs.readFileSync('/proc/net/tcp', 'latin1').includes(established);
        app.socket.pause();
        app.send(own.request(good()));
        await until(() => own.headgate.callLines().length > lines, 10000, 'the call is over');
        const begun = Date.now();
        assert.ok(isHeld(), 'the answer waits for its reader');
        await until(() => !isHeld(), 90000, 'the connection is closed');
        const took = Date.now() - begun;
        assert.ok(took > 50000 && took < patient(75000), `cut after ${took} ms`);
        app.close();
        await own.stop();
    });
});
