export default {
  mechanism: 'Durable streams',
  mutants: [
    {
      name: 'repeated-close-of-another-producer',
      file: 'src/Dunlin.Core/DurableStreams/UnitStreams.cs',
      replace: 'append.Producer is { } same ? same == row.ClosedBy : append',
      with: 'append.Producer is not null || append',
      breaks: 'An append to a closed stream is answered as a repetition, and its data is lost.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteStreamTests.A_closed_stream_keeps_its_tail_and_refuses_appends',
    },
    {
      name: 'fork-begins-in-trimmed-data',
      file: 'src/Dunlin.Core/DurableStreams/UnitStreams.Create.cs',
      replace: 'point.Offset > 0 && point.Offset < source.TrimmedThrough;',
      with: 'point.Offset > 0 && point.Offset < 0;',
      breaks: 'A fork begins at an offset whose data is gone.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteStreamTests.Trimming_a_source_keeps_what_forks_inherited',
    },
    {
      name: 'cut-of-a-fork-is-lost-in-a-fork-of-it',
      file: 'src/Dunlin.Core/DurableStreams/StreamRow.cs',
      replace: 'Cut = part.Through == through ? Shorter(part.Cut, cut) : cut,',
      with: 'Cut = cut,',
      breaks: 'A fork of a fork gets the rest of an append that the first fork cut off.',
      killedBy: 'Dunlin.Sqlite.Tests: SqliteStreamTests.A_fork_may_begin_inside_an_append',
    },
    {
      name: 'acknowledgement-moves-a-cursor-back',
      file: 'src/Dunlin.Core/DurableStreams/UnitStreamSubscriptions.Claims.cs',
      replace: '|| offset < link.Acked\n',
      with: '\n',
      breaks: 'A late acknowledgement moves the cursor of a subscription back.',
      killedBy:
        'Dunlin.DurableStreams.Tests: WebhookTests.An_acknowledgement_outside_the_stream_moves_no_cursor',
    },
  ],
};
