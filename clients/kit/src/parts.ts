// The parts of which `startPage` builds pages, for the page that shows them all.
export { createGate, createUnreachableGate } from './gate';
export { createConnectionMark, createHeader } from './header';
export type { SessionView } from './session';
export { createSignInForm, requireSignIn } from './signIn';
export { maySignOut } from './signOut';
