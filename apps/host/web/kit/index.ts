export { element } from './dom';
export { fold } from './fold';
export { connectionLook, createHeader, type ConnectionLook, type Header, type HeaderOptions } from './header';
export { icon, iconPaths, type IconName } from './icons';
export { Session, type Demo, type DemoAccount, type SessionState, type User } from './session';
export { avatar, createSignInForm, requireSignIn } from './signIn';
export { showToast, type Toast, type ToastAction } from './toasts';
export { setKitWords, type KitWords } from './words';
