/** The texts of the kit. A page in another language replaces them with `setKitWords`. */
const words = {
  signIn: 'Sign in',
  signedOutReason: 'You are signed out. What was not sent is kept for you: sign in to go on.',
  waitingOne:
    '1 change is not sent yet. It stays on this device, is shown to nobody else, and is sent when the same user signs in here again.',
  waitingMany:
    '{name} changes are not sent yet. They stay on this device, are shown to nobody else, and are sent when the same user signs in here again.',
  unsentOne: '1 change is not sent yet',
  unsentMany: '{name} changes are not sent yet',
  unsentText:
    'They stay on this device, are shown to nobody else, and are sent when {name} signs in here again.',
  stay: 'Stay signed in',
  signInReason: 'Sign in to go on.',
  userName: 'User name',
  password: 'Password',
  demo: 'Try it as one of the demo accounts:',
  or: 'or',
  unreachable: 'The server cannot be reached. Try again in a moment.',
  unreachableTitle: 'The server cannot be reached',
  unreachableText: 'The server does not answer. Check that it runs, then try again.',
  offlineText: 'This device has no network. The page opens when the network is back.',
  serverFailed: 'The server answers, but cannot open the page: {name}',
  tryAgain: 'Try again',
  tryAgainIn: 'Try again in {name} s',
  tooMany: 'Too many attempts. Wait until the button can be used again.',
  signedInAs: 'Signed in as {name}',
  allSystems: 'All systems',
  signOut: 'Sign out',
  signOutFailed: 'Signing out did not work: the server cannot be reached.',
  copy: 'Copy',
  copied: 'Copied',
  close: 'Close',
  notices: 'Notices',
  skip: 'Skip to the content',
  live: 'Real-time updates active',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
};

export type KitWords = typeof words;

const listeners = new Set<() => void>();

/** Replaces texts of the kit. Open headers update at once. */
export function setKitWords(changed: Partial<KitWords>): void {
  Object.assign(words, changed);
  for (const listener of [...listeners]) listener();
}

/** Adds a listener for changes of the texts. Returns a function that removes it. */
export function onKitWords(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function kitWord(key: keyof KitWords, name = ''): string {
  return words[key].replace('{name}', name);
}
