// SPDX-License-Identifier: Apache-2.0
// The official SDKs at providers of other dialects. Each talks: plain and streamed, tools over several turns, two at
// once, structured output, a picture, errors; the provider looks at each request as strictly as a real one, and its answers
// are spelled as its own pages have them.
import assert from 'node:assert/strict';
import test, { after, before, describe } from './lib/test.mjs';
import { chat, generate, messages, provider } from './lib/foreign.mjs';
import { CANARY, Headgate, requireBinary } from './lib/headgate.mjs';
import { ASKED, PIXEL, SCHEMA, SYSTEM, TALKERS, resultOf } from './lib/sdk_talkers.mjs';
import { Upstream } from './lib/upstream.mjs';
import { patient, until } from './lib/wire.mjs';

requireBinary();

const LIMIT = { timeout: patient(30000) };
const FOREIGN = [chat, messages, generate];
// Whose words an app of this dialect is answered in: all but its own (Responses are told in chat completions).
const othersOf = (dialect) => FOREIGN.filter(({ name }) => name !== dialect && !(dialect === 'responses' && name === 'chat'));

const WHERE = [{ city: 'Paris' }, { city: 'Rome' }];
const CALLS = WHERE.map((input, i) => ({ id: `call_${i}`, name: 'get_weather', input }));
const FINAL = 'Paris 5, Rome 4: “mild” 🌤';
const JSON_TEXT = '{"city":"Paris","degrees":21.5}';

// By the model that was asked for: what the provider says, turn by turn.
const PLAYS = {
    hello: () => ({ text: 'Hello from the mock.' }),
    counted: () => ({ text: FINAL }),
    long: () => ({ text: 'Once upon', finish: 'length' }),
    filtered: () => ({ text: 'I can', finish: 'content_filter' }),
    tools: (turn) => [{ calls: CALLS }, { text: 'One more.', calls: [{ id: 'call_9', name: 'get_weather', input: WHERE[1] }] }, { text: FINAL }][turn],
    json: () => ({ text: JSON_TEXT }),
    fault: (_turn, dialect) => dialect.fault,
    tooLong: (_turn, dialect) => dialect.tooLong,
    busy: (_turn, dialect) => ({ ...dialect.fault, status: 429 }),
    broken: (_turn, dialect) => ({ raw: dialect.broken() }),
};

function suite(talker, dialect) {
    const places = {};
    let headgate;
    before(async () => {
        const providers = {};
        const routes = {};
        for (const [name, play] of Object.entries(PLAYS)) {
            const upstream = await Upstream.start();
            const seen = provider(dialect, (turn) => play(turn, dialect));
            upstream.play((exchange) => (exchange.request.method === 'POST' ? seen.play(exchange) : exchange.json({}, 404)));
            places[name] = { upstream, seen };
            providers[name] = { kind: dialect.kind, base_url: dialect.kind === 'openai' ? `${upstream.origin}/v1` : upstream.origin, credential: CANARY.provider };
            routes[`m-${name}`] = { targets: [{ provider: name, model: dialect.model }], retry: { attempts: 1 } };
        }
        headgate = await Headgate.start({ providers, routes });
    });
    after(async () => {
        await headgate?.check();
        await headgate?.stop();
        await Promise.all(Object.values(places).map(({ upstream }) => upstream.stop()));
    });

    const at = (name) => {
        places[name].seen.bodies.length = 0;
        places[name].seen.faults.length = 0;
        return { origin: `http://127.0.0.1:${headgate.port}`, model: `m-${name}` };
    };
    // The provider had nothing to say against any request, and was asked for its own model.
    const wellAsked = (name) => {
        assert.deepEqual(places[name].seen.faults, []);
        return places[name].seen.bodies;
    };

    for (const isStream of [false, true]) {
        const mode = isStream ? 'stream' : 'whole';

        test(`${mode}: says hello`, LIMIT, async () => {
            const { text, finish } = await talker.say(at('hello'), isStream);
            assert.equal(text, 'Hello from the mock.');
            assert.equal(finish, 'stop');
            const [body] = wellAsked('hello');
            assert.deepEqual(dialect.systemOf(body), [SYSTEM]);
        });

        test(`${mode}: usage`, LIMIT, async () => {
            const { text, usage } = await talker.say(at('counted'), isStream);
            assert.equal(text, FINAL);
            assert.deepEqual(usage, dialect.usage);
            wellAsked('counted');
        });

        test(`${mode}: the end is told as it is`, LIMIT, async () => {
            assert.equal((await talker.say(at('long'), isStream)).finish, 'length');
            assert.equal((await talker.say(at('filtered'), isStream)).finish, 'content_filter');
        });

        test(`${mode}: tools over several turns`, LIMIT, async () => {
            const { text, calls } = await talker.loop(at('tools'), isStream);
            assert.equal(text, FINAL);
            assert.deepEqual(calls, [CALLS.map(({ name, input }) => ({ name, input })), [{ name: 'get_weather', input: WHERE[1] }]]);
            const bodies = wellAsked('tools');
            assert.equal(bodies.length, 3);
            assert.deepEqual(dialect.resultsOf(bodies[2]), [...WHERE, WHERE[1]].map(resultOf));
            assert.ok(JSON.stringify(bodies[2]).includes(ASKED));
        });

        test(`${mode}: structured output`, LIMIT, async () => {
            assert.deepEqual(await talker.structured(at('json'), isStream), JSON.parse(JSON_TEXT));
            const [body] = wellAsked('json');
            const { title: _, ...schema } = dialect.schemaOf(body);
            for (const [name, value] of Object.entries(SCHEMA)) {
                assert.deepEqual(schema[name], value);
            }
        });

        test(`${mode}: a picture`, LIMIT, async () => {
            assert.equal(await talker.picture(at('hello'), isStream), 'Hello from the mock.');
            assert.deepEqual(dialect.imagesOf(wellAsked('hello')[0]), [`data:image/png;base64,${PIXEL}`]);
        });

        test(`${mode}: errors`, LIMIT, async () => {
            for (const [name, status] of [['fault', 400], ['tooLong', 400], ['busy', 429]]) {
                const error = await talker.say(at(name), isStream).then(() => assert.fail('no error'), (one) => one);
                assert.equal(talker.statusOf(error), status, String(error.stack));
            }
        });
    }

    test('stream: an error in the middle is an error', LIMIT, async () => {
        await assert.rejects(() => talker.say(at('broken'), true));
    });

    test('nothing is lost on the way that was not named', LIMIT, async () => {
        await until(() => headgate.callLines().length > 0, 5000, 'lines');
        for (const line of headgate.callLines()) {
            assert.ok(line.dropped === undefined || line.dropped === '' || line.dropped.split(', ').every((one) => /^[a-zA-Z0-9_.[\]?=-]+$/.test(one)), line.dropped);
        }
    });
}

for (const talker of TALKERS) {
    describe(talker.name, () => {
        for (const dialect of othersOf(talker.dialect)) {
            describe(`at a provider of ${dialect.name}`, () => suite(talker, dialect));
        }
    });
}
