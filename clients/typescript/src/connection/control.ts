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

/** Reads a control event; nothing for events of the application and control events of later versions. */
export function readControl(type: string, data: string): Control | undefined {
  if (!isControl(type)) return undefined;
  const value = parseObject(data);
  const text = (name: string) => (typeof value[name] === 'string' ? (value[name] as string) : undefined);
  const count = (name: string) => {
    const number = value[name];
    return typeof number === 'number' && number >= 0 ? number : undefined;
  };
  switch (type) {
    case 'dunlin.hello':
      return {
        type: 'hello',
        hello: {
          connectionId: text('connectionId'),
          position: text('position'),
          heartbeatSeconds: count('heartbeatSeconds'),
          user: value['user'],
        },
      };
    case 'dunlin.reset':
      return { type: 'reset', reset: { reason: text('reason') ?? 'unknown', position: text('position') } };
    case 'dunlin.goodbye':
      return { type: 'goodbye', reason: text('reason') ?? 'draining', reconnectInMs: count('reconnectInMs') };
    default:
      return undefined;
  }
}

export function isControl(type: string): boolean {
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
