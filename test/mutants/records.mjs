export default {
  mechanism: 'Records and changes: Replicache, RxDB',
  mutants: [
    {
      name: 'revoked-reader-learns-of-later-records',
      file: 'src/Dunlin.Core/Records/SpaceCursor.cs',
      replace: 'return row.Created <= access.Version ? new',
      with: 'return row.Created > 0 ? new',
      breaks: 'A user learns the keys of records that were created after the access ended.',
      killedBy:
        'Dunlin.Sqlite.Tests: SqliteRecordTests.A_grant_returns_a_whole_space_and_a_revocation_deletes_it_for_one_user',
    },
    {
      name: 'cookie-order-stands-still',
      file: 'src/Dunlin.Replicache/Pull/PullService.cs',
      replace: ': Math.Max(cookie.Order + 1, through);',
      with: ': through;',
      breaks: 'After a reset the client drops the answer, because the order of its cookie does not grow.',
      killedBy:
        'Dunlin.Replicache.Tests: PullTests.A_cookie_of_another_epoch_gets_everything_and_a_higher_order',
    },
    {
      name: 'repeated-mutation-runs-again',
      file: 'src/Dunlin.Replicache/Push/PushRun.cs',
      replace: 'if (mutation.Id <= client.LastMutation)',
      with: 'if (mutation.Id < client.LastMutation)',
      breaks:
        'The last mutation of a push whose answer was lost stops the queue of its client or runs twice.',
      killedBy: 'Dunlin.Replicache.Tests: PushTests.A_repeated_mutation_runs_once',
    },
    {
      name: 'moved-document-ignores-its-audience',
      file: 'src/Dunlin.RxDb/Pull/PullService.cs',
      replace: '&& (row.Audience is null || row.Audience == userId)\n',
      with: '\n',
      breaks: 'A document for one reader is sent to others of the space that it moved to.',
      killedBy: 'Dunlin.RxDb.Tests: PullTests.A_document_that_moved_to_one_reader_is_gone_for_the_others',
    },
    {
      name: 'removed-group-leaves-no-tombstone',
      file: 'src/Dunlin.Replicache/ClientGroups.cs',
      replace: 'await tombstones.AddAsync(row.Key, cancellationToken);\n',
      with: '\n',
      breaks:
        'A client of a removed group sends its pending mutation again, and the server applies it twice.',
      killedBy: 'Dunlin.Replicache.Tests: IdleGroupTests.A_removed_group_repeats_no_mutation_and_starts_anew',
    },
    {
      name: 'used-group-counts-as-idle',
      file: 'src/Dunlin.Replicache/ClientGroups.cs',
      replace: 'if (row.Version >= before.ToUnixTimeSeconds())',
      with: 'if (row.Version >= now.ToUnixTimeSeconds())',
      breaks: 'A client group that was used since is removed, and its client loses its pending mutations.',
      killedBy: 'Dunlin.Replicache.Tests: IdleGroupTests.A_group_that_pulls_or_pushes_is_not_idle',
    },
  ],
};
