import type { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';

export function addHealth(program: Command): void {
  const health = describe(program, {
    usage: 'health',
    summary: 'Whether the server answers readers; needs no token',
    examples: ['bakehouse health --url http://127.0.0.1:8400'],
  });
  act(health, async (context) => {
    const url = context.options.url ?? context.connection().url;
    const address = `${url.replace(/\/+$/, '')}/readyz`;
    let answer: { readonly ok: boolean; readonly text: string };
    try {
      const got = await fetch(address, { signal: AbortSignal.timeout(5000) });
      answer = { ok: got.ok, text: await got.text() };
    } catch (error) {
      throw new Failure('provider_unavailable', `no answer from ${address}; is the server running?`, {
        cause: error,
      });
    }
    if (!answer.ok) throw new Failure('provider_unavailable', `${address} is not ready: ${answer.text}`);
    context.answer({ ok: true }, 'ready\n');
  });
}
