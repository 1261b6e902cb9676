export default {
  mechanism: 'Journal: append, idempotency, batches, savepoints',
  mutants: [
    {
      name: 'fingerprint-ignores-boundaries',
      file: 'src/Dunlin.Core/Journal/AppendRules.cs',
      replace: 'hash.AppendData(lengths);\n',
      with: '\n',
      breaks:
        'A key with another topic and type is taken for a repetition if their letters are the same in a row.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryJournalTests.A_key_covers_the_boundaries_between_topic_type_and_data',
    },
    {
      name: 'announcement-before-the-head',
      file: 'src/Dunlin.Relational/Journal/BatchWriter.cs',
      replace: 'RaiseHead(transaction.Head);\n        feed.Publish(events);',
      with: 'feed.Publish(events);\n        RaiseHead(transaction.Head);',
      breaks: 'An event is announced before a read of the journal returns it.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteJournalTests.What_is_announced_can_be_read_already',
    },
    {
      name: 'topic-of-a-rolled-back-append-is-known',
      file: 'src/Dunlin.Sqlite/Journal/WriterSession.cs',
      replace: '_topics.Remove(_newTopics[i]);',
      with: '_ = _newTopics[i];',
      breaks: 'An event is stored below the id of a topic whose insertion was rolled back.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteStoreTests.A_unit_of_work_that_throws_leaves_no_trace',
    },
    {
      name: 'retried-appends-change-their-order',
      file: 'src/Dunlin.Postgres/Journal/Writer.cs',
      replace: 'for (var i = Executed.Count - 1; i >= 0; i--)',
      with: 'for (var i = 0; i < Executed.Count; i++)',
      breaks: 'Appends that are retried after a lost connection are stored in reverse order.',
      killedBy: 'Dunlin.Postgres.Tests: OutageTests.Commits_with_a_lost_reply_are_announced_once_in_order',
    },
    {
      name: 'failing-unit-rolls-back-its-neighbour',
      file: 'src/Dunlin.Postgres/Journal/WriterSession.cs',
      replace: 'if (!request.IsUnit || _needsSavepoint)',
      with: 'if (!request.IsUnit)',
      breaks: 'A unit that fails before its first statement rolls back the unit before it.',
      killedBy:
        'Dunlin.Postgres.Tests: SavepointTests.A_failing_unit_rolls_back_alone_whatever_it_sent_first',
    },
  ],
};
