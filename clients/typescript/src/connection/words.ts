import type { ConnectionState, ConnectionStateName } from './state.js';

/** The text that a page shows for each state. Translate it by supplying another record. */
export type StatusWords = Readonly<Record<ConnectionStateName, string>>;

export const englishStatusWords: StatusWords = {
  connecting: 'Connecting',
  live: 'Real-time updates active',
  waiting: 'Reconnecting',
  offline: 'Offline',
  signedOut: 'Signed out',
  closed: 'Disconnected',
};

export function statusWord(state: ConnectionState, words: StatusWords = englishStatusWords): string {
  return words[state.name];
}
