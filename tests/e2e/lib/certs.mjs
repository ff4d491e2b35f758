// SPDX-License-Identifier: Apache-2.0
// Certificates for the TLS tests, made with the openssl command in a directory of their own: a
// private CA, a good server certificate, and one for each fault of faults.md A13..A16.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const LEAVES = {
    good: { names: 'DNS:localhost,DNS:*.provider.test,IP:127.0.0.1' },
    wrong_host: { names: 'DNS:elsewhere.example' },
    common_name_only: { names: null },
    expired: { names: 'DNS:localhost,IP:127.0.0.1', from: '20200101000000Z', to: '20200201000000Z' },
    not_yet: { names: 'DNS:localhost,IP:127.0.0.1', from: '20990101000000Z', to: '20990201000000Z' },
};

const CA_CONFIG = (dir) => `
[ca]
default_ca = own
[own]
dir = ${dir}
new_certs_dir = ${dir}
database = ${dir}/index.txt
serial = ${dir}/serial
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
`;

function openssl(...args) {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function authority(dir, name) {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', path.join(dir, `${name}.key`), '-out', path.join(dir, `${name}.pem`),
        '-subj', `/CN=headgate test ${name}`, '-days', '30');
}

function leaf(dir, name, { names, from, to }, ca) {
    const file = (ending) => path.join(dir, `${name}.${ending}`);
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', file('key'), '-out', file('csr'), '-subj', '/CN=127.0.0.1');
    fs.writeFileSync(file('ext'), names ? `subjectAltName=${names}\n` : 'basicConstraints=CA:FALSE\n');
    openssl('ca', '-batch', '-notext', '-config', path.join(dir, 'ca.cnf'),
        '-cert', path.join(dir, `${ca}.pem`), '-keyfile', path.join(dir, `${ca}.key`),
        '-in', file('csr'), '-out', file('pem'), '-extfile', file('ext'),
        ...(from ? ['-startdate', from, '-enddate', to] : []));
    return { key: fs.readFileSync(file('key')), cert: fs.readFileSync(file('pem')) };
}

// { caFile, good, wrong_host, common_name_only, expired, not_yet, foreign }: each leaf { key, cert }.
export function makeCertificates(dir) {
    fs.mkdirSync(dir, { recursive: true });
    fs.writeFileSync(path.join(dir, 'ca.cnf'), CA_CONFIG(dir));
    fs.writeFileSync(path.join(dir, 'index.txt'), '');
    fs.writeFileSync(path.join(dir, 'serial'), '1000\n');
    authority(dir, 'ca');
    authority(dir, 'foreign_ca');
    const made = { caFile: path.join(dir, 'ca.pem') };
    for (const [name, how] of Object.entries(LEAVES)) {
        made[name] = leaf(dir, name, how, 'ca');
    }
    made.foreign = leaf(dir, 'foreign', LEAVES.good, 'foreign_ca');
    return made;
}
