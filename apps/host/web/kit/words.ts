/** What the shared parts say. A page in another language sets them before it uses the parts. */
const words = {
  signIn: 'Sign in',
  signInReason: 'Sign in to go on.',
  userName: 'User name',
  password: 'Password',
  demo: 'Try it as one of the demo accounts:',
  or: 'or',
  unreachable: 'The server cannot be reached. Try again in a moment.',
  signedInAs: 'Signed in as {name}',
  allSystems: 'All systems',
  signOut: 'Sign out',
  signOutFailed: 'Signing out did not work: the server cannot be reached.',
};

export type KitWords = typeof words;

export function setKitWords(changed: Partial<KitWords>): void {
  Object.assign(words, changed);
}

export function kitWord(key: keyof KitWords, name = ''): string {
  return words[key].replace('{name}', name);
}
