import { showToast } from '@dunlin/kit';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { oneLine, outcomeOf } from '../state/edits';

interface EditableProps {
  readonly className: string;
  readonly label: string;
  readonly value: string;
  readonly maxLength: number;
  readonly isReadOnly?: boolean;
  readonly onSave: (text: string) => Promise<void>;
  /** Called when the field disappears during an edit, with the unsaved text. */
  readonly onAbandoned: (text: string) => void;
  /** Called after Enter or Escape, to move the focus. */
  readonly onDone?: ((field: HTMLElement) => void) | undefined;
}

/**
 * Text that is edited in place. Enter and blur save it; Escape discards it. While the field has the focus, nobody else's change touches its
 * text or its caret; the end of the edit settles both.
 */
export function Editable({ className, label, value, maxLength, isReadOnly, ...events }: EditableProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  // Undefined: the field shows `value`. After a save the typed text stays until `value` follows.
  const [draft, setDraft] = useState<string>();
  const [base, setBase] = useState<string>();
  const isCancelled = useRef(false);
  const isEditing = base !== undefined;
  const latest = useRef({ base, draft, value, onAbandoned: events.onAbandoned });
  latest.current = { base, draft, value, onAbandoned: events.onAbandoned };

  useEffect(() => {
    if (latest.current.base === undefined) setDraft(undefined);
  }, [value]);
  useEffect(
    () => () => {
      const { base, draft, value, onAbandoned } = latest.current;
      if (base === undefined || draft === undefined) return;
      if (outcomeOf({ base, typed: draft, current: value }) !== 'nothing') onAbandoned(oneLine(draft));
    },
    [],
  );
  useLayoutEffect(() => fit(field.current!));

  const finish = () => {
    const typed = oneLine(draft ?? value);
    const outcome = isCancelled.current
      ? 'nothing'
      : outcomeOf({ base: base ?? value, typed, current: value });
    isCancelled.current = false;
    setBase(undefined);
    if (outcome === 'nothing') return setDraft(undefined);
    setDraft(typed);
    events.onSave(typed).catch(() => setDraft(undefined));
    if (outcome === 'conflict') tellConflict(value, () => events.onSave(value));
  };

  return (
    <span className={`editable ${className}`}>
      <textarea
        ref={field}
        className="editable-field"
        aria-label={label}
        rows={1}
        value={draft ?? value}
        maxLength={maxLength}
        readOnly={isReadOnly}
        onFocus={() => {
          if (isReadOnly) return;
          setBase(draft ?? value);
          setDraft(draft ?? value);
        }}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
          event.preventDefault();
          isCancelled.current = event.key === 'Escape';
          event.currentTarget.blur();
          events.onDone?.(event.currentTarget);
        }}
        onBlur={() => isEditing && finish()}
      />
      {isEditing && value !== base && (
        <small className="editable-meanwhile" role="status">
          Changed meanwhile to “{value}”
        </small>
      )}
    </span>
  );
}

function tellConflict(theirs: string, take: () => Promise<void>): void {
  const remove = showToast({
    text: `While you typed, this was changed to “${theirs}”. Your text is saved.`,
    action: {
      label: 'Use the other text',
      run: async () => {
        remove();
        await take();
      },
    },
  });
}

/** Grows the field with its text, in browsers without `field-sizing`. */
function fit(field: HTMLTextAreaElement): void {
  if (CSS.supports('field-sizing', 'content')) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
