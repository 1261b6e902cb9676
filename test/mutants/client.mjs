export default {
  mechanism: 'TypeScript client',
  mutants: [
    {
      name: 'failure-of-an-old-stream-counts',
      file: 'clients/typescript/src/connection/state.ts',
      replace: "case 'failed':\n      if (!isOpen(state) || input.stream !== stream) return state;",
      with: "case 'failed':\n      if (!isOpen(state)) return state;",
      breaks: 'The late failure of an abandoned stream closes its successor.',
      killedBy: 'clients/typescript/test/connection/state.test.ts: The transition table',
    },
    {
      name: 'steady-stream-keeps-its-backoff',
      file: 'clients/typescript/src/connection/state.ts',
      replace: 'const failures = steady ? 0 : attempt;',
      with: 'const failures = attempt;',
      breaks: 'A client that was connected for hours waits 30 seconds after a planned close.',
      killedBy: 'clients/typescript/test/connection/state.test.ts: The transition table',
    },
    {
      name: 'visible-page-ignores-retry-after',
      file: 'clients/typescript/src/connection/state.ts',
      replace: "if (state.name === 'waiting' && !state.serverMandated)",
      with: "if (state.name === 'waiting')",
      breaks: 'A page that becomes visible asks a busy server before the time that it gave.',
      killedBy: 'clients/typescript/test/connection/state.test.ts: The transition table',
    },
    {
      name: 'reset-keeps-the-lost-position',
      file: 'clients/typescript/src/connection/feed.ts',
      replace: 'if (!moved) this.#position = control.reset.position ?? this.#helloPosition;',
      with: '',
      breaks: 'A client asks for the same lost position again and gets a reset at each reconnection.',
      killedBy:
        'clients/typescript/test/connection/connection.test.ts: A reset is surfaced, and the old position is not asked for again',
    },
    {
      name: 'moved-stream-reconnects-its-successor',
      file: 'clients/typescript/src/connection/feed.ts',
      replace: 'if (this.#open?.stream === stream) this.reconnect();',
      with: 'this.reconnect();',
      breaks: 'A stream that was already replaced opens a third one.',
      killedBy:
        'clients/typescript/test/connection/connection.test.ts: A stream that moved after it was replaced opens no third one',
    },
    {
      name: 'line-feed-after-text-is-swallowed',
      file: 'clients/typescript/src/sse/parser.ts',
      replace:
        '        this.#skipLineFeed = false;\n        continue;\n      }\n      if (code === LINE_FEED && this.#skipLineFeed)',
      with: '        continue;\n      }\n      if (code === LINE_FEED && this.#skipLineFeed)',
      breaks: 'A line feed is ignored although text stands between it and the carriage return.',
      killedBy: 'clients/typescript/test/sse/parser.test.ts: The event-stream vectors of docs/spec',
    },
    {
      name: 'event-of-the-own-position-repeats',
      file: 'clients/typescript/src/tabs/cursor.ts',
      replace: 'if (distance !== undefined && distance <= 0)',
      with: 'if (distance !== undefined && distance < 0)',
      breaks: 'A tab handles the last event again after another tab took the lead.',
      killedBy: 'clients/typescript/test/tabs/cursor.test.ts: The cursor of a tab',
    },
    {
      name: 'answer-of-the-same-moment-is-stale',
      file: 'clients/typescript/src/store/confirmed.ts',
      replace: 'stamp.sequence <= arrival.since',
      with: 'stamp.sequence < arrival.since',
      breaks: 'The answer to a request is dropped as stale although nothing changed since it was sent.',
      killedBy:
        'clients/typescript/test/store/confirmed.test.ts: is taken if nothing arrived since its request',
    },
    {
      name: 'renewal-counts-from-its-answer',
      file: 'clients/typescript/src/leases/lease.ts',
      replace: 'this.#validUntil = askedAt + this.#grantedMs(grant);\n      this.#schedule',
      with: 'this.#validUntil = this.#environment.now() + this.#grantedMs(grant);\n      this.#schedule',
      breaks: 'A page believes in its lease for the time that the answer travelled.',
      killedBy: 'clients/typescript/test/leases/leases.test.ts: a renewal counts from its request',
    },
    {
      name: 'page-releases-during-a-save',
      file: 'clients/typescript/src/leases/lease.ts',
      replace: 'if (this.#lost.signal.aborted || this.hasHolds) return;',
      with: 'if (this.#lost.signal.aborted) return;',
      breaks: 'A page that unloads releases its lease before its last save is written.',
      killedBy:
        'clients/typescript/test/leases/leases.test.ts: a page that unloads does not release during a pending save',
    },
  ],
};
