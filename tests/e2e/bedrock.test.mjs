// SPDX-License-Identifier: Apache-2.0
// Bedrock's Converse as Amazon sees us: signed requests in its grammar; answers and framed streams of it, told to apps
// of other dialects; its failures, and failover from there and to there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ask } from './lib/app.mjs';
import * as aws from './lib/aws.mjs';
import { CANARY, Headgate, requireBinary, runToEnd, temporary } from './lib/headgate.mjs';
import { recordsIn } from './lib/records.mjs';
import { good, healthy } from './lib/samples.mjs';
import test, { after, afterEach, before, beforeEach, describe } from './lib/test.mjs';
import { Upstream } from './lib/upstream.mjs';
import { header, until } from './lib/wire.mjs';

requireBinary();

const MODEL = 'us.anthropic.claude-opus-4-8-v1:0';
const KEYS = { id: 'AKIDTESTCANARY000001', secret: CANARY.provider, token: CANARY.anthropic, region: 'us-east-1' };
const PRICES = `version: 1
prices:
  - { provider: aws, model: "${MODEL}", input: 1, cache_read: 0.1, cache_write_5m: 1.25, cache_write_1h: 2, output: 10, context: 200000, max_output: 128000, source: "made up" }
`;

let upstream;
let other;
let dir;
let state;
let headgate;

before(async () => {
    dir = temporary();
    state = path.join(dir, 'state');
    fs.writeFileSync(path.join(dir, 'prices.yaml'), PRICES);
    upstream = await Upstream.start();
    other = await Upstream.start();
    headgate = await Headgate.start({
        state_dir: state,
        prices: { files: [path.join(dir, 'prices.yaml')] },
        providers: {
            aws: { kind: 'bedrock', region: 'us-east-1', base_url: upstream.origin, access_key_id: KEYS.id,
                secret_access_key: KEYS.secret, session_token: KEYS.token },
            bearer: { kind: 'bedrock', api: 'converse', base_url: `${upstream.origin}/front/`, credential: CANARY.provider },
            other: { kind: 'openai', base_url: `${other.origin}/v1`, credential: CANARY.anthropic },
        },
        routes: {
            claude: { targets: [{ provider: 'aws', model: MODEL }] },
            first: { targets: [{ provider: 'aws', model: MODEL }, { provider: 'other', model: 'gpt-4.1' }] },
            second: { targets: [{ provider: 'other', model: 'gpt-4.1' }, { provider: 'aws', model: MODEL }] },
        },
    }, { resets: true });
});
after(async () => {
    await headgate?.stop();
    await upstream?.stop();
    await other?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
    await headgate.reset();
    upstream.play((exchange) => exchange.json(aws.WHOLE)).forget();
    other.play(healthy).forget();
});
afterEach(() => headgate.exited === null && headgate.check());

const call = (model, more = {}, extra = {}) => ask(headgate.port, good('chat', { model, ...more }, extra), 10000);
const text = (answer) => answer.body.toString();
const words = (answer) => [...text(answer).matchAll(/"delta":\{[^}]*"content":"([^"]*)"/g)].map((one) => one[1]).join('');
const named = (id) => ({ headers: { 'X-Request-Id': id } });
async function record(id) {
    const find = () => recordsIn(state).find((one) => one.request_id === id);
    await until(() => find() !== undefined, 3000, `the record of ${id}`);
    return find();
}
// 90 fresh at 1 $, 30 read at 0.1 $, 5 written for 5 minutes at 1.25 $, 15 for an hour at 2 $, 7 out at 10 $, a million.
const COST_PUSD = String(90e6 + 30e5 + 5 * 125e4 + 15 * 2e6 + 7 * 10e6);

describe('requests', () => {
    test('a whole call: path, body and a signature that Amazon would find right', async () => {
        const answer = await call('claude', { max_tokens: 99, temperature: 0.5 }, named('whole'));
        assert.equal(answer.status, 200, text(answer));
        const [request] = upstream.requests;
        assert.equal(request.target, '/model/us.anthropic.claude-opus-4-8-v1%3A0/converse');
        assert.equal(aws.signatureFault(request, KEYS), '');
        assert.equal(header(request, 'content-type'), 'application/json');
        assert.deepEqual(request.json().messages.map((turn) => turn.role), ['user']);
        assert.deepEqual(request.json().inferenceConfig, { maxTokens: 99 }, 'this model is not drawn from');
        const told = JSON.parse(answer.body);
        assert.equal(told.choices[0].message.content, 'Hello');
        assert.equal(told.choices[0].finish_reason, 'stop');
        assert.deepEqual([told.usage.prompt_tokens, told.usage.completion_tokens], [140, 7]);
        const one = await record('whole');
        assert.deepEqual([one.input, one.cache_read, one.output, one.cost_pusd], [90, 30, 7, COST_PUSD], JSON.stringify(one));
    });
});
