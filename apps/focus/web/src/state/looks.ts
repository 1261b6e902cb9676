export type Look = 'idle' | 'running' | 'paused' | 'break' | 'elsewhere';
