import { element, openOffline, startPage, type PageSession, type Stop, type User } from '@dunlin/kit';
import { createApp, defineAsyncComponent } from 'vue';
import { hasLanguage, t } from './ui/i18n';
import { useKitWords } from './ui/i18n/kitWords';
import { current } from './ui/address';

const PreviewShell = defineAsyncComponent(() => import('./ui/PreviewShell.vue'));
const loadLists = () => import('./lists');
// The lists load while the session is being asked for. A visitor of a link may never need them.
// A failure is reported where the lists are shown.
if (current.value.name !== 'share') loadLists().catch(() => {});

/** The link that a visitor wants to join after signing in. */
let joining: string | undefined;

/** Displays the list of a link, also to visitors who are not signed in. */
function showPreview(session: PageSession<User | undefined>, token: string, onJoin: () => void): Stop {
  const isSignedIn = session.user !== undefined;
  const app = createApp(PreviewShell, { tools: session.tools, token, isSignedIn, onJoin });
  app.mount(session.root);
  return () => app.unmount();
}

async function start(session: PageSession): Promise<Stop> {
  if (current.value.name !== 'share' || joining !== undefined) return openLists(session);
  const { token } = current.value;
  let stop: Stop = showPreview(session, token, () => {
    joining = token;
    void Promise.resolve(stop()).then(async () => (stop = await openLists(session)));
  });
  return () => stop();
}

async function openLists(session: PageSession): Promise<Stop> {
  try {
    const wanted = joining;
    joining = undefined;
    const { showLists } = await loadLists();
    return await showLists(session, wanted);
  } catch (error) {
    // The browser probably blocks storage.
    session.root.append(element('p', { className: 'trouble', textContent: t('storageTrouble') }));
    console.error(error);
    return () => session.root.replaceChildren();
  }
}

void hasLanguage.then(() => {
  useKitWords();
  // The kit shows this title whenever no user is signed in.
  document.title = `${t('title')} · Dunlin`;
  startPage({
    title: () => t('title'),
    home: '/wishlists',
    reason: () => t('signInReason'),
    isOffline: true,
    start,
    visit: (session) => {
      if (current.value.name !== 'share') {
        void loadLists().then(({ closeEarly }) => closeEarly());
        return undefined;
      }
      const { token } = current.value;
      return showPreview(session, token, () => {
        joining = token;
        void session.requireSignIn(t('joinReason'));
      });
    },
  });
});

openOffline('wishlists');
