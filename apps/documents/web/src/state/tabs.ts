/** What one tab tells the others of this browser: the server leaves a session's own doings out of its stream. */
export interface TabNews {
  readonly deleted?: readonly string[] | undefined;
  readonly saved?: string | undefined;
}

/**
 * The tabs of one user in this browser. They share a session, so the server's lock does not tell them apart: of each
 * file, one tab at a time edits. The others read, and go on when it is closed, however it ends.
 */
export interface Tabs {
  /**
   * Claims a file for this tab until `signal` aborts. Resolves with whether it is this tab's; where it is not, calls
   * `onTurn` when it becomes so.
   */
  claim(fileId: string, signal: AbortSignal, onTurn: () => void): Promise<boolean>;
  tell(news: TabNews): void;
  onNews(handler: (news: TabNews) => void): void;
  /** Hears and tells nothing any more. */
  close(): void;
}

export function browserTabs(userId: string): Tabs {
  const channel =
    typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel(`dunlin.documents ${userId}`);
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  let isClosed = false;
  const until = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });

  return {
    claim(fileId, signal, onTurn) {
      if (!locks) return Promise.resolve(true);
      const name = `dunlin.documents ${userId} ${fileId}`;
      return new Promise((resolve) => {
        void locks.request(name, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          if (lock) return until(signal);
          const turn = locks.request(name, { signal }, () => {
            onTurn();
            return until(signal);
          });
          turn.catch(() => {}); // the file was closed before its turn came
          return undefined;
        });
      });
    },
    tell(news) {
      if (!isClosed) channel?.postMessage(news);
    },
    onNews(handler) {
      if (channel) channel.onmessage = ({ data }) => handler(data as TabNews);
    },
    close() {
      isClosed = true;
      channel?.close();
    },
  };
}
