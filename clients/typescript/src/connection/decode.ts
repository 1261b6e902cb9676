/** How a server clothes an event; each endpoint has one. */
export type WireFormat =
  /** Event name and JSON data. */
  | 'named'
  /** Unnamed `{channel, type, payload, sourceDeviceId, timestamp}`; handlers are registered per channel. */
  | 'envelope'
  /** Unnamed `{type, data}`. */
  | 'typed'
  /** Unnamed plain text; the text is the event type. */
  | 'word';

export interface Envelope<Payload = unknown> {
  readonly channel: string;
  readonly type: string;
  readonly payload: Payload;
  readonly sourceDeviceId?: string | undefined;
  readonly timestamp?: number | string | undefined;
}

/**
 * The events of one channel, by type and payload: `EnvelopeOf<{ started: Timer; stopped: Session }>`. A `switch` over
 * `type` then knows the payload.
 */
export type EnvelopeOf<Types extends object> = {
  [Type in keyof Types & string]: Envelope<Types[Type]> & { readonly type: Type };
}[keyof Types & string];

/** An event as handlers receive it. */
export interface ReceivedEvent<Data = unknown> {
  /** The name handlers are registered under: event type, or channel for envelopes. */
  readonly type: string;
  readonly data: Data;
  /** Where the connection stood after this event; absent on streams without ids. */
  readonly position?: string | undefined;
  readonly topic?: string | undefined;
}

export interface UndecodedEvent {
  readonly type: string;
  readonly data: string;
}

/** Type and data of a frame, or nothing when the frame is not of this format. */
export function decode(
  format: WireFormat,
  frame: UndecodedEvent,
): { type: string; data: unknown } | undefined {
  if (format === 'word') return { type: frame.data, data: undefined };
  const value = parse(frame.data);
  // A named frame among unnamed ones is what its name says.
  if (format === 'named' || frame.type !== 'message') {
    // Data that is not JSON is plain text, such as `event: connected` / `data: Stream connected`.
    return { type: frame.type, data: value === undefined ? frame.data : value };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (format === 'envelope') {
    const { channel, type } = value as Partial<Envelope>;
    return typeof channel === 'string' && typeof type === 'string'
      ? { type: channel, data: value }
      : undefined;
  }
  const { type, data } = value as { type?: unknown; data?: unknown };
  return typeof type === 'string' ? { type, data } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
