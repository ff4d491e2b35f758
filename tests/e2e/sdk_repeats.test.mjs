// SPDX-License-Identifier: Apache-2.0
// The official SDKs with an Idempotency-Key among their headers, and their own retries on: an answer that got
// lost on the way to the app is not paid for twice.
import assert from 'node:assert/strict';
import net from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic0';
import OpenAI from 'openai';
import OpenAI4 from 'openai4';
import OpenAI6 from 'openai6';
import { CANARY, Headgate, providersAt, requireBinary } from './lib/headgate.mjs';
import { healthy } from './lib/samples.mjs';
import test, { after, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';

requireBinary();

const SAID = [{ role: 'user', content: 'Say hello.' }];
const openai = (Client) => (origin, headers) => new Client({ apiKey: CANARY.app, baseURL: `${origin}/v1` })
    .chat.completions.create({ model: 'gpt-4o-mini', messages: SAID }, { headers });
const anthropic = (Client) => (origin, headers) => new Client({ apiKey: CANARY.app, baseURL: origin })
    .messages.create({ model: 'claude-sonnet-4-5', max_tokens: 64, messages: SAID }, { headers });
const CLIENTS = { 'openai 7': openai(OpenAI), 'openai 6': openai(OpenAI6), 'openai 4': openai(OpenAI4),
    'anthropic 1': anthropic(Anthropic), 'anthropic 0': anthropic(Anthropic0) };

let upstream;
let headgate;
let losing;
let losses = 0; // answers that are still to get lost

// Between app and headgate: answers are read whole and passed on, or the app's connection breaks.
function lossy() {
    const server = net.createServer((app) => {
        const way = net.connect(headgate.port, '127.0.0.1');
        let seen = '';
        app.pipe(way);
        way.on('data', (piece) => {
            seen += piece.toString('latin1');
            const [head, body] = seen.split(/\r\n\r\n(.*)/s);
            const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
            if (body?.length === length && losses > 0) {
                losses -= 1;
                app.resetAndDestroy();
            } else if (body?.length === length) {
                app.write(Buffer.from(seen, 'latin1'));
                seen = '';
            }
        });
        way.on('close', () => app.destroy());
        app.on('close', () => way.destroy());
        [app, way].forEach((socket) => socket.on('error', () => {}));
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.unref())));
}

before(async () => {
    upstream = await Upstream.start();
    headgate = await Headgate.start({ providers: providersAt(upstream) });
    losing = await lossy();
});
after(async () => {
    losing?.close();
    await headgate?.stop();
    await upstream?.stop();
});
beforeEach(() => {
    upstream.forget();
    upstream.play(healthy);
});
const originOf = (port) => `http://127.0.0.1:${port}`;
const callsAt = () => upstream.requests.filter(({ method }) => method === 'POST').length;

for (const [name, ask] of Object.entries(CLIENTS)) {
    describe(name, () => {
        test('gets the kept answer after its connection broke', async () => {
            losses = 1;
            const first = ask(originOf(losing.address().port), { 'Idempotency-Key': `lost-${name.replace(' ', '-')}` });
            const { data, response } = await first.withResponse();
            assert.equal(losses, 0);
            assert.ok((data.choices ?? data.content).length > 0);
            assert.equal(response.headers.get('x-headgate-replayed'), 'true');
            assert.equal(callsAt(), 1);
        });

        test('pays twice without a key', async () => {
            losses = 1;
            const { response } = await ask(originOf(losing.address().port), {}).withResponse();
            assert.equal(response.headers.get('x-headgate-replayed'), null);
            assert.equal(callsAt(), 2);
        });

        test('waits for a call that still runs', async () => {
            const headers = { 'Idempotency-Key': `runs-${name.replace(' ', '-')}` };
            let open;
            const opened = new Promise((resolve) => { open = resolve; });
            upstream.play(async (exchange) => {
                await opened;
                return healthy(exchange);
            });
            const first = ask(originOf(headgate.port), headers).withResponse();
            await upstream.request();
            const second = ask(originOf(headgate.port), headers).withResponse();
            setTimeout(open, 300);
            const [one, other] = await Promise.all([first, second]);
            assert.deepEqual(other.data, one.data);
            assert.equal(other.response.headers.get('x-headgate-replayed'), 'true');
            assert.equal(callsAt(), 1);
        });
    });
}
