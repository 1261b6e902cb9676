export default {
  mechanism: 'Outbox',
  mutants: [
    {
      name: 'full-flush-stops-early',
      file: 'src/Dunlin.Relational/Outbox/StoreOutbox.cs',
      replace: 'if (!move.IsFull)\n                return move.Head;',
      with: 'return move.Head;',
      breaks: 'A flush returns before the rest of a large transaction is in the journal.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteOutboxTests.A_large_transaction_keeps_its_order',
    },
    {
      name: 'full-move-ends-all-gaps',
      file: 'src/Dunlin.Relational/Outbox/OutboxGaps.cs',
      replace: 'gap.Next <= oldest && gap.Last < through',
      with: 'gap.Next <= oldest',
      breaks: 'Rows in a gap that a full move did not reach are never moved.',
      killedBy: 'Dunlin.Postgres.Tests: OutboxGapsTests.A_full_move_ends_only_the_gaps_before_its_last_row',
    },
  ],
};
