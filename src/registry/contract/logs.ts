/** Logs as chunks of text, addressed by the byte offset at which they start: storing a chunk twice stores it once. */
export interface Logs {
  /** Stream ids: a bake attempt's id, a launch id (console). */
  append(stream: string, offset: number, text: string): Promise<void>;
  read(stream: string, after: number, limitBytes: number): Promise<{ text: string; next: number }>;
  /** Streams of a request, oldest first, with what they are. */
  streams(
    requestId: string,
  ): Promise<readonly { stream: string; kind: 'packer' | 'console'; title: string }[]>;
}
