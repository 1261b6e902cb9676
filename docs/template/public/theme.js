// Before the page is drawn, so that a dark page is never white first. A file, because the host allows no inline scripts.
const theme = localStorage.getItem('theme') || 'auto';
const isDark = theme === 'auto' ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
document.documentElement.setAttribute('data-bs-theme', isDark ? 'dark' : 'light');
