/** What is on the disk behind an image, a version, a disk or a virtual machine; it goes from one to the next. */
import type { Cloud } from './cloud.ts';

export interface Content {
  /** False: it starts, and nobody is ever let in. */
  readonly boots: boolean;
  /** Files to put on the guest's disk. Absolute path to text. */
  readonly files: Readonly<Record<string, string>>;
}

const content = Symbol('content');

export const plainContent: Content = { boots: true, files: {} };

export const contentOf = (cloud: Cloud, id: string): Content =>
  cloud.hidden<Content>(id, content) ?? plainContent;

export function keepContent(cloud: Cloud, id: string, value: Content): void {
  cloud.hide(id, content, value);
}
