// SPDX-License-Identifier: Apache-2.0
// JSON documents by hand and by rule: what RFC 8259 allows, what it does not, and what we refuse
// although it allows it. Each is text, or a Buffer where the bytes are no UTF-8.

const hex = (digits) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const quoted = (digits) => Buffer.concat([Buffer.from('["'), hex(digits), Buffer.from('"]')]);
const each = (list, wrap) => list.flatMap((one) => wrap(one));

// ---- must be accepted ----

const NUMBERS = ['0', '-0', '1', '-1', '10', '123456789', '-123', '0.5', '-0.5', '10.25', '1e5', '1E5',
    '1e+5', '1e-5', '1E+05', '0e1', '0e+1', '-0e-1', '1.5e10', '123e65', '0.000000000000000000001',
    '9007199254740993', '18446744073709551616', '1e400', '-1e999', '1234567890123456789012345678901234567890',
    '100', '-1.5E-10', '3.141592653589793238462643383279'];
const STRINGS = ['""', '"a"', '" "', '"\\""', '"\\\\"', '"\\/"', '"\\b\\f\\n\\r\\t"', '"\\u0041"', '"\\u00e9"',
    '"\\uD83D\\uDE00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\uFFFF"', '"\\uabCD"',
    '"\u00e9"', '"\u20ac"', '"\u{1F600}"', '"\u{10FFFF}"', '"\uFFFE"', '"\u2028\u2029"', '"\x7f"',
    '"\u202e"', '"a\\u0300\u0301"', '"// no comment"', '"/*"', '"{}[]:,"', '"null"', '"\\\\u0041"'];
const STRUCTURES = ['[]', '{}', '[[]]', '[{}]', '{"a":{}}', '{"":0}', '{"a":1,"b":2}', '[1,2,3]', '[[],[],[]]',
    '{"a":[],"b":{}}', '[null,true,false]', '{"a":{"a":{"a":1}}}', '{"A":1,"a":2}', '{"a b":1}',
    '{"\\u0061\\"":1}', '{"\u00e9":1}', '[""]', '[0,"",null,{},[]]', '{"model":{"model":[{"model":1}]}}',
    '[1,1,1]', '[{"a":1},{"a":1}]', '{"a":1,"a ":2}', '{"a":null}',
    '[[[[]]]]'];
const SPACES = [' 1 ', '\n[]\n', '\t{ }\r\n', '[ 1 , 2 ]', '{ "a" : 1 , "b" : 2 }', '[\r\n1\r\n]', ' \n\r\t null \n',
    '[1\t,\n2]'];
const LITERALS = ['true', 'false', 'null'];
const DEEP = [8, 64, 126].map((depth) => '['.repeat(depth) + ']'.repeat(depth));

export const ACCEPT = [...NUMBERS, ...STRINGS, ...STRUCTURES, ...SPACES, ...LITERALS, ...DEEP];

// ---- must be refused ----

const BAD_NUMBERS = ['+1', '01', '-01', '00', '-', '--1', '.5', '-.5', '2.', '-2.', '1.e3', '0.e1', '1e', '1e+', '1E-',
    '1e5.5', '1e5e5', '0x10', '0X1F', '1_000', '1 000', '1,000.0.0', 'NaN', '-NaN', 'nan', 'Infinity', '-Infinity', 'inf',
    '+Inf', '1.2.3', '1a', '0b1', '0o7', '1f', '- 1', '1.-1', '0e', '0e+', '1ee3', '\u0661', '1\u0660',
    '1.0\u2212', '++1', '012', '-0x1', '9.9.'];
