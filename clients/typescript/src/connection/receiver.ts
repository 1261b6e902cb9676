import type { Environment } from '../environment.js';
import type { Reset } from './control.js';
import { decode, type ReceivedEvent, type WireFormat } from './decode.js';

/** Event types (channels, for envelopes) of one connection and the data each carries. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what an application has not declared, it reads as it likes
export type EventMap = Record<string, any>;

export type Handler<Data = unknown> = (data: Data, event: ReceivedEvent<Data>) => void;

/** The name under which a handler receives every event. */
export const EVERY_EVENT = '*';

/** Decodes events and passes them to the handlers of the application. */
export class Receiver {
  readonly #environment: Environment;
  readonly #format: WireFormat;
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #resetHandlers = new Set<(reset: Reset) => void>();

  constructor(environment: Environment, format: WireFormat) {
    this.#environment = environment;
    this.#format = format;
  }

  on(type: string, handler: Handler): void {
    const handlers = this.#handlers.get(type);
    if (handlers) handlers.add(handler);
    else this.#handlers.set(type, new Set([handler]));
  }

  off(type: string, handler?: Handler): void {
    if (handler) this.#handlers.get(type)?.delete(handler);
    else this.#handlers.delete(type);
  }

  onReset(handler: (reset: Reset) => void): () => void {
    this.#resetHandlers.add(handler);
    return () => this.#resetHandlers.delete(handler);
  }

  reset(reset: Reset): void {
    for (const handler of [...this.#resetHandlers]) this.call(() => handler(reset));
  }

  receive(frame: {
    type: string;
    data: string;
    topic?: string | undefined;
    also?: readonly string[] | undefined;
    position?: string | undefined;
  }): void {
    const decoded = decode(this.#format, frame);
    if (!decoded) {
      const error = new Error(`A frame is not of the format "${this.#format}": ${frame.data.slice(0, 100)}`);
      return this.#environment.reportError(error);
    }
    const event: ReceivedEvent = {
      ...decoded,
      position: frame.position,
      topic: frame.topic,
      alsoOn: frame.also,
    };
    // A set: an event type may itself be named `*`.
    for (const name of new Set([event.type, EVERY_EVENT])) {
      // A copy: a handler may remove itself or add others.
      for (const handler of [...(this.#handlers.get(name) ?? [])])
        this.call(() => handler(event.data, event));
    }
  }

  /** Runs application code. An error is reported and does not stop other handlers. */
  call(code: () => void): void {
    try {
      code();
    } catch (error) {
      this.#environment.reportError(error);
    }
  }
}
