-- Reads the whole file and lists its faults.
PRAGMA quick_check
