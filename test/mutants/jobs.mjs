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
    {
      name: 'node-that-lives-counts-as-silent',
      file: 'src/Dunlin.Core/Jobs/JobNodes.cs',
      replace: 'out var seen) && seen.Beat == row ?',
      with: 'out var seen) ?',
      breaks: 'A node that runs a job longer than the time-out loses it to another node.',
      killedBy: 'Dunlin.Core.Tests: InMemoryJobNodeTests.A_step_of_the_clock_takes_no_job_from_a_node',
    },
    {
      name: 'outage-counts-as-silence',
      file: 'src/Dunlin.Core/Jobs/JobNodes.cs',
      replace: '_seen.Clear();\n                loop.ReportFault(error);',
      with: 'loop.ReportFault(error);',
      breaks: 'After an outage of the database nodes take jobs from each other.',
      killedBy: 'Dunlin.Core.Tests: InMemoryJobNodeTests.An_outage_of_the_database_takes_no_job_from_a_node',
    },
    {
      name: 'claim-of-a-silent-node-is-not-replaced',
      file: 'src/Dunlin.Core/Jobs/JobRunner.Nodes.cs',
      replace: '_orphans[job.Id] = job.Fence;\n',
      with: '\n',
      breaks: 'Jobs of a killed node wait for the end of its claim, up to 30 s.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryJobNodeTests.Jobs_of_a_node_that_was_cut_off_start_again_within_four_seconds',
    },
  ],
};
