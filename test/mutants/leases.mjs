export default {
  mechanism: 'Leases',
  mutants: [
    {
      name: 'old-fencing-token-holds',
      file: 'src/Dunlin.Core/Leases/LeaseClaimCheck.cs',
      replace: 'if (!IsOwner(row, claim) || IsOtherGrant(row, claim))',
      with: 'if (!IsOwner(row, claim))',
      breaks: 'A claim with the token of an earlier grant passes the check.',
      killedBy: 'Dunlin.Core.Tests: InMemoryLeaseTests.A_check_of_a_claim_returns_why_it_does_not_hold',
    },
    {
      name: 'lease-holds-at-its-expiry',
      file: 'src/Dunlin.Core/Leases/LeaseRow.cs',
      replace: 'LeaseId is not null && ExpiresAt > now',
      with: 'LeaseId is not null && ExpiresAt >= now',
      breaks:
        'At the instant of the expiry the old holder still writes, although the lease is granted to the next.',
      killedBy: 'Dunlin.Core.Tests: InMemoryLeaseTests.G3_A_lease_is_lost_at_the_instant_of_its_expiry',
    },
    {
      name: 'renewal-undoes-a-preemption',
      file: 'src/Dunlin.Core/Leases/LeaseStep.Hold.cs',
      replace: 'if (!Row.Ending)',
      with: 'if (Row.LeaseId is not null)',
      breaks: 'A preempted holder extends its lease beyond the deadline.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseTests.A_holder_preempted_with_a_grace_can_write_only_until_the_deadline',
    },
    {
      name: 'preemption-extends-the-lease',
      file: 'src/Dunlin.Core/Leases/LeaseStep.Transfer.cs',
      replace: 'ExpiresAt = deadline < Row.ExpiresAt ? deadline : Row.ExpiresAt',
      with: 'ExpiresAt = deadline',
      breaks: 'A grace longer than the rest of the lease extends it.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseTests.A_grace_longer_than_the_rest_of_the_lease_extends_nothing',
    },
    {
      name: 'preempting-waiter-waits-twice',
      file: 'src/Dunlin.Core/Leases/LeaseStep.Transfer.cs',
      replace: 'LeaveQueue(request.LeaseId);\n',
      with: '\n',
      breaks: 'A waiter that preempts keeps its old place in the queue too.',
      killedBy: 'Dunlin.Core.Tests: InMemoryLeaseTests.A_waiter_that_preempts_has_one_place_in_the_queue',
    },
    {
      name: 'granted-waiter-stays-in-the-queue',
      file: 'src/Dunlin.Core/Leases/LeaseStep.cs',
      replace: 'Waiters = [.. Row.Waiters.Where(w => !IsSame(w.LeaseId, leaseId))],',
      with: 'Waiters = Row.Waiters,',
      breaks: 'After its release, the lease is granted to the same request again.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseHandleTests.Waiting_calls_are_granted_in_the_order_in_which_they_came',
    },
    {
      name: 'expiry-is-not-scheduled',
      file: 'src/Dunlin.Core/Leases/LeaseService.cs',
      replace:
        '_expiries.Expect(after, unit.Now, SettleInBackground);\n        unit.AfterCommit(() => _expiries.Watch(after, unit.Now, SettleInBackground));',
      with: '',
      breaks: 'An expired lease is announced, and its queue served, by the next request only.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseTests.G1_Every_end_is_announced_with_its_reason_whatever_its_cause',
    },
    {
      name: 'expiry-check-changes-before-the-commit',
      file: 'src/Dunlin.Core/Leases/LeaseService.cs',
      replace:
        '_expiries.Expect(after, unit.Now, SettleInBackground);\n        unit.AfterCommit(() => _expiries.Watch(after, unit.Now, SettleInBackground));',
      with: '_expiries.Watch(after, unit.Now, SettleInBackground);',
      breaks: 'A release that the store refuses cancels the check of the expiry: the lease stays held.',
      killedBy: 'Dunlin.Core.Tests: LeaseExpiryTests.A_refused_release_leaves_the_lease_to_its_expiry',
    },
    {
      name: 'session-end-releases-one-page',
      file: 'src/Dunlin.Core/Leases/LeaseService.Ends.cs',
      replace: 'if (page.Count < RowsPerUnit)\n                return;',
      with: 'return;',
      breaks: 'The end of a session releases its first 100 leases only.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseTests.The_end_of_a_session_releases_more_leases_than_one_page_holds',
    },
    {
      name: 'poll-of-handles-never-starts-again',
      file: 'src/Dunlin.Core/Leases/LeaseWatches.cs',
      replace: '_isPolling = _watches.Count > 0;\n            if (!_isPolling)\n                return;',
      with: 'if (_watches.Count == 0)\n                return;',
      breaks:
        'After the last handle closed, the poll ends for good: later handles miss losses at other nodes.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseHandleTests.The_poll_starts_again_after_the_last_handle_was_closed',
    },
    {
      name: 'old-poll-overwrites-a-renewal',
      file: 'src/Dunlin.Core/Leases/Lease.cs',
      replace: 'if (readTurn < _renewalTurn || (',
      with: 'if ((',
      breaks: 'A poll that read the row before a renewal shortens the handle again.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryLeaseHandleTests.A_row_read_before_a_renewal_does_not_shorten_the_handle',
    },
  ],
};
