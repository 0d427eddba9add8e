import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { cloudsJsonSchema } from '../../src/config/clouds-schema.ts';
import { loadClouds } from '../../src/config/load-clouds.ts';
import { readSecretFile } from '../../src/config/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'bakehouse-clouds-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = join(folder, 'clouds.yaml');
const subscription = '50b50000-0000-4000-8000-000000000001';
const tenant = '7e4a0000-0000-4000-8000-000000000001';

function load(text: string) {
  writeFileSync(file, text);
  return loadClouds(file);
}

function refusal(text: string): string {
  try {
    load(text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'invalid_input') return error.message;
    throw error;
  }
  throw new Error('the file was accepted');
}

const whole = `
aws:
  accounts:
    - id: '111122223333'
      regions: [eu-central-1, us-west-2]
      credentials: { assumeRole: 'arn:aws:iam::111122223333:role/bakehouse', externalId: ours, sessionMinutes: 30 }
      encryptionKeys: { us-west-2: alias/images }
      callsPerSecond: 5
      parameterPrefix: /images/golden
    - { id: '222233334444', regions: [us-gov-west-1], credentials: { lease: aws/sts/bakehouse } }
    - { id: '333344445555', regions: [eu-central-1] }
azure:
  endpoint: https://management.usgovcloudapi.net
  authority: https://login.microsoftonline.us
  caFile: ca.pem
  allReadersConfigured: true
  subscriptions:
    - id: ${subscription}
      locations: [westeurope]
      resourceGroup: images
      gallery: golden
      pointerChannel: prod
      credentials: { tenant: ${tenant}, clientId: ${tenant}, clientSecretFile: secrets/azure }
`;

const account = (more = '', id = "'111122223333'") =>
  `aws: {accounts: [{id: ${id}, regions: [eu-west-1]${more}}]}`;
const inAzure = (more: string) =>
  `azure: {subscriptions: [{id: ${subscription}, locations: [westeurope], resourceGroup: g, gallery: g, ${more}}]}`;

