import { useRef, useState } from 'react';
import { fieldKey } from '../api/fieldLocks';
import { fields, shownValue, type Field } from '../api/fields';
import { holderOf } from '../state/state';
import { Avatar } from './Avatar';
import { useBranchStore, useOpenCase, useWarranty } from './context';
import { Dialog } from './Dialog';
import { DeleteDialog, TransferDialog } from './dialogs';
import { FieldEditor } from './FieldEditor';
import { HistoryList } from './HistoryList';
import { Icon } from './Icon';

/** Shows one case with all its fields and its history beside the table, or on the whole screen of a phone. */
export function RecordPanel({ id }: { readonly id: string }) {
  const store = useBranchStore();
  const openCase = useOpenCase();
  const record = useWarranty((state) => state.records.get(id));
  const [overlay, setOverlay] = useState<'transfer' | 'delete' | undefined>();
  const list = useRef<HTMLDivElement>(null);
  const close = () => {
    for (const { name } of fields) store.edits.commit(fieldKey(id, name));
    openCase(undefined);
  };
  // Focuses the field itself, or the next or previous one.
  const leave = (name: string, step: 0 | 1 | -1) => {
    const places = [...list.current!.querySelectorAll<HTMLElement>('[data-panel-field]')];
    const at = places.findIndex((place) => place.dataset['panelField'] === name);
    const next = places[at + step] ?? places[at];
    // The button takes the place of the editor in the next frame.
    requestAnimationFrame(() => next?.querySelector<HTMLElement>('button')?.focus());
  };
  return (
    <Dialog title={record?.serviceNo ?? 'Case'} className="side-panel record" onClose={close}>
      {record ? (
        <>
          <div className="record-actions">
            <button type="button" className="button button-small" onClick={() => setOverlay('transfer')}>
              <Icon name="move" />
              Transfer
            </button>
            <button type="button" className="button button-small" onClick={() => setOverlay('delete')}>
              <Icon name="trash" />
              Delete
            </button>
          </div>
          <div ref={list} className="record-fields">
            {fields.map((field) => (
              <RecordField key={field.name} id={id} field={field} onLeave={leave} />
            ))}
          </div>
          <HistoryList id={id} />
          {overlay === 'transfer' && <TransferDialog record={record} onClose={() => setOverlay(undefined)} />}
          {overlay === 'delete' && <DeleteDialog record={record} onClose={() => setOverlay(undefined)} />}
        </>
      ) : (
        <p className="muted" role="status">
          Loading the case …
        </p>
      )}
    </Dialog>
  );
}

interface RecordFieldProps {
  readonly id: string;
  readonly field: Field;
  readonly onLeave: (name: string, step: 0 | 1 | -1) => void;
}

function RecordField({ id, field, onLeave }: RecordFieldProps) {
  const { name, label, kind } = field;
  const key = fieldKey(id, name);
  const store = useBranchStore();
  const value = useWarranty((state) => state.records.get(id)?.[name] ?? '');
  const edit = useWarranty((state) => state.edits.get(key));
  const isPending = useWarranty((state) => state.pending.has(key));
  const holder = useWarranty((state) => holderOf(state, key));
  const holderName = useWarranty((state) => state.locks.get(key)?.userName ?? '');
  const error = useWarranty((state) => state.errors.get(key));
  const begin = () => {
    if (holder === undefined) store.beginEdit(key);
    else store.tellLocked(key, holder);
  };
  return (
    <div
      className={`record-field kind-${kind}`}
      data-panel-field={name}
      data-value={value}
      data-editing={edit?.phase}
      data-pending={isPending ? '' : undefined}
      data-locked={holder === undefined ? undefined : ''}
    >
      <span className="record-label" aria-hidden="true">
        {label}
      </span>
      {edit ? (
        <FieldEditor
          field={field}
          label={label}
          value={edit.draft}
          onType={(typed) => store.edits.type(key, typed)}
          onCommit={() => store.edits.commit(key)}
          onCancel={() => store.edits.cancel(key)}
          onLeave={(step) => onLeave(name, step)}
        />
      ) : (
        <button
          type="button"
          className="record-value"
          aria-label={`${label}: ${shownValue(kind, value) || 'empty'}${isPending ? '. Not saved yet' : ''}`}
          aria-describedby={holder === undefined && !error ? undefined : `note-${name}`}
          onClick={begin}
          onKeyDown={(event) => {
            if (event.key !== 'F2') return;
            event.preventDefault();
            begin();
          }}
        >
          {kind === 'status' ? (
            <span className="status" data-status={value}>
              {shownValue(kind, value)}
            </span>
          ) : (
            value || <span className="muted">–</span>
          )}
        </button>
      )}
      {holder !== undefined && !edit && (
        <span id={`note-${name}`} className="record-note record-lock">
          <Avatar name={holderName} /> Locked by {holder}
        </span>
      )}
      {error && !edit && holder === undefined && (
        <span id={`note-${name}`} className="record-note record-error">
          <Icon name="alert" /> {error.text} You typed: “{error.typed}”
        </span>
      )}
    </div>
  );
}
