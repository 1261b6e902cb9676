import { useId, useRef, type ReactNode, type ToggleEvent } from 'react';
import { Icon, type IconName } from './Icon';

interface PopoverProps {
  readonly label: string;
  readonly icon: IconName;
  /** Shown on the button, beside its icon. A button without a text has the label as its name. */
  readonly text?: string | undefined;
  /** Number of choices that differ from the first state. */
  readonly count?: number | undefined;
  readonly onOpen?: (() => void) | undefined;
  readonly children: ReactNode;
}

const MARGIN = 8;

/** A button that opens a panel below itself. Escape and a click elsewhere close the panel, and the focus returns to the button. */
export function Popover({ label, icon, text, count = 0, onOpen, children }: PopoverProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const place = (event: ToggleEvent<HTMLDivElement>) => {
    if (event.newState !== 'open') return;
    onOpen?.();
    const below = button.current!.getBoundingClientRect();
    const { style, offsetWidth } = panel.current!;
    const left = Math.min(below.left, document.documentElement.clientWidth - offsetWidth - MARGIN);
    style.left = `${Math.max(MARGIN, left)}px`;
    style.top = `${below.bottom + 4}px`;
    style.maxHeight = `${innerHeight - below.bottom - 4 - MARGIN}px`;
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="button tool"
        popoverTarget={id}
        aria-label={
          text === undefined || count > 0 ? `${label}${count > 0 ? `, ${count} set` : ''}` : undefined
        }
        title={text === undefined ? label : undefined}
      >
        <Icon name={icon} />
        {text !== undefined && <span className="tool-text">{text}</span>}
        {count > 0 && <span className="count">{count}</span>}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        className="popover"
        role="group"
        aria-label={label}
        onToggle={place}
      >
        {children}
      </div>
    </>
  );
}
