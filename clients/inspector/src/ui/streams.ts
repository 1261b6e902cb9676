const states: Record<string, string> = {
  live: 'Live',
  catchingUp: 'Catching up',
  lagging: 'Lagging',
  closing: 'Closing',
  closed: 'Closed',
};

const ends: Record<string, string> = {
  gone: 'Client gone',
  draining: 'Node stopped',
  tokenExpired: 'Token expired',
  signedOut: 'Signed out',
  revoked: 'Rights revoked',
  answered: 'Long poll answered',
  failed: 'Failed',
};

export const stateWord = (state: string): string => states[state] ?? state;
export const endWord = (reason: string | undefined): string => ends[reason ?? ''] ?? 'Closed';

export function stateTone(state: string): string | undefined {
  if (state === 'live') return 'good';
  return state === 'lagging' ? 'bad' : state === 'catchingUp' ? 'warn' : 'muted';
}
