-- Raises the beginning of streams to the marks of their topics: events may have been deleted during the export.
UPDATE dunlin_stream SET trimmed_through = mark.trimmed_through FROM dunlin_topic AS mark
WHERE mark.name = topic AND dunlin_stream.trimmed_through < mark.trimmed_through AND starts_after < mark.trimmed_through
