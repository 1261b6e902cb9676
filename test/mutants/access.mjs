export default {
  mechanism: 'Access: rights, revocations, patterns',
  mutants: [
    {
      name: 'narrow-grant-covers-a-wider-pattern',
      file: 'src/Dunlin.Core/Topics/TopicPattern.cs',
      replace:
        '_coversBelow ? shortest <= _segments.Length : other._coversBelow || shortest != _segments.Length',
      with: '_coversBelow ? shortest < _segments.Length : other._coversBelow || shortest != _segments.Length',
      breaks: 'A grant for the topics below a prefix covers the prefix itself.',
      killedBy: 'Dunlin.Core.Tests: TopicPatternTests.A_pattern_covers_another_when_it_matches_all_its_names',
    },
    {
      name: 'policy-of-a-part-decides-for-all',
      file: 'src/Dunlin.Core/Topics/AccessPolicies.cs',
      replace:
        'if (ofPart is not null && !ReferenceEquals(ofPart, rule.Policy))\n                return null;',
      with: '',
      breaks: 'One policy decides about a pattern that also has topics of another policy.',
      killedBy: 'Dunlin.Core.Tests: PatternAccessTests.A_pattern_is_refused_where_another_policy_owns_a_part',
    },
    {
      name: 'patterns-include-topics-of-the-engine',
      file: 'src/Dunlin.Core/Topics/AccessPolicies.cs',
      replace: 'if (pattern.Meets(OwnPrefix))\n            return new(false);',
      with: '',
      breaks: 'A reader of all topics receives the internal events of the engine.',
      killedBy: 'Dunlin.Core.Tests: PatternAccessTests.Internal_topics_of_nodes_match_no_pattern',
    },
    {
      name: 'access-is-not-checked-after-the-opening',
      file: 'src/Dunlin.AspNetCore/Streams/EventStreams.cs',
      replace:
        '// changes.\n            await CheckTopicsAsync(caller, new AskedTopics(request.Topics, request.Patterns), context.RequestAborted);',
      with: '',
      breaks: 'A right that is revoked while a stream opens stays in force for the stream.',
      killedBy:
        'Dunlin.AspNetCore.Tests: RevokedStreamTests.G4_A_stream_opening_during_a_change_of_rights_is_refused',
    },
    {
      name: 'revoked-credential-opens-a-stream',
      file: 'src/Dunlin.AspNetCore/Streams/EventStreams.cs',
      replace:
        'if (_revocations?.IsRevoked(caller) == true)\n                throw new DunlinException(ErrorCode.NotSignedIn);',
      with: '',
      breaks: 'A stream that opens during a revocation stays open.',
      killedBy:
        'Dunlin.AspNetCore.Tests: RevokedStreamTests.G4_A_stream_opening_during_revocation_is_refused',
    },
    {
      name: 'credential-of-the-same-instant-stays',
      file: 'src/Dunlin.Core/Access/Revocations.cs',
      replace: '(issuedAt is null || issuedAt <= before)',
      with: '(issuedAt is null || issuedAt < before)',
      breaks: 'A token that was issued at the instant of the revocation stays valid.',
      killedBy:
        'Dunlin.Core.Tests: InMemoryRevocationTests.G4_What_was_issued_up_to_the_moment_is_revoked_and_nothing_else',
    },
    {
      name: 'late-notification-weakens-a-revocation',
      file: 'src/Dunlin.Core/Access/Revocations.cs',
      replace: 'known > heard ? known : heard',
      with: 'heard',
      breaks: 'An older revocation that arrives later allows credentials of the time between.',
      killedBy: 'Dunlin.Core.Tests: InMemoryRevocationTests.A_revocation_is_never_weakened',
    },
    {
      name: 'unsent-access-change-is-lost',
      file: 'src/Dunlin.Core/Access/AccessRelay.cs',
      replace:
        'await _journal.AppendAsync(AccessEvents.Draft(change, _node), stop);\n            _unsent = null;',
      with: '_unsent = null;\n            await _journal.AppendAsync(AccessEvents.Draft(change, _node), stop);',
      breaks: 'A change of access whose append failed never reaches the other nodes.',
      killedBy: 'Dunlin.Core.Tests: AccessRelayTests.A_change_that_could_not_be_appended_is_sent_again',
    },
    {
      name: 'access-change-echoes-for-ever',
      file: 'src/Dunlin.Core/Access/AccessRelay.cs',
      replace: 'if (!_isHearing)\n            _outbox.Add(change);',
      with: '_outbox.Add(change);',
      breaks: 'Two nodes send each other the same change of access without end.',
      killedBy: 'Dunlin.Core.Tests: AccessRelayTests.A_change_in_a_unit_of_work_is_received_once_in_order',
    },
    {
      name: 'failing-policy-keeps-the-old-rights',
      file: 'src/Dunlin.Core/Fanout/EventFanout.Connections.cs',
      replace: 'connection.Close(ConnectionEnd.TokenExpired);\n                failure',
      with: 'failure',
      breaks: 'A stream whose rights cannot be read after a change keeps the old ones.',
      killedBy:
        'Dunlin.Core.Tests: ReauthorizationTests.A_failing_policy_closes_its_streams_and_checks_the_others',
    },
    {
      name: 'overlapping-checks-leave-an-empty-stream',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace: 'if (!work.Connection.KeepsAny([], []))',
      with: 'if (false)',
      breaks: 'A stream that lost all topics in two overlapping checks stays open.',
      killedBy:
        'Dunlin.Core.Tests: ReauthorizationTests.Two_removals_that_wait_for_the_shard_close_an_empty_stream',
    },
  ],
};
