/** How far a run is, from its events. Pure state: fold events in their order. */
import type { AttemptProgress } from './attempt.ts';
import type { PackerEvent } from './machine-readable.ts';
import type { NamedSource } from './targets.ts';
import { sourceOfTarget, sourceOfText } from './targets.ts';

export function progressOf(sources: readonly NamedSource[]): {
  add(event: PackerEvent): void;
  read(logBytes: number): AttemptProgress;
} {
  const states = new Map<string, AttemptProgress['sources'][string]>();
  for (const { source } of sources) states.set(source, 'waiting');
  let phase: AttemptProgress['phase'] = 'starting';
  let lastLine = '';
  const mark = (source: string | undefined, state: AttemptProgress['sources'][string]) => {
    if (source !== undefined) states.set(source, state);
  };
  return {
    add(event) {
      if (event.kind === 'error') mark(sourceOfTarget(sources, event.target), 'failed');
      if (event.kind !== 'ui') return;
      lastLine = event.text.trim().split('\n').at(-1) ?? lastLine;
      const over = /^Build '([^']+)' (finished|errored) after/.exec(event.text);
      if (over !== null)
        mark(sourceOfTarget(sources, over[1] ?? ''), over[2] === 'finished' ? 'done' : 'failed');
      const spoken = sourceOfText(sources, event.text);
      if (spoken !== undefined && states.get(spoken) === 'waiting') mark(spoken, 'building');
      if (phase === 'starting') phase = 'building';
      if (event.text.includes(': Running post-processor')) phase = 'post-processing';
      if (/^\s*==> Builds finished/.test(event.text)) phase = 'ended';
    },
    read: (logBytes) => ({ phase, lastLine, sources: Object.fromEntries(states), logBytes }),
  };
}
