import type { Ref } from 'react';

const KEYS: readonly (readonly [keys: readonly string[], action: string])[] = [
  [['↑', '↓'], 'Go from entry to entry'],
  [['Enter'], 'On an entry: write a new one. In a text: save it'],
  [['Space'], 'Complete an entry'],
  [['Ctrl', '↑'], 'Move an entry up'],
  [['Ctrl', '↓'], 'Move an entry down'],
  [['Delete'], 'Delete an entry'],
  [['Ctrl', 'Z'], 'Undo'],
  [['N'], 'Write a new entry'],
  [['T'], 'Show today'],
  [['/'], 'Search all lists'],
  [['?'], 'Show these keys'],
];

/** The keys of the page, in a dialog. */
export function Help({ ref }: { readonly ref: Ref<HTMLDialogElement> }) {
  return (
    <dialog ref={ref} className="dialog help" aria-labelledby="help-title">
      <h2 id="help-title">Keyboard</h2>
      <dl>
        {KEYS.map(([keys, action]) => (
          <div key={action}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{action}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog" className="dialog-actions">
        <button className="button button-primary">Close</button>
      </form>
    </dialog>
  );
}
