export type Look = 'idle' | 'running' | 'paused' | 'break' | 'elsewhere';

export const TIMER_PHASE_MS = { focus: 25 * 60_000, break: 5 * 60_000 } as const;
