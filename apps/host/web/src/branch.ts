import { startPage } from '@dunlin/kit';
import { show } from './ui/ownBranch';

startPage({
  title: 'Warranty cases',
  home: '/branch',
  reason: 'Sign in to see the warranty cases.',
  start: show,
});
