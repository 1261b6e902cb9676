/** A message from one tab to the others of this browser. The server excludes a session's own changes from its stream. */
export interface TabNews {
  readonly deleted?: readonly string[] | undefined;
  readonly saved?: string | undefined;
}

/**
 * The tabs of one user in this browser. They share a session, so the server's lock cannot distinguish them. Each file is edited in one tab
 * at a time. The other tabs read it, and continue when the editing tab ends for any reason.
 */
export interface Tabs {
  /**
   * Claims a file for this tab until `signal` aborts. Resolves with whether this tab has the claim. If not, calls `onTurn` when it gets the
   * claim.
   */
  claim(fileId: string, signal: AbortSignal, onTurn: () => void): Promise<boolean>;
  tell(news: TabNews): void;
  onNews(handler: (news: TabNews) => void): void;
  /** Closes the channel between the tabs. */
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
          turn.catch(() => {}); // the file was closed before its turn
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
