/** How an endpoint encodes events. Each endpoint has one format. */
export type WireFormat =
  /** Event name and JSON data. */
  | 'named'
  /** Unnamed `{channel, type, payload, sourceDeviceId, timestamp}`. Handlers are registered per channel. */
  | 'envelope'
  /** Unnamed `{type, data}`. */
  | 'typed'
  /** Unnamed plain text. The text is the event type. */
  | 'word';

export interface Envelope<Payload = unknown> {
  readonly channel: string;
  readonly type: string;
  readonly payload: Payload;
  readonly sourceDeviceId?: string | undefined;
  readonly timestamp?: number | string | undefined;
}

/**
 * The events of one channel, by type and payload: `EnvelopeOf<{ started: Timer; stopped: Session }>`. A `switch` over `type` narrows the
 * payload.
 */
export type EnvelopeOf<Types extends object> = {
  [Type in keyof Types & string]: Envelope<Types[Type]> & { readonly type: Type };
}[keyof Types & string];

/** An event as handlers receive it. */
export interface ReceivedEvent<Data = unknown> {
  /** The name that handlers are registered under: the event type, or the channel for envelopes. */
  readonly type: string;
  readonly data: Data;
  /** The position of the connection after this event. Undefined on streams without ids. */
  readonly position?: string | undefined;
  readonly topic?: string | undefined;
  /** Further topics of the event. */
  readonly alsoOn?: readonly string[] | undefined;
}

export interface UndecodedEvent {
  readonly type: string;
  readonly data: string;
}

/** Returns type and data of a frame, or undefined when the frame does not have this format. */
export function decode(
  format: WireFormat,
  frame: UndecodedEvent,
): { type: string; data: unknown } | undefined {
  if (format === 'word') return { type: frame.data, data: undefined };
  const value = parse(frame.data);
  // In every format a named frame is decoded by its event name.
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