describe('the file of clouds', () => {
  it('says what the providers take, with paths from where it lies', () => {
    expect(load(whole)).toEqual({
      aws: {
        accounts: [
          {
            id: '111122223333',
            regions: ['eu-central-1', 'us-west-2'],
            credentials: {
              assumeRole: 'arn:aws:iam::111122223333:role/bakehouse',
              externalId: 'ours',
              sessionMinutes: 30,
            },
            encryptionKeys: { 'us-west-2': 'alias/images' },
            callsPerSecond: 5,
            parameterPrefix: '/images/golden',
          },
          { id: '222233334444', regions: ['us-gov-west-1'], credentials: { lease: 'aws/sts/bakehouse' } },
          { id: '333344445555', regions: ['eu-central-1'], credentials: 'default' },
        ],
      },
      azure: {
        endpoint: 'https://management.usgovcloudapi.net',
        authority: 'https://login.microsoftonline.us',
        caFile: join(folder, 'ca.pem'),
        allReadersConfigured: true,
        subscriptions: [
          {
            id: subscription,
            locations: ['westeurope'],
            resourceGroup: 'images',
            gallery: 'golden',
            pointerChannel: 'prod',
            credentials: { tenant, clientId: tenant, clientSecretFile: join(folder, 'secrets/azure') },
          },
        ],
      },
    });
  });

  it.each([
    ['nothing at all', '', 'is empty: write `aws` or `azure`'],
    ['no cloud', '{}', 'names no cloud: write `aws` or `azure`'],
    ['no YAML', 'aws: [', 'clouds.yaml:1:7: '],
    ['two documents', `${account()}\n---\n${account()}`, 'has several documents'],
    ['an unknown key', account(', regionz: [eu-west-1]'), 'unknown key `regionz`; did you mean `regions`?'],
    ['an unknown cloud', 'gcp: {}', 'unknown key `gcp`'],
    ['no region', "aws: {accounts: [{id: '111122223333'}]}", ':1:18: aws.accounts[0]: `regions` is missing'],
    [
      'an empty list of regions',
      "aws: {accounts: [{id: '111122223333', regions: []}]}",
      'name at least one region',
    ],
    [
      'no location',
      `azure: {subscriptions: [{id: ${subscription}, resourceGroup: g, gallery: g}]}`,
      '`locations` is missing',
    ],
    ['an id that is a number', account('', '111122223333'), 'put it in quotes, "111122223333"'],
    ['an id that is none', account('', "'1234'"), 'is not an account id: 12 digits'],
    [
      'a region twice',
      "aws: {accounts: [{id: '111122223333', regions: [eu-west-1, eu-west-1]}]}",
      'this region is named twice',
    ],
    [
      'a key of another region',
      account(', encryptionKeys: {us-west-2: alias/x}'),
      'encryptionKeys.us-west-2: is none of the regions of this account',
    ],
    ...['base', '/', '/a b', '/images/', '/aws/images', '/SSMimages', '/a'.repeat(11)].map(
      (prefix): [string, string, string] => [
        `the prefix ${prefix}`,
        account(`, parameterPrefix: '${prefix}'`),
        'parameterPrefix: is not the path of a parameter',
      ],
    ),
    ['credentials of nobody', account(', credentials: {}'), 'either `assumeRole` or `lease`'],
    ['other credentials', account(', credentials: mine'), 'expected `default`, or a mapping'],
    [
      "another account's role",
      account(", credentials: {assumeRole: 'arn:aws:iam::222233334444:role/bakehouse'}"),
      'is a role of another account than 111122223333',
    ],
    [
      'a role in the place of its ARN',
      account(', credentials: {assumeRole: bakehouse}'),
      "is not a role's ARN",
    ],
    [
      'an external id of a lease',
      account(', credentials: {lease: aws/sts/x, externalId: y}'),
      'belong to `assumeRole`',
    ],
    [
      'no secret of a client',
      inAzure(`credentials: {tenant: ${tenant}, clientId: ${tenant}}`),
      'either `clientSecretFile` or `clientSecretVault`',
    ],
    [
      'an address in clear for Azure',
      `azure: {endpoint: 'http://x.example', subscriptions: []}`,
      'azure.endpoint: is not an address',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(refusal(text)).toContain(message);
  });

  it('is refused when an account is in it twice, also where its case differs', () => {
    const twice = `aws: {accounts: [{id: '111122223333', regions: [eu-west-1]}, {id: '111122223333', regions: [us-east-1]}]}`;
    expect(refusal(twice)).toMatch(/accounts\[1\]\.id: this account is named twice$/);
    const one = `locations: [westeurope], resourceGroup: g, gallery: g`;
    const id = 'abcdef00-0000-4000-8000-000000000001';
    expect(
      refusal(`azure: {subscriptions: [{id: ${id}, ${one}}, {id: ${id.toUpperCase()}, ${one}}]}`),
    ).toContain('subscriptions[1].id: this subscription is named twice');
  });

  it.each([
    ['secretAccessKey', account(', secretAccessKey: planted-value')],
    ['aws_secret_access_key', account(', credentials: {aws_secret_access_key: planted-value}')],
    ['sessionToken', account(', credentials: {lease: aws/sts/x, sessionToken: planted-value}')],
    [
      'clientSecret',
      inAzure(`credentials: {tenant: ${tenant}, clientId: ${tenant}, clientSecret: planted-value}`),
    ],
    ['password', `password: planted-value\n${account()}`],
    ['an access key of AWS', account(', credentials: {lease: AKIAPLANTEDVALUE0123}')],
    ['a token of Vault', account(', credentials: {lease: hvs.planted-value-planted-value}')],
    [
      'a client secret of Azure',
      inAzure(
        `credentials: {tenant: ${tenant}, clientId: ${tenant}, clientSecretFile: 'abc8Q~planted-value-planted-value-plan'}`,
      ),
    ],
    ['a password', `aws: {endpoint: 'https://me:planted-value@x.example', accounts: []}`],
  ])('is refused with a secret in it: %s', (what, text) => {
    const message = refusal(text);
    expect(message).toContain(what);
    expect(message).toContain('a secret must not stand in this file: take it out');
    expect(message).not.toMatch(/planted/i);
    // Once: it is not an unknown key besides.
    expect(message).not.toContain('unknown key');
  });

  it('is refused when it cannot be read', () => {
    expect(() => loadClouds(join(folder, 'nowhere.yaml'))).toThrow(
      `BAKEHOUSE_CLOUDS names ${join(folder, 'nowhere.yaml')}, which cannot be read (ENOENT)`,
    );
    expect(() => loadClouds(folder)).toThrow('cannot be read (EISDIR)');
  });

  it('has a JSON Schema that takes what is taken, and marks what is not', () => {
    const ajv = new Ajv2020({ allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(cloudsJsonSchema());

    expect(validate(parse(whole)), JSON.stringify(validate.errors)).toBe(true);
    for (const wrong of [
      'gcp: {}',
      account(', regionz: []'),
      account('', '1'),
      "aws: {accounts: [{id: '111122223333'}]}",
    ]) {
      expect(validate(parse(wrong)), wrong).toBe(false);
    }
  });
});

describe('a secret in a file of its own', () => {
  it('is read each time, and refused where others can read it', () => {
    const secret = join(folder, 'client-secret');
    writeFileSync(secret, 'first\n', { mode: 0o600 });
    expect(readSecretFile(secret, 'the secret')).toBe('first');
    writeFileSync(secret, 'second\n');
    expect(readSecretFile(secret, 'the secret')).toBe('second');

    chmodSync(secret, 0o640);
    expect(() => readSecretFile(secret, 'the secret')).toThrow(
      `the secret: the file ${secret} is open to other users (mode 0640): chmod 600 ${secret}`,
    );
    chmodSync(secret, 0o600);
    writeFileSync(secret, '\n');
    expect(() => readSecretFile(secret, 'the secret')).toThrow('is empty');
    rmSync(secret);
    expect(() => readSecretFile(secret, 'the secret')).toThrow('cannot be read (ENOENT)');
  });
});
