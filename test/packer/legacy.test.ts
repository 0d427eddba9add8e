/** Legacy JSON templates through a whole bake, by every Packer. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { attempt, bakeHost, snapshot } from './support/attempts.ts';
import { packersUnderTest } from './support/packers.ts';
import { processesNaming, read } from './support/runs.ts';

vi.setConfig({ testTimeout: 120_000 });

const secret = 'hunter2-of-the-service-principal';
const template = async () => ({ ...(await snapshot('legacy-env')), entry: 'base.json' });

describe.each(packersUnderTest)('with Packer $version', (packer) => {
  test('what {{env}} reads is given to that Packer alone, is kept nowhere, and is not printed in any form', async () => {
    await using host = bakeHost(packer, { ...process.env, ARM_CLIENT_ID: 'of the bake host' });
    const input = await attempt(await template(), { environment: { ARM_CLIENT_SECRET: secret } });
    const { attemptId } = input.mark;
    await host.runner.validate(input);
    await host.runner.begin(input);
    let log = '';
    const outcome = await host.runner.watch(attemptId, {
      signal: AbortSignal.timeout(60_000),
      onLog: (_, text) => void (log += text),
    });
    expect(outcome, log).toMatchObject({
      ended: 'succeeded',
      sources: [{ source: 'file.web', state: 'done' }],
    });
    expect(log.split('\n')[0]).toBe(
      'bakehouse: this template is legacy JSON, which Packer still bakes and no longer develops; `packer hcl2_upgrade -with-annotations ./base.json` writes it as HCL2',
    );
    expect(log).toContain('web: the secret is ***');
    expect(log).toContain('web: in base64 ***');
    // Folded to lines of nine characters by the guest, and still not there.
    expect(log).not.toMatch(/hunter2|service-p|principal/);
    expect(log).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
    // The one that was given; that of the bake host's own environment did not come through.
    expect(log).toMatch(/web: 1$/m);
    const places = join(host.attemptsDir, attemptId);
    expect(statSync(join(places, 'variables.pkrvars.json')).mode & 0o777).toBe(0o600);
    expect(read(join(places, 'variables.pkrvars.json'))).not.toContain(secret);
    expect(read(join(places, 'attempt.json'))).not.toContain(secret);
    expect(processesNaming(secret)).toEqual([]);
  });

  test('one that reads what the bake does not get is refused, and says how it can', async () => {
    await using host = bakeHost(packer, { ...process.env, ARM_CLIENT_SECRET: secret });
    const refused = await host.runner
      .validate(await attempt(await template()))
      .catch((error: unknown) => error);
    expect(isFailure(refused) && `${refused.code}: ${refused.message}`).toBe(
      'invalid_input: variables of the template read an environment that Packer does not get here: client_secret reads ARM_CLIENT_SECRET. Set the variable under `variables`, or name it under `secrets` with `into: { environment: … }`',
    );
    const set = await attempt(await template(), { variables: { client_secret: secret } });
    await host.runner.validate(set);
  });
});
