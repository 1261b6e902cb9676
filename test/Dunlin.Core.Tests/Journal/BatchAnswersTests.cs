namespace Dunlin.Journal;

public sealed class BatchAnswersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Every_request_of_a_batch_gets_its_own_answer_once()
    {
        var requests = Requests(100);
        var answers = requests.Select(r => r.Answer.AsTask()).ToArray();

        new BatchAnswers<object>(requests).Start();

        Assert.Equal(Enumerable.Range(0, 100), await Task.WhenAll(answers).WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_caller_that_blocks_its_thread_delays_no_other_caller()
    {
        var requests = Requests(3);
        using var released = new ManualResetEventSlim();
        var blocking = BlockAsync(requests[0].Answer, released);
        var others = Task.WhenAll(requests[1].Answer.AsTask(), requests[2].Answer.AsTask());

        new BatchAnswers<object>(requests).Start();

        var answered = await others.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2], answered);
        Assert.False(blocking.IsCompleted);
        released.Set();
        await blocking.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_failure_does_not_run_continuations_inline()
    {
        var request = Requests(1)[0];
        var failing = new Lock();
        var wentOnInside = ObserveAsync(request.Answer, failing);

        lock (failing)
            request.Fail(new InvalidOperationException("as meant"));

        Assert.False(await wentOnInside.WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    private static async Task BlockAsync(ValueTask<int> answer, ManualResetEventSlim released)
    {
        await answer.ConfigureAwait(false);
        Assert.True(released.Wait(Patience));
    }

    private static async Task<bool> ObserveAsync(ValueTask<int> answer, Lock failing)
    {
        try
        {
            await answer.ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            return failing.IsHeldByCurrentThread;
        }
        throw new InvalidOperationException("It did not fail.");
    }

    private static Numbered[] Requests(int count) => [.. Enumerable.Range(0, count).Select(number => new Numbered(number))];

    private sealed class Numbered : WriteRequest<object, int>
    {
        public Numbered(int number)
            : base(CancellationToken.None) => Result = number;

        public override ValueTask ExecuteAsync(object session) => default;
    }
}
