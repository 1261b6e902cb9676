namespace Dunlin.Interleavings.Tests.Exploring;

/// <summary>The explorer finds each kind of fault, and visits what it says.</summary>
public sealed class ExplorerTests
{
    [Fact]
    public void A_lost_update_is_found_and_repeated_by_its_schedule()
    {
        var found = Find(LostUpdate, bound: 1).Failure;
        Assert.Contains("Expected: 2", found, StringComparison.Ordinal);
        Assert.Contains("first: write", found, StringComparison.Ordinal);
        var schedule = found!.Split('\'')[^2];
        Assert.Contains("Expected: 2", Explorer.Repeat(Explorer.Synchronously(LostUpdate), schedule).Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fault_that_needs_a_preemption_is_not_found_without_one() => Assert.Null(Find(LostUpdate, bound: 0).Failure);

    [Fact]
    public void Locks_in_opposite_orders_are_a_deadlock()
    {
        var found = Find(
            static scenario =>
            {
                var (one, two) = (new object(), new object());
                scenario.Thread("first", () => Enter(one, two));
                scenario.Thread("second", () => Enter(two, one));
            },
            bound: 1
        );
        Assert.StartsWith("Deadlock: 'first' waits at", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_nobody_completes_is_a_lost_wake_up()
    {
        var found = Find(static scenario => scenario.Thread("waiter", static () => new TaskCompletionSource().Task), bound: 0);
        Assert.StartsWith("Lost wake-up: thread 'waiter' waits for ever.", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pulse_before_the_wait_is_a_lost_wake_up()
    {
        var found = Find(
            static scenario =>
            {
                var gate = new object();
                scenario.Thread("waiter", () => Locked(gate, () => ControlPoints.MonitorWait(gate)));
                scenario.Thread("signal", () => Locked(gate, () => ControlPoints.MonitorPulse(gate)));
            },
            bound: 0
        );
        Assert.StartsWith("Deadlock: 'waiter' waits at Monitor.Wait", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_a_foreign_thread_continues_is_found()
    {
        var found = Find(
            static scenario =>
                scenario.Thread(
                    "waiter",
                    static async () =>
                    {
                        var source = new TaskCompletionSource();
                        async Task AwaitAsync() => await source.Task;
                        var awaiting = AwaitAsync();
                        var foreign = new Thread(source.SetResult);
                        foreign.Start();
                        foreign.Join();
                        await awaiting;
                    }
                ),
            bound: 0
        );
        Assert.StartsWith("A thread that the run does not control", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thread_that_spins_for_ever_is_found()
    {
        var found = Find(
            static scenario =>
                scenario.Thread(
                    "spinner",
                    static () =>
                    {
                        for (var spin = new SpinWait(); ; )
                            ControlPoints.SpinOnce(ref spin);
                    }
                ),
            bound: 0
        );
        Assert.StartsWith("No end after", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void All_schedules_of_two_threads_are_visited_once()
    {
        var seen = new List<string>();
        var found = Find(
            scenario =>
            {
                var order = "";
                foreach (var name in new[] { "a", "b" })
                {
                    scenario.Thread(
                        name,
                        () =>
                        {
                            order += name;
                            ControlPoints.Atomic("step", "");
                            order += name;
                        }
                    );
                }
                scenario.Then(() => seen.Add(order));
            },
            bound: 2
        );
        Assert.Equal(2, found.Complete);
        // Bound 0 visits two orders, bound 1 four and bound 2 all six.
        Assert.Equal(["aabb", "abab", "abba", "baab", "baba", "bbaa"], seen.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(found.Schedules, seen.Count);
    }

    private static Exploration Find(Action<Scenario> prepare, int bound) =>
        Explorer.Find(Explorer.Synchronously(prepare), bound, max: 1_000, walks: 0);

    private static void LostUpdate(Scenario scenario)
    {
        var value = 0;
        foreach (var name in new[] { "first", "second" })
        {
            scenario.Thread(
                name,
                () =>
                {
                    ControlPoints.Atomic("read", "");
                    var read = value;
                    ControlPoints.Atomic("write", "");
                    value = read + 1;
                }
            );
        }
        scenario.Then(() => Assert.Equal(2, value));
    }

    private static void Enter(object outer, object inner) => Locked(outer, () => Locked(inner, static () => { }));

    private static void Locked(object gate, Action action)
    {
        var taken = false;
        ControlPoints.MonitorEnter(gate, ref taken);
        action();
        ControlPoints.MonitorExit(gate);
    }
}
