export default {
  mechanism: 'Locks and orders inside methods',
  mutants: [
    {
      name: 'shard-looks-into-its-inbox-without-the-lock',
      file: 'src/Dunlin.Core/Fanout/FanoutShard.cs',
      replace:
        '            lock (_gate)\n            {\n                if (_inbox.Count == 0)\n                {\n                    _scheduled = false;\n                    return;\n                }\n                (_inbox',
      with: '            if (_inbox.Count == 0)\n            {\n                _scheduled = false;\n                return;\n            }\n            lock (_gate)\n            {\n                (_inbox',
      breaks: 'Work that arrives between the look and the end of the loop is never done.',
      killedBy:
        'Dunlin.Interleavings.Tests: FanoutInterleavings.Posts_of_two_threads_to_a_shard_run_once_each_in_order',
    },
    {
      name: 'connection-releases-its-sink-without-the-lock',
      file: 'src/Dunlin.Core/Fanout/EventStreamConnection.Write.cs',
      replace: 'lock (_gate)\n        {\n            Volatile.Write(ref _progressTick, _fanout.Wheel.Tick);',
      with: '{\n            Volatile.Write(ref _progressTick, _fanout.Wheel.Tick);',
      breaks: 'A frame that is queued while the sink is released is not sent before the next event.',
      killedBy: 'Dunlin.Interleavings.Tests: FanoutInterleavings.A_slow_reader_gets_all_events_once_in_order',
    },
    {
      name: 'late-timer-ends-a-later-grace',
      file: 'src/Dunlin.Core/Leases/DisconnectMonitor.cs',
      replace: 'entry.Connections > 0 || _wheel.IsScheduled(entry) || !_holders',
      with: 'entry.Connections > 0 || !_holders',
      breaks:
        'A timer that was due before a reconnect makes the monitor forget a page, and later release its lease.',
      killedBy:
        'Dunlin.Interleavings.Tests: LeaseInterleavings.A_late_timer_ends_no_grace_of_a_later_disconnect',
    },
    {
      name: 'grace-counts-connections-without-the-lock',
      file: 'src/Dunlin.Core/Leases/DisconnectMonitor.cs',
      replace:
        '        lock (_gate)\n        {\n            if (_holders.TryGetValue(key, out var entry) && --entry.Connections == 0)\n                _wheel.Schedule(entry, _grace);\n        }',
      with: '        if (_holders.TryGetValue(key, out var entry) && --entry.Connections == 0)\n            _wheel.Schedule(entry, _grace);',
      breaks:
        'Two tabs that close at once count as one, and the lease of the lost page is held until it expires.',
      killedBy:
        'Dunlin.Interleavings.Tests: LeaseInterleavings.A_lost_page_loses_its_lease_after_the_last_grace',
    },
    {
      name: 'late-timer-ends-a-later-presence',
      file: 'src/Dunlin.Core/Presence/PresenceRegistry.cs',
      replace: 'if (entry.Connections > 0 || _wheel.IsScheduled(entry))',
      with: 'if (entry.Connections > 0)',
      breaks: 'A timer that was due before a reconnect removes a user who is connected.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.A_late_timer_ends_no_presence_of_a_later_connection',
    },
    {
      name: 'presence-joins-without-the-lock',
      file: 'src/Dunlin.Core/Presence/PresenceRegistry.cs',
      replace:
        'lock (_gate)\n        {\n            if (!_topics.TryGetValue(topic, out var users))\n                _topics.Add',
      with: '{\n            if (!_topics.TryGetValue(topic, out var users))\n                _topics.Add',
      breaks: 'Two tabs that open at once count as one.',
      killedBy: 'Dunlin.Interleavings.Tests: CounterInterleavings.Presence_counts_each_open_connection',
    },
    {
      name: 'wake-up-of-the-former-wait',
      file: 'src/Dunlin.Core/Scheduling/WakeSignal.cs',
      replace: 'Interlocked.Exchange(ref _next, renewed);\n        return renewed.Task;',
      with: 'return Interlocked.Exchange(ref _next, renewed).Task;',
      breaks: 'A loop waits for the former signal, which nobody sets any more.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.A_loop_that_looks_for_work_misses_no_wake_up',
    },
    {
      name: 'handlers-are-added-without-the-lock',
      file: 'src/Dunlin.Core/Scheduling/Signal.cs',
      replace: 'lock (_gate)\n            _subscriptions = [.. _subscriptions, added];',
      with: '_subscriptions = [.. _subscriptions, added];',
      breaks: 'Of two handlers that are added at once, one is lost.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.Subscriptions_during_a_publication_lose_no_handler',
    },
    {
      name: 'wheel-cancels-without-the-lock',
      file: 'src/Dunlin.Core/Scheduling/TimerWheel.cs',
      replace: '        lock (_gate)\n            Unlink(entry);',
      with: '        Unlink(entry);',
      breaks: 'A cancellation during a turn cuts the list of a slot, and entries behind it never fire.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.A_cancelled_or_moved_timer_entry_fires_at_most_once',
    },
    {
      name: 'writer-is-not-woken-by-the-end',
      file: 'src/Dunlin.Sqlite/Journal/WriteQueue.cs',
      replace: '            Monitor.PulseAll(_lock);\n',
      with: '',
      breaks: 'A writer that waits for work never ends.',
      killedBy:
        'Dunlin.Interleavings.Tests: WriterInterleavings.The_writer_takes_each_request_once_and_all_before_it_ends',
    },
    {
      name: 'writer-counts-as-idle-too-late',
      file: 'src/Dunlin.Sqlite/Journal/WriteQueue.cs',
      replace:
        '                _isIdle = true;\n                Monitor.Wait(_lock);\n                _isIdle = false;',
      with: '                Monitor.Wait(_lock);\n                _isIdle = true;',
      breaks: 'The first request does not wake the writer.',
      killedBy:
        'Dunlin.Interleavings.Tests: WriterInterleavings.A_writer_that_waits_is_woken_by_each_request',
    },
    {
      name: 'flush-is-shared-with-later-callers',
      file: 'src/Dunlin.Relational/Outbox/SharedFlush.cs',
      replace: 'lock (_lock)\n            (_running, _next) = (_next!, null);\n        return await flush();',
      with: 'var result = await flush();\n        lock (_lock)\n            (_running, _next) = (_next!, null);\n        return result;',
      breaks: 'A caller gets the result of a flush that began before its call.',
      killedBy:
        'Dunlin.Interleavings.Tests: WriterInterleavings.A_shared_flush_begins_after_each_of_its_callers',
    },
    {
      name: 'limit-of-streams-is-checked-without-the-lock',
      file: 'src/Dunlin.AspNetCore/Streams/StreamLimits.cs',
      replace: 'lock (_gate)\n        {\n            Require(_all',
      with: '{\n            Require(_all',
      breaks: 'Streams that open at once exceed the limit.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.Limits_of_streams_are_never_exceeded_and_count_to_zero',
    },
    {
      name: 'wait-for-sockets-without-the-lock',
      file: 'src/Dunlin.AspNetCore/Transport/OpenSockets.cs',
      replace: 'lock (_gate)\n        {\n            if (_taken == 0)\n                return Task',
      with: '{\n            if (_taken == 0)\n                return Task',
      breaks: 'The last socket leaves between the look and the wait, and the stop of the server never ends.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.The_last_socket_that_leaves_ends_the_wait_for_sockets',
    },
    {
      name: 'webhook-ends-an-attempt-without-the-lock',
      file: 'src/Dunlin.AspNetCore/Webhooks/WebhookQueue.cs',
      replace: 'lock (_gate)\n        {\n            var topic = _topics[delivery.Facts.Topic];',
      with: '{\n            var topic = _topics[delivery.Facts.Topic];',
      breaks: 'A delivery that is added at the end of another is lost or sent twice.',
      killedBy:
        'Dunlin.Interleavings.Tests: CounterInterleavings.A_webhook_sends_one_delivery_of_a_topic_at_a_time_in_order',
    },
    {
      name: 'take-over-leaves-uncommitted-bytes',
      file: 'src/Dunlin.AspNetCore/Transport/DirectConnection.cs',
      replace:
        'for (var spin = new SpinWait(); Volatile.Read(ref _committing); )\n            spin.SpinOnce();\n',
      with: '',
      breaks: 'Bytes that arrive during a take-over are lost.',
      killedBy: 'Dunlin.Interleavings.Tests: TransportInterleavings.A_take_over_beside_a_read_loses_no_byte',
    },
    {
      name: 'socket-is-closed-without-the-lock',
      file: 'src/Dunlin.AspNetCore/Transport/DirectConnection.cs',
      replace:
        'lock (_reading)\n        {\n            if (_state != (int)State.Serving)\n                return;\n            Volatile.Write(ref _state, (int)State.Closed);',
      with: '{\n            if (_state != (int)State.Serving)\n                return;\n            Volatile.Write(ref _state, (int)State.Closed);',
      breaks: 'A socket is closed that a stream has just taken over.',
      killedBy:
        'Dunlin.Interleavings.Tests: TransportInterleavings.A_socket_is_taken_over_or_closed_and_never_both',
    },
    {
      name: 'input-ends-for-a-former-reader',
      file: 'src/Dunlin.AspNetCore/Transport/SocketReceiver.cs',
      replace:
        'if (!ReferenceEquals(Interlocked.CompareExchange(ref _reader, Ended.Instance, inCharge), inCharge))',
      with: 'if (!ReferenceEquals(Interlocked.Exchange(ref _reader, Ended.Instance), inCharge))',
      breaks: 'An owner that takes over the socket during the last read is never told the end of the input.',
      killedBy:
        'Dunlin.Interleavings.Tests: TransportInterleavings.Each_end_of_the_input_reaches_the_current_reader_once',
    },
  ],
};
