/** The named events that every Dunlin stream speaks, whatever the clothing of its other events. */
export interface Hello {
  readonly connectionId?: string | undefined;
  readonly position?: string | undefined;
  readonly heartbeatSeconds?: number | undefined;
  readonly user?: unknown;
}

export interface Reset {
  /** Why there is a gap, for example `trimmed` or `epoch`. */
  readonly reason: string;
  /** From where the stream goes on. */
  readonly position?: string | undefined;
}

export type Control =
  | { readonly type: 'hello'; readonly hello: Hello }
  | { readonly type: 'reset'; readonly reset: Reset }
  | { readonly type: 'goodbye'; readonly reason: string; readonly reconnectInMs?: number | undefined };

/**
 * Reads a control frame by its `control:` field. The event name does not count: anybody who may publish chooses event
 * names. Nothing for control frames that need no action here, such as `revoked`, and for those of later versions.
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

/** Names of control frames. Without a `control:` field a frame of such a name comes from nobody who may speak for the server. */
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
