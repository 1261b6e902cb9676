export default {
  mechanism: 'Commit feed and fan-out',
  mutants: [
    {
      name: 'hand-over-forgets-last-event',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace: 'for (var offset = connection.LastSentOffset + 1; offset <= _reached; offset++)',
      with: 'for (var offset = connection.LastSentOffset + 1; offset < _reached; offset++)',
      breaks: 'A connection that goes live misses the last event before the hand-over.',
      killedBy:
        'Dunlin.Core.Tests: RestrictedEventTests.Events_between_catch_up_and_live_delivery_are_matched_and_checked',
    },
    {
      name: 'ended-connection-moves-on',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace: 'if (connection.EndsAt(_now) || connection.HasEnded)\n                return;',
      with: 'if (connection.EndsAt(_now))\n                return;',
      breaks: 'A connection that ends during its hand-over counts refused events as sent.',
      killedBy:
        'Dunlin.Core.Tests: ConnectionTests.A_connection_that_ends_before_it_is_live_keeps_its_position',
    },
    {
      name: 'overflowed-reader-stays-subscribed',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace: 'foreach (var connection in _overflowed)\n            Unsubscribe(connection);',
      with: '',
      breaks: 'A small event overtakes the event that the full queue refused.',
      killedBy:
        'Dunlin.Core.Tests: SlowReaderTests.G1_A_small_event_never_overtakes_a_refused_one_of_its_batch',
    },
    {
      name: 'narrowing-subscribes-during-catch-up',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace: 'if (wasSeated)\n                Subscribe(work.Connection);',
      with: 'Subscribe(work.Connection);',
      breaks: 'A connection that loses a topic during catch-up gets live events before its backlog.',
      killedBy:
        'Dunlin.Core.Tests: PatternTests.G2_A_stream_that_loses_a_topic_in_catch_up_misses_nothing_else',
    },
    {
      name: 'moved-seat-keeps-its-old-index',
      file: 'src/Dunlin.Core/Fanout/SubscriberSet.cs',
      replace: 'last.Connection.Seats![last.TopicIndex] = seat;',
      with: '',
      breaks: 'After a connection leaves, the one that takes its seat leaves with the seat of a third.',
      killedBy: 'Dunlin.Core.Tests: ConnectionTests.A_connection_that_took_the_seat_of_another_leaves_alone',
    },
    {
      name: 'lagging-reader-is-not-woken',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.Write.cs',
      replace: 'if (end is null && !_lagging)\n            {',
      with: 'if (end is null)\n            {',
      breaks: 'A reader whose queue was full never catches up: the wake-up is lost.',
      killedBy:
        'Dunlin.Core.Tests: SlowReaderTests.G5_A_stalled_reader_has_a_bounded_queue_and_loses_nothing',
    },
    {
      name: 'revoked-connection-keeps-its-queue',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.Write.cs',
      replace:
        '_pending = end is ConnectionEnd.SignedOut or ConnectionEnd.Revoked or ConnectionEnd.TokenExpired ? null : _pending;',
      with: '_pending = end is ConnectionEnd.SignedOut or ConnectionEnd.TokenExpired ? null : _pending;',
      breaks: 'Events that were queued for a slow reader are sent after its last right was revoked.',
      killedBy: 'Dunlin.Core.Tests: ConnectionTests.G4_Queued_events_of_a_revoked_connection_are_dropped',
    },
    {
      name: 'conflated-reader-queues-during-a-write',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.Write.cs',
      replace: 'if (Conflates || _pendingBytes + frame.Length > _fanout.Options.MaxPendingBytes)',
      with: 'if (_pendingBytes + frame.Length > _fanout.Options.MaxPendingBytes)',
      breaks: 'A conflated stream queues every event behind a slow write.',
      killedBy: 'Dunlin.Core.Tests: ConflationTests.Events_during_a_write_are_conflated_and_not_queued',
    },
    {
      name: 'pending-bytes-are-never-reset',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.Write.cs',
      replace: '_pendingBytes = _controlBytes = 0;',
      with: '_controlBytes = 0;',
      breaks: 'The bound of the queue counts bytes that were written long ago.',
      killedBy:
        'Dunlin.Core.Tests: SlowReaderTests.G5_A_stalled_reader_has_a_bounded_queue_and_loses_nothing',
    },
    {
      name: 'buffered-hints-wait-for-the-journal',
      file: 'src/Dunlin.Core/Fanout/CommitsAhead.cs',
      replace: 'if (first > reached + 1)',
      with: 'if (first > reached)',
      breaks: 'Events of a notification that closes the gap are read from the journal again.',
      killedBy: 'Dunlin.Core.Tests: HintTests.Gap_fill_stops_at_the_first_buffered_notification',
    },
    {
      name: 'hint-skips-one-event',
      file: 'src/Dunlin.Core/Fanout/EventFanout.cs',
      replace: 'if (committed[0].Position.Offset <= _reached + 1)',
      with: 'if (committed[0].Position.Offset <= _reached + 2)',
      breaks: 'A notification one event ahead is delivered, and the event before it never is.',
      killedBy:
        'Dunlin.Core.Tests: HintTests.A_notification_that_closes_the_gap_is_delivered_at_once_without_repeat',
    },
    {
      name: 'older-head-lowers-the-target',
      file: 'src/Dunlin.Core/Fanout/EventFanout.cs',
      replace: '_target = Math.Max(_target, offset);',
      with: '_target = offset;',
      breaks: 'A late notification of an older head ends the gap fill before the newer head.',
      killedBy: 'Dunlin.Core.Tests: HintTests.A_late_notification_of_an_older_head_ends_no_gap_fill',
    },
    {
      name: 'tail-keeps-events-before-a-gap',
      file: 'src/Dunlin.Core/Fanout/EventTail.cs',
      replace: 'if (_last != 0 && offset != _last + 1)\n            Clear(offset);',
      with: '',
      breaks: 'The tail in memory has a hole, so that its bounds and its byte count are wrong.',
      killedBy:
        'Dunlin.Core.Tests: EventTailTests.A_tail_after_a_gap_holds_the_last_events_and_none_before_it',
    },
    {
      name: 'reset-keeps-the-collected-backlog',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.CatchUp.cs',
      replace: 'backlog?.Clear();',
      with: '',
      breaks: 'After a reset, a conflated stream sends events from before it.',
      killedBy:
        'Dunlin.Core.Tests: ConflationTests.G2_A_reset_drops_the_backlog_that_was_collected_before_it',
    },
    {
      name: 'reset-moves-a-reader-back',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.CatchUp.cs',
      replace: 'Offset = Math.Max(head.Offset, Math.Max(read, page.Through))',
      with: 'Offset = head.Offset',
      breaks: 'A node behind the removed events resets a reader to an older position, again and again.',
      killedBy: 'Dunlin.Core.Tests: HintTests.G2_A_reset_on_a_node_that_is_behind_moves_no_reader_back',
    },
    {
      name: 'end-of-a-round-releases-nobody',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.Load.cs',
      replace: 'fanout.Flow.OnDelivered();',
      with: '',
      breaks: 'Publishers wait although everything is delivered.',
      killedBy: 'Dunlin.Core.Tests: FlowControlTests.Publishing_waits_while_a_shard_lags_and_then_proceeds',
    },
  ],
};
