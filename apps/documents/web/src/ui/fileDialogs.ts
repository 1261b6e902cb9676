import { element } from '@dunlin/kit';
import type { FoundFile } from '../state/library';
import { ask, field } from './dialogs';

/** Returns the name of a file in dialogs, such as "Version 2 (gold standard)". */
export function nameOf({ version, is_gold: isGold }: FoundFile['file']): string {
  return `Version ${version}${isGold ? ' (gold standard)' : ''}`;
}

/** Asks for the name of a new version. Resolves with undefined if the user cancels. */
export async function askNewVersion(): Promise<string | undefined> {
  const label = element('input', { className: 'input', maxLength: 80, placeholder: 'What is new in it' });
  const content = [field('Name', label)];
  return (await ask({ title: 'New version', content, accept: 'Save as a new version' }))
    ? label.value
    : undefined;
}

export function askDiscard(): Promise<boolean> {
  const content = [element('p', { textContent: 'What you typed and did not save will be gone.' })];
  return ask({ title: 'Discard your text?', content, accept: 'Discard', isDangerous: true });
}

export function askEndSharing(): Promise<boolean> {
  const words =
    'The shared text has changes that are not saved. They are discarded. Others who typed some of them keep the text as a draft.';
  const content = [element('p', { textContent: words })];
  return ask({ title: 'End sharing without saving?', content, accept: 'Discard and end', isDangerous: true });
}

/** Asks before a version replaces the gold standard. */
export function askPromote({ document, file }: FoundFile): Promise<boolean> {
  const former = document.files.find(({ is_gold, variant }) => is_gold && variant === file.variant);
  const label = file.label ? ` “${file.label}”` : '';
  const place = former ? ` in place of version ${former.version}` : '';
  const content = [
    element('p', {
      textContent: `Version ${file.version}${label} of “${document.title}” becomes the gold standard${place}. Only reviewers can change a gold standard.`,
    }),
  ];
  const title = `Make version ${file.version} the gold standard?`;
  return ask({ title, content, accept: `Make version ${file.version} gold` });
}

/** Asks which files to delete. Resolves with their ids, or with undefined if the user cancels. */
export async function askDelete({ document, file }: FoundFile): Promise<readonly string[] | undefined> {
  const all = [...document.files, ...(document.pdf ? [document.pdf] : [])].filter(({ can }) => can.delete);
  const whole = element('input', { type: 'checkbox' });
  const isGold = file.is_gold ? ', its gold standard,' : '';
  const content = [
    element('p', {
      textContent: `Version ${file.version} of “${document.title}”${isGold} will be gone for everybody.`,
    }),
    ...(all.length > 1
      ? [element('label', { className: 'switch' }, whole, `Delete the whole document (${all.length} files)`)]
      : []),
  ];
  if (!(await ask({ title: `Delete ${nameOf(file)}?`, content, accept: 'Delete', isDangerous: true })))
    return undefined;
  return whole.checked ? all.map(({ stable_id }) => stable_id) : [file.stable_id];
}
