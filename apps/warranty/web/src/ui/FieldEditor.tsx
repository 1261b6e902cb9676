import {
  useEffect,
  useMemo,
  useRef,
  useState,
  type FocusEvent,
  type KeyboardEvent,
  type RefObject,
} from 'react';
import { isMenu, statuses, type Field } from '../api/fields';
import { useContextValue } from './context';

interface FieldEditorProps {
  readonly field: Field;
  readonly label: string;
  readonly value: string;
  readonly onType: (value: string) => void;
  readonly onCommit: () => void;
  readonly onCancel: () => void;
  /** Moves the focus: 0 to the cell itself, 1 or -1 to the next or previous one. */
  readonly onLeave: (step: 0 | 1 | -1) => void;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const OTHER = '\u0000other';

export function FieldEditor({ field, label, value, onType, onCommit, onCancel, onLeave }: FieldEditorProps) {
  const control = useRef<Control>(null);
  const [isOther, setOther] = useState(false);
  const isSelect = field.kind === 'status' || (field.kind === 'staff' && !isOther);
  useFocusAtOnce(control, isSelect);

  const common = {
    className: 'editor',
    'aria-label': label,
    value,
    onClick: (event: React.MouseEvent) => event.stopPropagation(),
    onBlur: (event: FocusEvent) => {
      // If another window got the focus, the field stays in edit mode.
      if (document.activeElement !== event.target) onCommit();
    },
    onKeyDown: (event: KeyboardEvent) => {
      event.stopPropagation();
      const isSave = event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing;
      if (!isSave && event.key !== 'Escape' && event.key !== 'Tab') return;
      event.preventDefault();
      if (event.key === 'Escape') onCancel();
      else onCommit();
      onLeave(event.key === 'Tab' ? (event.shiftKey ? -1 : 1) : 0);
    },
  };
  if (isSelect) {
    const choose = (chosen: string) => {
      if (chosen === OTHER) return setOther(true);
      onType(chosen);
      onCommit();
      onLeave(0);
    };
    return (
      <select
        {...common}
        ref={control as RefObject<HTMLSelectElement>}
        onChange={(event) => choose(event.target.value)}
      >
        {field.kind === 'status' ? <StatusOptions value={value} /> : <StaffOptions value={value} />}
      </select>
    );
  }
  if (field.kind === 'text') {
    return (
      <textarea
        {...common}
        ref={control as RefObject<HTMLTextAreaElement>}
        maxLength={field.maxLength}
        rows={4}
        onChange={(event) => onType(event.target.value)}
      />
    );
  }
  return (
    <input
      {...common}
      ref={control as RefObject<HTMLInputElement>}
      type={field.kind === 'date' ? 'date' : 'text'}
      inputMode={field.kind === 'money' ? 'decimal' : field.kind === 'email' ? 'email' : undefined}
      maxLength={isMenu(field.kind) && field.kind === 'date' ? undefined : field.maxLength}
      onChange={(event) => onType(event.target.value)}
    />
  );
}

function StatusOptions({ value }: { readonly value: string }) {
  return (
    <>
      {!(value in statuses) && <option value={value}>{value}</option>}
      {Object.entries(statuses).map(([name, label]) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
    </>
  );
}

// Suggests the staff names of the branch. The user may type another name.
function StaffOptions({ value }: { readonly value: string }) {
  const { state } = useContextValue();
  const names = useMemo(() => {
    const { records, staff } = state.getState();
    const known = new Set([...staff, ...[...records.values()].map((record) => record.staff)]);
    return [...known.add(value)].filter((name) => name !== '').sort((one, other) => one.localeCompare(other));
  }, [state, value]);
  return (
    <>
      <option value="">Nobody</option>
      {names.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
      <option value={OTHER}>Somebody else …</option>
    </>
  );
}

function useFocusAtOnce(control: RefObject<Control | null>, isSelect: boolean): void {
  useEffect(() => {
    const element = control.current!;
    element.focus();
    if (
      element instanceof HTMLTextAreaElement ||
      (element instanceof HTMLInputElement && element.type === 'text')
    ) {
      element.setSelectionRange(element.value.length, element.value.length);
      return;
    }
    try {
      // The click that opened the editor also opens its menu.
      element.showPicker();
    } catch {
      // Allowed only after a click, and not in every browser.
    }
  }, [control, isSelect]);
}
