import { openOffline, showToast, startPage } from '@dunlin/kit';
import { mount, unmount } from 'svelte';
import { Focus } from './state/focus.svelte';
import App from './ui/App.svelte';

startPage({
  title: 'Focus',
  home: '/focus',
  reason: 'Sign in to see your timer on all your devices.',
  isOffline: true,
  start: (session) => {
    const focus = new Focus({
      user: session.user.userId,
      refresh: session.refresh,
      notify: (text, kind, copy, undo) =>
        showToast({ text, kind, copy, action: undo && { label: 'Undo', run: undo } }),
      storage: session.storage,
      onSignedOut: session.end,
    });
    focus.start();
    const app = mount(App, { target: session.root, props: { focus, session } });
    session.trackUnsent({ count: () => focus.unsent, flush: () => focus.flush() });
    return async () => {
      focus.dispose();
      await unmount(app);
    };
  },
});

openOffline('focus');
