import { useState } from 'react';
import { dueWord } from '../state/due';
import { Icon } from './Icon';

interface Props {
  readonly title: string;
  readonly due: string | undefined;
  readonly today: string;
  readonly isDone: boolean;
  /** Called with a date, or with an empty text to remove it. */
  readonly onChange: (due: string) => void;
}

/** The due date of a task, as a word. With the focus it is a date field. */
export function DueDate({ title, due, today, isDone, onChange }: Props) {
  const [draft, setDraft] = useState<string>();
  const word = due && dueWord(due, today);
  const isLate = due !== undefined && !isDone && due < today;
  const save = (date: string) => {
    if (date !== (due ?? '')) onChange(date);
  };
  return (
    <label className="due" data-due={due ?? ''} data-late={isLate || undefined} title="Due date">
      <span className="due-word" aria-hidden="true">
        <Icon name="calendar" />
        {word}
        {isLate && <span className="due-late"> · overdue</span>}
      </span>
      <input
        type="date"
        aria-label={`Due date of ${title}${isLate ? ', overdue' : ''}`}
        min="2000-01-01"
        max="2999-12-31"
        value={draft ?? due ?? ''}
        onClick={(event) => {
          try {
            event.currentTarget.showPicker();
          } catch {
            // The browser has no picker to show. The field takes the keyboard.
          }
        }}
        onChange={(event) => {
          const { value, validity } = event.target;
          setDraft(value);
          // While a date is typed, the year is incomplete or the field is empty.
          if (value !== '' && validity.valid) save(value);
        }}
        onBlur={(event) => {
          if (event.target.validity.valid && draft !== undefined) save(draft);
          setDraft(undefined);
        }}
      />
    </label>
  );
}
