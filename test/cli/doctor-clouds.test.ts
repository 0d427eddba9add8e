import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { awsAccounts } from '../support/clouds/aws.ts';
import { awsAway, awsHome, startClouds, type Clouds } from '../support/clouds/file.ts';
import { startCli } from './support/cli.ts';

let clouds: Clouds;
let cwd: string;

beforeAll(async () => {
  clouds = await startClouds();
  cwd = mkdtempSync(path.join(os.tmpdir(), 'bakehouse-doctor-clouds-'));
}, 60_000);
afterEach(async () => {
  await Promise.all([clouds.aws.clearFaults(), clouds.azure.clearFaults()]);
});
afterAll(async () => {
  await clouds.stop();
  rmSync(cwd, { recursive: true, force: true });
});

const doctor = (over: Readonly<Record<string, string>> = {}) =>
  startCli(['doctor'], { cwd, env: { ...clouds.environment, BAKEHOUSE_CLOUDS: clouds.file, ...over } }).ended;

describe('doctor with a file of clouds', () => {
  it('says of each account that it is reached, as whom, and what may be read there', async () => {
    const { code, stdout, stderr } = await doctor();

    expect(code, stdout).toBe(0);
    const { owner, firstShare } = awsAccounts;
    expect(stdout).toMatch(new RegExp(`^ok +aws: account ${owner} +arn:aws:\\S+${owner}`, 'm'));
    expect(stdout).toMatch(
      new RegExp(`^ok +aws: account ${firstShare} +arn:aws:sts::${firstShare}:assumed-role`, 'm'),
    );
    for (const region of [awsHome, awsAway]) {
      expect(stdout).toMatch(new RegExp(`^ok +aws: ${owner}/${region}: inventories +are read`, 'm'));
    }
    const azure = `azure ${clouds.subscription}`;
    expect(stdout).toMatch(new RegExp(`^ok +${azure}: credentials +Microsoft Entra ID gave a token`, 'm'));
    expect(stdout).toMatch(new RegExp(`^ok +${azure}: gallery +golden is in westeurope`, 'm'));
    expect(`${stdout}${stderr}`).not.toContain(clouds.azure.clientSecret);
  }, 60_000);

  it('names the permissions that are missing, all at once', async () => {
    for (const action of ['DescribeSpotFleetRequests', 'DescribeLaunchConfigurations']) {
      await clouds.aws.fault({ action, answer: 'access-denied', region: awsAway });
    }
    const { code, stdout, stderr } = await doctor();

    expect(code).toBe(6);
    const place = `aws: ${awsAccounts.owner}/${awsAway}: inventories`;
    const line = stdout.split('\n').find((one) => one.includes(place)) ?? '';
    expect(line).toMatch(/^FAIL/);
    expect(line).toContain('lacks the permission ec2:DescribeSpotFleetRequests');
    expect(line).toContain('lacks the permission autoscaling:DescribeLaunchConfigurations');
    expect(stderr).toContain(`1 of`);
  }, 60_000);

  it('tells credentials that are refused, a secret that others can read, and a file that is wrong', async () => {
    chmodSync(clouds.secretFile, 0o644);
    const open = await doctor({ AWS_ACCESS_KEY_ID: '' });
    chmodSync(clouds.secretFile, 0o600);
    expect(open.code).toBe(6);
    expect(open.stdout).toMatch(
      /^FAIL +azure \S+: credentials +the client secret of .*mode 0644.*chmod 600/m,
    );
    expect(open.stdout).toMatch(new RegExp(`^FAIL +aws: account ${awsAccounts.owner} `, 'm'));

    const wrong = await doctor({ BAKEHOUSE_CLOUDS: path.join(cwd, 'nowhere.yaml') });
    expect(wrong.code).toBe(6);
    expect(wrong.stdout).toMatch(
      /^FAIL +clouds +BAKEHOUSE_CLOUDS names \S+nowhere\.yaml, which cannot be read/m,
    );
    // What is on this machine is looked at all the same.
    expect(wrong.stdout).toMatch(/^ok +qemu: qemu-img /m);
  }, 60_000);
});