const BAD_STRINGS = ['\'a\'', '"', '"a', 'a"', '"\\"', '"\\', '"\\x41"', '"\\u"', '"\\u0"', '"\\u00"', '"\\u004"', '"\\u004G"',
    '"\\u{41}"', '"\\U0041"', '"\\a"', '"\\0"', '"\\v"', '"\\\'"', '"\\ "', '"\\\n"', '"\n"', '"\t"', '"\r"', '"\0"', '"\x1f"', '"\b"',
    '"\x01"', '"a" "b"', '"a"b', 'abc', '`a`', '"\\uD83D\\u"', '"\\uD83D\\x"', '"\\u 041"', '"\\u-041"', '"\\\u00e9"', '""x', '\u201ca\u201d'];
const BAD_ARRAYS = ['[', ']', '[1', '1]', '[1,]', '[,1]', '[,]', '[1,,2]', '[1 2]', '[1;2]', '[1:2]', '[1,2,]', '[[]', '[]]', '[1}', '(1)',
    '["a",', '["a"', '["a",\n', '[1,\n1\n,1', '[{}', '[a]', '["",]', '[,', '[[[[', '[1]x', '[]]]', '["a" 1]', '[\u00a01]', '[1\u2003]', '[\f1]',
    '[\v1]', '[1,2', '[-]', '[*]', '[true false]', '[null null]', '<1>'];
const BAD_OBJECTS = ['{', '}', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a" 1}', '{"a"::1}',
    '{"a":1:2}', '{a:1}', '{\'a\':1}', '{1:1}', '{null:1}', '{"a":1 "b":2}', '{"a":1;"b":2}', '{"a"=1}', '{"a":}', '{:1}', '{"a",1}', '{[]:1}',
    '{{}:1}', '{"a":1]', '{"a":1}}', '{"a":1}x', '{"a":1}{"b":2}', '{"a":1},', '{"a":"b"', '{"a":"b}', '{"a":1/**/}', '{"a":1//\n}', '{/**/}', '{"a":/*x*/1}',
    '{#\n"a":1}', '{"a":1}#', '{"a":1}//', '{"a":1}/*', '{true:1}', '{"a":b}', '{"a":undefined}', '{"a":\u00a01}', '{"a":1...}', '{...}', '${{"a":1}}'];
const BAD_LITERALS = ['True', 'TRUE', 'False', 'None', 'nul', 'nulll', 'tru', 'truee', 'fals', 'falsee', 'NULL', 'undefined', 'tr ue', 'n\u0075ll ll', 'yes',
    'on', '~', '\\u0074rue', 'truefalse', 'true,', '*', '\u0085', '\ufeff1', '\u2060', '<null>'];

// Bytes that are not UTF-8, inside a string: continuation alone, cut short, overlong, surrogates,
// past the last code point, Latin-1, bytes that never occur.
const BAD_UTF8 = ['80', 'bf', 'c2', 'c3 28', 'e2 82', 'e2 28 a1', 'f0 9f 98', 'f0 28 8c bc', 'c0 80', 'c0 af', 'c1 bf', 'e0 80 af', 'e0 9f bf',
    'f0 80 80 af', 'f0 8f bf bf', 'ed a0 80', 'ed bf bf', 'f4 90 80 80', 'f5 80 80 80', 'f8 88 80 80 80', 'fc 84 80 80 80 80', 'fe', 'ff',
    'e9', '61 e9 62', 'f0 9f', 'e2', 'c3 c3 a9', 'e2 82 ac ac'];

// As a whole document and never as a member's value: the start or the end decides.
const WHOLE = [hex('ef bb bf 7b 7d'), hex('ff fe 7b 00 7d 00'), hex('00 7b 00 7d'), hex('7b 7d 00'), '{}\0', '{}{}', '{} x', '{}]', '\0{}',
    '{}\u00a0', '\u00a0{}', '\f{}', '{}\v', '{} {}', 'data: {}', '{}\n{}', '\u2028{}'];

export const REFUSE = each([BAD_NUMBERS, BAD_STRINGS, BAD_ARRAYS, BAD_OBJECTS, BAD_LITERALS], (list) => list);
export const REFUSE_UTF8 = BAD_UTF8.map(quoted);
export const REFUSE_WHOLE = WHOLE;
