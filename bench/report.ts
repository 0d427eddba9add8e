/** What a measure answers, how it is printed, what is written as JSON. */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import Table from 'cli-table3';

export interface Figure {
  readonly what: string;
  /** As a person reads it, with its unit. */
  readonly value: string;
  /** What is hoped for, and whether it was met. Absent: a figure to know, with no aim. */
  readonly aim?: string;
  readonly met?: boolean;
}

export interface Measured {
  readonly figures: readonly Figure[];
  /** Raw values, for whoever wants to compute something else. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface Outcome extends Measured {
  readonly measure: string;
  /** Load average of the last minute, of the whole machine, before and after. */
  readonly load: readonly [before: number, after: number];
  readonly seconds: number;
}

export async function measured(measure: string, take: () => Promise<Measured>): Promise<Outcome> {
  const [before = 0] = loadavg();
  const began = performance.now();
  const { figures, raw } = await take();
  const [after = 0] = loadavg();
  return { measure, figures, raw, load: [before, after], seconds: (performance.now() - began) / 1_000 };
}

export function print(outcomes: readonly Outcome[]): void {
  const table = new Table({
    head: ['measure', 'figure', 'value', 'aim', ''],
    style: { head: [], border: [] },
  });
  for (const { measure, figures, load, seconds } of outcomes) {
    const [before, after] = load.map((one) => one.toFixed(1));
    const named = `${measure}\n${seconds.toFixed(0)} s, load ${before} → ${after}`;
    figures.forEach(({ what, value, aim = '', met }, index) => {
      const verdict = met === undefined ? '' : met ? 'met' : 'missed';
      table.push(
        index === 0
          ? [{ content: named, rowSpan: figures.length }, what, value, aim, verdict]
          : [what, value, aim, verdict],
      );
    });
  }
  console.log(table.toString());
}

export function write(file: string, outcomes: readonly Outcome[]): void {
  const machine = { cores: cpus().length, node: process.version, platform: process.platform };
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine, outcomes }, undefined, 1)}\n`,
  );
}

export const ms = (value: number): string =>
  value >= 10_000 ? `${(value / 1_000).toFixed(1)} s` : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
export const perSecond = (value: number): string => `${value.toFixed(1)} /s`;
export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
