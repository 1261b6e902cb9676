import { memo, useRef } from 'react';
import { fieldKey } from '../api/fieldLocks';
import { shownValue, type Field } from '../api/fields';
import { holderOf } from '../state/state';
import { useBranchStore, useWarranty } from './context';
import { FieldEditor } from './FieldEditor';
import { focusCell, neighbour } from './focus';
import { Icon } from './Icon';

export const FieldCell = memo(function FieldCell({
  id,
  field,
}: {
  readonly id: string;
  readonly field: Field;
}) {
  const { name, label, kind, isMain } = field;
  const key = fieldKey(id, name);
  const store = useBranchStore();
  const cell = useRef<HTMLTableCellElement>(null);
  const value = useWarranty((state) => state.records.get(id)?.[name] ?? '');
  const serviceNo = useWarranty((state) => state.records.get(id)?.serviceNo ?? '');
  const edit = useWarranty((state) => state.edits.get(key));
  const isPending = useWarranty((state) => state.pending.has(key));
  const holder = useWarranty((state) => holderOf(state, key));
  const lockedBy = holder === undefined ? undefined : `Locked by ${holder}`;

  const begin = () => {
    if (edit) return;
    if (holder === undefined) store.edits.begin(key);
    else store.tellLocked(key, holder);
  };
  // Leaves the editor and focuses this cell or its neighbour.
  const leave = (step: 0 | 1 | -1) => {
    const from = cell.current!;
    const next = step === 0 ? from : neighbour(from, step);
    if (next) focusCell(from.closest('table')!, next);
    else from.querySelector<HTMLElement>('input, select, textarea')?.blur();
  };
  const shown = shownValue(kind, value);
  return (
    <td
      ref={cell}
      className={`field-cell column-${name} kind-${kind}`}
      data-case={id}
      data-field={name}
      data-label={label}
      data-main={isMain ? '' : undefined}
      data-pending={isPending ? '' : undefined}
      data-locked={lockedBy === undefined ? undefined : ''}
      data-editing={edit?.phase}
      data-value={value}
      title={edit ? undefined : (lockedBy ?? (shown.length > 30 ? shown : undefined))}
      tabIndex={-1}
      aria-readonly={lockedBy !== undefined}
      aria-label={`${label}: ${shown || 'empty'}${lockedBy === undefined ? '' : `. ${lockedBy}`}${isPending ? '. Not saved yet' : ''}`}
      onClick={begin}
      onKeyDown={(event) => {
        if (event.target !== event.currentTarget || (event.key !== 'Enter' && event.key !== 'F2')) return;
        event.preventDefault();
        begin();
      }}
    >
      {edit ? (
        <>
          <FieldEditor
            field={field}
            label={`${label} of ${serviceNo}`}
            value={edit.draft}
            onType={(typed) => store.edits.type(key, typed)}
            onCommit={() => store.edits.commit(key)}
            onCancel={() => store.edits.cancel(key)}
            onLeave={leave}
          />
          {edit.phase === 'taking' && <span className="cell-note">Taking the lock …</span>}
          {edit.phase === 'waiting' && <span className="cell-note">Kept until you are back online</span>}
        </>
      ) : kind === 'status' ? (
        <span className="status" data-status={value}>
          {shown}
        </span>
      ) : (
        <span className={shown === '' ? 'cell-text cell-empty' : 'cell-text'}>{shown || '–'}</span>
      )}
      {lockedBy !== undefined && !edit && (
        <span className="lock-mark" data-lock={holder} title={lockedBy}>
          <Icon name="lock" />
        </span>
      )}
    </td>
  );
});
