-- Reads the topics from which retention has deleted an event after an offset.
SELECT name FROM dunlin_topic WHERE trimmed_through > $1
