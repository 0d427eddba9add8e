/** What an operator sees of a running workflow: search attributes, live details in Markdown, the `progress` query. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';

import { searchAttributes } from '../domain/search-attributes.ts';
import { type Progress, progress } from './messages.ts';

const remembered = 50;

interface Names {
  readonly bucket?: string;
  readonly version?: string;
  readonly channel?: string;
}

export class Showing {
  readonly #title: string;
  readonly #past: { phase: string; text: string; since: string }[] = [];
  readonly #notes: string[] = [];
  #list: readonly string[] = [];
  #now = { phase: 'starting', text: 'starting', since: new Date().toISOString() };

  /** Answers the `progress` query from now on. */
  constructor(title: string) {
    this.#title = title;
    setHandler(progress, () => this.progress, { description: 'Where it stands, and what came before.' });
  }

  get progress(): Progress {
    return { ...this.#now, past: this.#past };
  }

  /** Names that are known now: they become search attributes. */
  names({ bucket, version, channel }: Names): void {
    upsertSearchAttributes([
      ...(bucket === undefined ? [] : [keyword(searchAttributes.bucket, bucket)]),
      ...(version === undefined ? [] : [keyword(searchAttributes.version, version)]),
      ...(channel === undefined ? [] : [keyword(searchAttributes.channel, channel)]),
    ]);
  }

  /** Enters a phase (one word, for searching), with a line for people. */
  phase(phase: string, text: string = phase): void {
    const isNew = phase !== this.#now.phase;
    if (!isNew && text === this.#now.text) return;
    this.#past.push(this.#now);
    if (this.#past.length > remembered) this.#past.shift();
    this.#now = { phase, text, since: new Date().toISOString() };
    if (isNew) upsertSearchAttributes([keyword(searchAttributes.phase, phase)]);
    this.#render();
  }

  /** A line that stays: what was decided, what could not be cleaned up. */
  note(line: string): void {
    this.#notes.push(line);
    this.#render();
  }

  /** Lines that stand until the next call: how each of several places fares. */
  list(lines: readonly string[]): void {
    this.#list = lines;
    this.#render();
  }

  #render(): void {
    const past = this.#past.slice(1).map(({ since, text }) => `- ${since} ${text}`);
    setCurrentDetails(
      [
        `### ${this.#title}`,
        `**${this.#now.text}** (since ${this.#now.since})`,
        '',
        ...this.#list,
        ...this.#notes,
        '',
        ...past,
      ]
        .join('\n')
        .slice(0, 16_000),
    );
  }
}

const keyword = (name: string, value: string) => ({
  key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
  value,
});
