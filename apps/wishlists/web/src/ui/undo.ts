import { showToast } from '@dunlin/kit';
import { UNDO_MS } from '../state/removals';
import { t } from './i18n';

/** Shows a toast with an Undo button for as long as a deletion can be undone. */
export function offerUndo(text: string, undo: () => void | Promise<void>): void {
  const close = showToast({
    text,
    action: {
      label: t('undo'),
      run: async () => {
        close();
        await undo();
      },
    },
  });
  setTimeout(close, UNDO_MS);
}
