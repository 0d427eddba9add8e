/** How far a run is, from its events. Pure state: fold events in their order. */
import type { AttemptProgress } from './attempt.ts';
import type { PackerEvent } from './machine-readable.ts';

export interface KnownSource {
  readonly source: string;
  readonly target: string;
}

export function progressOf(sources: readonly KnownSource[]): {
  add(event: PackerEvent): void;
  read(logBytes: number): AttemptProgress;
} {
  const states = new Map<string, AttemptProgress['sources'][string]>();
  for (const { source } of sources) states.set(source, 'waiting');
  // `b.file.a` also begins `b.file.ab`: the longest target that fits is meant.
  const byLength = sources.toSorted((a, b) => b.target.length - a.target.length);
  let phase: AttemptProgress['phase'] = 'starting';
  let lastLine = '';
  const mark = (target: string, state: AttemptProgress['sources'][string]) => {
    const known = byLength.find((one) => one.target === target);
    if (known !== undefined) states.set(known.source, state);
  };
  return {
    add(event) {
      if (event.kind === 'error') mark(event.target, 'failed');
      if (event.kind !== 'ui') return;
      lastLine = event.text.trim().split('\n').at(-1) ?? lastLine;
      const over = /^Build '([^']+)' (finished|errored) after/.exec(event.text);
      if (over !== null) mark(over[1] ?? '', over[2] === 'finished' ? 'done' : 'failed');
      const spoken = byLength.find(({ target }) =>
        event.text.trimStart().replace(/^==> /, '').startsWith(`${target}: `),
      );
      if (spoken !== undefined && states.get(spoken.source) === 'waiting')
        states.set(spoken.source, 'building');
      if (phase === 'starting') phase = 'building';
      if (event.text.includes(': Running post-processor')) phase = 'post-processing';
      if (/^\s*==> Builds finished/.test(event.text)) phase = 'ended';
    },
    read: (logBytes) => ({ phase, lastLine, sources: Object.fromEntries(states), logBytes }),
  };
}
