import { setKitWords, startPage } from '@dunlin/kit';
import { PATH, start } from './ui/page';

setKitWords({
  copy: 'Copy my text',
  signedOutReason: 'You are signed out. What you typed is kept: sign in to go on.',
  unsentOne: 'A document has unsaved changes',
  unsentText:
    'They are kept on this device as a draft, shown to nobody else, and offered when {name} opens the document here again.',
  waitingOne:
    'A document has unsaved changes. They are kept on this device as a draft, shown to nobody else, and offered when the same user opens it here again.',
});

startPage({ title: 'Documents', home: PATH, reason: 'Sign in to see the documents.', start });
