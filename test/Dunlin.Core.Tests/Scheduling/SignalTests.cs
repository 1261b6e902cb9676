using Dunlin.Scheduling;
using Dunlin.TestKit;

namespace Dunlin.Core.Tests.Scheduling;

public sealed class SignalTests
{
    private readonly TestLog _log = new();
    private readonly List<string> _called = [];
    private readonly Signal<int> _signal;

    public SignalTests() => _signal = new Signal<int>("test", _log);

    [Fact]
    public void Handlers_run_in_order_of_subscription()
    {
        _signal.Subscribe(value => _called.Add($"first {value}"));
        _signal.Subscribe(value => _called.Add($"second {value}"));
        _signal.Publish(1);
        _signal.Publish(2);
        Assert.Equal(["first 1", "second 1", "first 2", "second 2"], _called);
    }

    [Fact]
    public void A_handler_exception_is_logged_and_later_handlers_run()
    {
        var fault = new FormatException();
        _signal.Subscribe(_ => throw fault);
        _signal.Subscribe(value => _called.Add($"second {value}"));
        _signal.Publish(1);
        Assert.Equal(["second 1"], _called);
        var entry = Assert.Single(_log.Entries);
        Assert.Equal(1230, entry.Id);
        Assert.Contains("test", entry.Text, StringComparison.Ordinal);
        Assert.Same(fault, entry.Exception);
    }

    [Fact]
    public void Handler_exception_without_a_logger_does_not_reach_the_publisher()
    {
        var silent = new Signal<int>("test");
        silent.Subscribe(_ => throw new FormatException());
        silent.Subscribe(value => _called.Add($"second {value}"));
        silent.Publish(1);
        Assert.Equal(["second 1"], _called);
    }

    [Fact]
    public void A_disposed_subscription_ends_alone()
    {
        Action<int> handler = value => _called.Add($"{value}");
        var first = _signal.Subscribe(handler);
        using var second = _signal.Subscribe(handler);
        first.Dispose();
        first.Dispose();
        _signal.Publish(1);
        Assert.Equal(["1"], _called);
    }

    [Fact]
    public void A_handler_added_during_publication_runs_from_the_next_one()
    {
        IDisposable? added = null;
        _signal.Subscribe(_ => added ??= _signal.Subscribe(value => _called.Add($"added {value}")));
        _signal.Publish(1);
        Assert.Empty(_called);
        _signal.Publish(2);
        Assert.Equal(["added 2"], _called);
    }

    [Fact]
    public async Task Concurrent_subscriptions_are_all_kept()
    {
        var count = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Add(100), TestContext.Current.CancellationToken)));
        _signal.Publish(1);
        Assert.Equal(800, count);

        void Add(int handlers)
        {
            for (var i = 0; i < handlers; i++)
                _signal.Subscribe(_ => count++);
        }
    }
}
