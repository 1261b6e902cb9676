export default {
  mechanism: 'Positions, resume, retention and resets',
  mutants: [
    {
      name: 'retention-forgets-one-slice-of-keys',
      file: 'src/Dunlin.Relational/Journal/Trimmer.cs',
      replace: 'while (forgotten == SliceSize)',
      with: 'while (forgotten > SliceSize)',
      breaks:
        'Each run forgets at most 500 idempotency keys, so that a busy site keeps more and more of them.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteRetentionTests.More_keys_than_one_slice_are_forgotten_in_one_go',
    },
  ],
};
