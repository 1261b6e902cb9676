using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Hosting;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.Records;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Hosting;

/// <summary>Jobs and records are serialised by the application's source-generated contracts where it names them.</summary>
public sealed partial class OwnContractTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_record_follows_the_contract_and_is_read_by_it()
    {
        await using var host = await EngineHost.StartAsync();
        var space = SpaceName.Parse("orders");
        var row = await Store(host)
            .WriteAsync((unit, ct) => unit.Records().PutAsync(space, "7", new Order(7), AppJson.Default.Order, null, ct));
        Assert.Equal("""{"order_number":7}""", Encoding.UTF8.GetString(row.Value.Span));
        var read = await Store(host).WriteAsync((unit, ct) => unit.Records().FindAsync(space, "7", AppJson.Default.Order, ct));
        Assert.Equal(new Order(7), read);
    }

    [Fact]
    public async Task A_job_and_its_progress_follow_the_contract_and_the_handler_reads_it()
    {
        var handled = new TaskCompletionSource<(Order, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton(handled),
            engine: dunlin => dunlin.AddJobHandler<Handler, Order>("orders", job => job.Json = AppJson.Default.Options)
        );
        var job = await Store(host)
            .WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync("orders", new Order(7), AppJson.Default.Order, null, ct));
        Assert.Equal("""{"order_number":7}""", job.Value.GetRawText());
        Assert.Equal((new Order(7), """{"order_number":8}"""), await handled.Task.WaitAsync(Patience));
    }

    [Theory]
    [InlineData("\"no order\"")]
    [InlineData("""{"order_number":"seven"}""")]
    public async Task A_value_that_cannot_be_read_reaches_the_failure_handler(string value)
    {
        var handled = new TaskCompletionSource<(Order, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton(handled),
            engine: dunlin => dunlin.AddJobHandler<Handler, Order>("orders", job => job.Json = AppJson.Default.Options)
        );
        await Store(host).WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync("orders", JsonDocument.Parse(value).RootElement, null, ct));
        Assert.Equal((null!, "The job data cannot be read as the type that its handler expects."), await handled.Task.WaitAsync(Patience));
    }

    private static IStore Store(EngineHost host) => host.Services.GetRequiredService<IStore>();

    internal sealed record Order(int OrderNumber, string? Note = null);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
    )]
    [JsonSerializable(typeof(Order))]
    private sealed partial class AppJson : JsonSerializerContext;

    private sealed class Handler(TaskCompletionSource<(Order, string)> handled, IStore store) : IJobHandler<Order>
    {
        public async ValueTask RunAsync(JobRun<Order> run, CancellationToken cancellationToken)
        {
            await run.ReportAsync(new Order(8), AppJson.Default.Order, cancellationToken);
            var job = await store.WriteAsync((unit, ct) => unit.Jobs().FindAsync(run.Job.Type, run.Job.Id, ct), cancellationToken);
            handled.TrySetResult((run.Value, job!.Progress!.Value.GetRawText()));
        }

        public ValueTask OnFailedAsync(JobFailure<Order> failure, CancellationToken cancellationToken)
        {
            handled.TrySetResult((failure.Value!, failure.Exception!.Message));
            return default;
        }
    }
}
