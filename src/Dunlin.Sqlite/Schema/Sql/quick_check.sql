-- Reads the whole file and names what is broken.
PRAGMA quick_check
