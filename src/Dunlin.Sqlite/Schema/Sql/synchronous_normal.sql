-- A commit is in the operating system before it is answered; a power cut may lose the last ones, never tear one.
PRAGMA synchronous = NORMAL
