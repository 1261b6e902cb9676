import { startPage } from '@dunlin/kit';
import { show } from './ui/landing';

startPage({
  title: undefined,
  home: '/',
  reason: 'Sign in to go on.',
  isPublic: true,
  start: show,
  visit: show,
});
