export default {
  mechanism: 'Publishing, rate limits, tickets, tokens',
  mutants: [
    {
      name: 'idempotency-keys-are-shared',
      file: 'src/Dunlin.AspNetCore/Publishing/PublishEndpoint.cs',
      replace: 'new IdempotencyKey("publish:" + caller.UserId, key)',
      with: 'new IdempotencyKey("publish:", key)',
      breaks: 'A key of one user answers, or refuses, the request of another.',
      killedBy:
        'Dunlin.AspNetCore.Tests: PublishTests.A_repeated_idempotency_key_returns_the_position_or_refuses_a_change',
    },
    {
      name: 'bucket-refills-the-same-time-again',
      file: 'src/Dunlin.AspNetCore/Limits/TokenBucket.cs',
      replace: '_at = now;\n',
      with: '\n',
      breaks: 'Each request refills the bucket with all the time since the start.',
      killedBy:
        'Dunlin.AspNetCore.Tests: UserLimitTests.Default_publish_limit_allows_a_burst_and_then_a_rate',
    },
    {
      name: 'bucket-overflows',
      file: 'src/Dunlin.AspNetCore/Limits/TokenBucket.cs',
      replace:
        '_tokens = Math.Min(rate.Burst, _tokens + (time.GetElapsedTime(_at, now).TotalSeconds * rate.PerSecond));',
      with: '_tokens += time.GetElapsedTime(_at, now).TotalSeconds * rate.PerSecond;',
      breaks: 'A user who paused for some seconds may send more events at once than the burst.',
      killedBy: 'Dunlin.AspNetCore.Tests: UserLimitTests.A_pause_allows_one_burst_again_and_no_more',
    },
    {
      name: 'ticket-outlives-its-credential',
      file: 'src/Dunlin.AspNetCore/Security/Tickets.cs',
      replace: '&& (ticket.CredentialExpiresAt is not { } end || end > now)\n',
      with: '\n',
      breaks: 'A ticket opens a stream after the credential that it came from expired.',
      killedBy: 'Dunlin.AspNetCore.Tests: AccessTokensTests.A_ticket_ends_with_the_token_that_it_came_from',
    },
    {
      name: 'used-ticket-still-counts',
      file: 'src/Dunlin.AspNetCore/Security/InMemoryTicketStore.cs',
      replace: 'if (--_perUser[ticket.UserId] == 0)\n            _perUser.Remove(ticket.UserId);',
      with: '',
      breaks: 'A user can get 100 tickets and then never again.',
      killedBy: 'Dunlin.AspNetCore.Tests: TicketTests.Used_tickets_do_not_count_for_the_limit_of_their_user',
    },
    {
      name: 'token-is-valid-at-its-expiry',
      file: 'src/Dunlin.AspNetCore/Security/TokenValidator.cs',
      replace: 'if (expires is null || now >= expires + _skew)',
      with: 'if (expires is null || now > expires + _skew)',
      breaks: 'A token is valid at the instant at which its streams end.',
      killedBy: 'Dunlin.AspNetCore.Tests: TokenValidatorTests.Time_limits_include_the_clock_skew',
    },
    {
      name: 'token-from-the-future',
      file: 'src/Dunlin.AspNetCore/Security/TokenValidator.cs',
      replace: '|| now < issued - _skew)',
      with: ')',
      breaks: 'A token that claims to be issued later survives a revocation of its user.',
      killedBy: 'Dunlin.AspNetCore.Tests: TokenValidatorTests.Each_time_counts',
    },
    {
      name: 'caller-of-an-earlier-principal',
      file: 'src/Dunlin.AspNetCore/Security/CallerAccess.cs',
      replace: 'is { } made && ReferenceEquals(made.Principal, context.User))',
      with: 'is { } made)',
      breaks: 'After a middleware replaced the user of a request, the endpoint still sees the first.',
      killedBy: 'Dunlin.AspNetCore.Tests: CallerTests.The_caller_follows_a_replaced_principal',
    },
  ],
};
