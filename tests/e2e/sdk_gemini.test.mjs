// SPDX-License-Identifier: Apache-2.0
// Google's official SDK, unmodified but for its base URL, through headgate: against the built-in provider
// and a scripted one. It retries nothing by itself.
import assert from 'node:assert/strict';
import { GoogleGenAI } from '@google/genai';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import test, { after, before, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';

requireBinary();

let headgate;
let upstream;
before(async () => {
    upstream = await Upstream.start();
    headgate = await Headgate.start({
        providers: {
            demo: { kind: 'fixtures', fixtures: { dialect: 'gemini' } },
            scripted: { kind: 'gemini', base_url: upstream.origin, credential: CANARY.provider },
        },
        routes: { once: { targets: [{ provider: 'scripted', model: 'gemini-2.5-flash' }], retry: { attempts: 1 } } },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
});

const client = (path = '', options = {}) => new GoogleGenAI({ apiKey: CANARY.app, ...options,
    httpOptions: { baseUrl: `http://127.0.0.1:${headgate.port}${path}` } });
const SAID = { contents: 'Say hello.' };
const event = (value) => `data: ${JSON.stringify(value)}\r\n\r\n`;
const part = (text, more = {}) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }] });
const streamOf = (...events) => async (exchange) => {
    await exchange.streamHead();
    for (const one of events) {
        await exchange.event(event(one));
    }
    await exchange.streamEnd();
};
async function gathered(stream) {
    let text = '';
    let usage;
    for await (const piece of stream) {
        text += piece.text ?? '';
        usage = piece.usageMetadata ?? usage;
    }
    return { text, usage };
}

describe('@google/genai 3.1.0', () => {
    for (const [path, options] of [['', {}], ['/gemini', {}], ['', { apiVersion: 'v1beta' }], ['/v1beta', {}]]) {
        test(`whole and streamed, base ${path || '/'}, ${options.apiVersion ?? 'its own version'}`, async () => {
            const { models } = client(path, options);
            const whole = await models.generateContent({ model: 'demo', ...SAID });
            assert.match(whole.text, /^This is headgate's fixtures provider, answering as demo/);
            const { text, usage } = await gathered(await models.generateContentStream({ model: 'demo', ...SAID }));
            assert.equal(text, whole.text);
            assert.deepEqual(usage, whole.usageMetadata);
        });
    }
    test('a function is called', async () => {
        const answer = await client().models.generateContent({ model: 'demo', ...SAID, config: { tools: [{ functionDeclarations: [
            { name: 'weather', parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }] }] } });
        assert.deepEqual(answer.functionCalls, [{ name: 'weather', args: { city: 'fixture' } }]);
    });
    test('counting and the list of models', async () => {
        assert.ok((await client().models.countTokens({ model: 'demo', ...SAID })).totalTokens > 0);
        const { page } = await client().models.list();
        assert.deepEqual(page.map(({ name }) => name), ['models/once', 'models/demo', 'models/demo-large']);
    });
    test('a refusal and a failure are errors with their status', async () => {
        await assert.rejects(client().models.generateContent({ model: 'demo', ...SAID, config: { maxOutputTokens: 1.5 } }),
            (error) => error.name === 'ApiError' && error.status === 400 && /headgate/.test(error.message));
        upstream.play((exchange) => exchange.json({ error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }, 503));
        await assert.rejects(client().models.generateContent({ model: 'once', ...SAID }), (error) => error.name === 'ApiError' && error.status === 503);
        await headgate.reset();
    });
    test('a stream that breaks off is an error, not an end', async () => {
        upstream.play(streamOf(part('Hel')));
        await assert.rejects(async () => gathered(await client().models.generateContentStream({ model: 'once', ...SAID })), /headgate/);
        await headgate.reset();
    });
    test('long decode: the SDK asks for the rest itself', async () => {
        upstream.forget();
        upstream.play((exchange) => (exchange.request.json().continuationToken === undefined
            ? streamOf(part('Hel', { finishReason: 'CONTINUATION', continuationToken: 'c1' }))
            : streamOf(part('lo', { finishReason: 'STOP' })))(exchange));
        const { text } = await gathered(await client().models.generateContentStream({ model: 'once', ...SAID }));
        assert.equal(text, 'Hello');
        assert.deepEqual(upstream.requests.map((one) => one.json().continuationToken), [undefined, 'c1']);
    });
});
