/** The control events of a Dunlin stream. They are the same in every wire format. */
export interface Hello {
  readonly connectionId?: string | undefined;
  readonly position?: string | undefined;
  readonly heartbeatSeconds?: number | undefined;
  readonly user?: unknown;
}

export interface Reset {
  /** Why there is a gap, for example `trimmed` or `epoch`. */
  readonly reason: string;
  /** The position at which the stream continues. */
  readonly position?: string | undefined;
}

export type Control =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'reset'; readonly reset: Reset }
  | { readonly type: 'goodbye'; readonly reason: string; readonly reconnectInMs?: number | undefined };

/**
 * Parses a control frame by its `control:` field, never by its event name: publishers choose event names. Returns undefined for control
 * frames without an action here, such as `revoked`, and for those of later versions.
 */
export function readControl(control: string, data: string): Control | undefined {
  const value = parseObject(data);
  const text = (name: string) => (typeof value[name] === 'string' ? value[name] : undefined);
  const count = (name: string) => {
    const number = value[name];
    return typeof number === 'number' && number >= 0 ? number : undefined;
  };
  switch (control) {
    case 'hello':
      return {
        type: 'hello',
        hello: {
          connectionId: text('connectionId'),
          position: text('position'),
          heartbeatSeconds: count('heartbeatSeconds'),
          user: value['user'],
        },
      };
    case 'reset':
      return { type: 'reset', reset: { reason: text('reason') ?? 'unknown', position: text('position') } };
    case 'goodbye':
      return { type: 'goodbye', reason: text('reason') ?? 'draining', reconnectInMs: count('reconnectInMs') };
    default:
      return undefined;
  }
}

/** Whether the type is reserved for control frames. Such a frame without a `control:` field does not come from the server. */
export function isReserved(type: string): boolean {
  return type.startsWith('dunlin.');
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
