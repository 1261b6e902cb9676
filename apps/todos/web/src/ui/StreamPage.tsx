import type { PageSession } from '@dunlin/kit';
import { useEffect, useMemo, useRef, useState } from 'react';
import { StreamApi, type StreamStats } from '../api/stream';
import { Icon } from './Icon';

interface Line {
  readonly number: number;
  readonly time: string;
  readonly word: string;
}

const MAX_LINES = 200;

interface Props {
  readonly session: PageSession;
}

/** Displays the raw stream, for trials and for diagnosing proxies. */
export function StreamPage({ session }: Props) {
  const source = useRef<EventSource | undefined>(undefined);
  const [state, setState] = useState<'closed' | 'connecting' | 'open'>('closed');
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [stats, setStats] = useState<StreamStats>();
  const [answer, setAnswer] = useState('');

  const api = useMemo(() => new StreamApi(session.user.userId), [session]);
  const add = (word: string) =>
    setLines((before) =>
      [
        { number: (before[0]?.number ?? 0) + 1, time: new Date().toLocaleTimeString(), word },
        ...before,
      ].slice(0, MAX_LINES),
    );
  const disconnect = () => {
    source.current?.close();
    source.current = undefined;
    setState('closed');
  };
  const connect = () => {
    disconnect();
    setState('connecting');
    const opened = new EventSource(api.streamAddress);
    source.current = opened;
    opened.onopen = () => setState('open');
    opened.onmessage = (event) => add(String(event.data));
    opened.onerror = () => {
      add(opened.readyState === EventSource.CLOSED ? '(refused)' : '(cut; the browser tries again)');
      setState(opened.readyState === EventSource.CLOSED ? 'closed' : 'connecting');
      // The stream was refused. An EventSource does not report the reason, so check whether the session ended.
      if (opened.readyState === EventSource.CLOSED) void session.check().catch(() => {});
    };
  };
  const poke = async () => setAnswer(JSON.stringify(await api.poke(), null, 2));
  const count = async () => {
    const found = await api.stats();
    if (found) setStats(found);
  };

  useEffect(() => {
    document.title = 'The stream · Todos';
    connect();
    // This stream has its own connection, of which a browser allows six per host over HTTP/1.1. Close it while the tab is hidden.
    let isInterrupted = false;
    const onVisibility = () => {
      if (document.hidden) {
        isInterrupted = source.current !== undefined;
        disconnect();
      } else if (isInterrupted) connect();
    };
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      disconnect();
    };
  }, []);
  useEffect(() => void count(), [lines.length]);

  return (
    <div className="stream-page">
      <main className="stream">
        <a href="/todos" className="muted">
          <Icon name="left" /> To the lists
        </a>
        <h1>The stream, live</h1>
        <p className="muted">
          <code>GET /api/v1/replicache/stream</code> says <code>connected</code>, <code>ping</code> every 30
          seconds when idle, and <code>sync</code> whenever there is something to pull. Change a list in
          another window and watch.
        </p>
        <div className="stream-bar">
          <span className="stream-state" data-stream={state}>
            {state}
          </span>
          {stats && (
            <span className="muted" data-stats="">
              {stats.userConnections} {stats.userConnections === 1 ? 'stream' : 'streams'} of yours
              {stats.totalConnections > stats.userConnections && `, ${stats.totalConnections} in all`}
            </span>
          )}
          <span className="toolbar-space" />
          <button
            type="button"
            className="button button-small"
            onClick={state === 'closed' ? connect : disconnect}
          >
            {state === 'closed' ? 'Connect' : 'Disconnect'}
          </button>
          <button type="button" className="button button-small button-primary" onClick={() => void poke()}>
            Poke me
          </button>
        </div>
        {answer && <pre className="stream-answer">{answer}</pre>}
        <ol className="stream-lines" reversed aria-live="polite">
          {lines.map(({ number, time, word }) => (
            <li key={number} data-word={word}>
              <time>{time}</time> <code>{word}</code>
            </li>
          ))}
        </ol>
      </main>
    </div>
  );
}
