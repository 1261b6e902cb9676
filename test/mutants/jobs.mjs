export default {
  mechanism: 'Jobs and consumers',
  mutants: [
    {
      name: 'hint-is-lost-in-a-store-fault',
      file: 'src/Dunlin.Core/Jobs/JobRunner.cs',
      replace: 'lock (_gate)\n                _hints.UnionWith(ids);\n            throw;',
      with: 'throw;',
      breaks: 'A job whose look-up failed is never looked up again.',
      killedBy: 'Dunlin.Core.Tests: InMemoryJobTests.A_job_whose_look_up_failed_is_looked_up_again',
    },
    {
      name: 'jobs-committed-during-the-load-are-missed',
      file: 'src/Dunlin.Core/Jobs/JobRunner.cs',
      replace: '_isAlone = false;\n        SetNextPoll',
      with: '_isAlone = false;\n        _followed = _journal.Head.Offset;\n        SetNextPoll',
      breaks: 'A job that another node commits while a node loads its jobs is not found.',
      killedBy: 'Dunlin.Core.Tests: InMemoryJobTests.A_job_that_is_committed_during_the_load_is_found',
    },
    {
      name: 'lost-consumer-moves-the-cursor',
      file: 'src/Dunlin.Core/Consumers/ConsumerClaim.cs',
      replace: 'is not { Holder: not null } row || row.Token != token)\n            throw Lost();',
      with: 'is not { Holder: not null } row)\n            throw Lost();',
      breaks: 'A node that lost a consumer group moves the cursor of its successor.',
      killedBy:
        'Dunlin.Sqlite.Tests: SqliteEventConsumerTests.A_node_paused_past_its_claim_cannot_move_the_cursor',
    },
    {
      name: 'stopped-webhook-removes-the-new-cursor',
      file: 'src/Dunlin.AspNetCore/Webhooks/WebhookWorker.cs',
      replace: 'if (await WebhookScopes.TableOf(unit).FindAsync(id, ct) is null)',
      with: 'if (id.Length > 0)',
      breaks: 'A node that stops a removed webhook removes the cursor of one created with the same id.',
      killedBy:
        'Dunlin.AspNetCore.Tests: WebhookKillTests.An_endpoint_created_while_a_node_removes_it_keeps_its_cursor',
    },
  ],
};
