/** How workflows read what they are sent. Loaded by the bundle as a module of its own. */
import {
  BinaryPayloadConverter,
  CompositePayloadConverter,
  JsonPayloadConverter,
  type Payload,
  UndefinedPayloadConverter,
} from '@temporalio/common';

/**
 * Text that is no JSON is taken as that text. The SDK throws instead, before any line of ours runs, and the workflow's task is then
 * tried again for ever: nobody would learn what was wrong with the input. As a text it is refused like every other wrong input.
 */
class ForgivingJson extends JsonPayloadConverter {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the SDK's signature
  override fromPayload<T>(payload: Payload): T {
    try {
      return super.fromPayload<T>(payload);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const text: unknown = new TextDecoder().decode(payload.data ?? undefined);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller names the type; every workflow checks its input
      return text as T;
    }
  }
}

export const payloadConverter = new CompositePayloadConverter(
  new UndefinedPayloadConverter(),
  new BinaryPayloadConverter(),
  new ForgivingJson(),
);
