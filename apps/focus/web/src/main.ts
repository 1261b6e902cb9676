import { copyText, Session, showToast, startPage } from '@dunlin/kit';
import { mount, unmount } from 'svelte';
import { Focus } from './state/focus.svelte';
import App from './ui/App.svelte';

const session = new Session();

function notify(text: string, kind: 'info' | 'error' = 'info', typed = ''): void {
  const action = { label: 'Copy', done: 'Copied', run: () => copyText(typed) };
  showToast({ text, kind, action: typed === '' ? undefined : action });
}

startPage({
  session,
  system: () => 'Focus',
  home: '/focus',
  reason: () => 'Sign in to see your timer on all your devices.',
  start: (user, place) => {
    const focus = new Focus({
      user: user.userId,
      refresh: () => session.refresh(),
      notify,
      storage: storageOrNothing(),
      onSignedOut: () => session.markSignedOut(),
    });
    focus.start();
    const app = mount(App, { target: place, props: { focus, session } });
    return {
      unsent: () => focus.unsent,
      dispose: async () => {
        focus.dispose();
        await unmount(app);
      },
    };
  },
});

// Reading localStorage throws where storage is blocked.
function storageOrNothing(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
