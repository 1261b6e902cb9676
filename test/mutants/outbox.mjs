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
  ],
};
