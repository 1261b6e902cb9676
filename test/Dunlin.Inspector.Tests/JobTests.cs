using System.Text.Json;
using Dunlin.Jobs;
using Dunlin.Journal;
using Dunlin.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class JobTests
{
    [Fact]
    public async Task A_dead_job_is_shown_with_its_error_and_can_be_retried()
    {
        await using var host = await StartAsync();
        await EnqueueAsync(host, "a", fails: true);
        await DeadAsync(host, 1);
        var list = await host.GetAsync("jobs?type=mail&state=dead");
        var job = list.GetProperty("jobs").EnumerateArray().Single();
        Assert.Equal("a", job.GetProperty("id").GetString());
        Assert.Contains("no such address", job.GetProperty("error").GetString(), StringComparison.Ordinal);
        host.Host.Get<Mailer>().Succeeds = true;
        Assert.Equal(204, (await host.SendAsync("POST", "jobs/retry", new { type = "mail", id = "a" })).Status);
        await InspectedHost.UntilAsync(async () => Count(await host.GetAsync("jobs"), "done") == 1);
        (await host.SendAsync("POST", "jobs/retry", new { type = "mail", id = "a" })).Is(409, "conflict");
        (await host.SendAsync("POST", "jobs/retry", new { type = "mail", id = "b" })).Is(404, "not_found");
    }

    [Fact]
    public async Task A_cancelled_job_is_gone()
    {
        await using var host = await StartAsync();
        await EnqueueAsync(host, "a", fails: true);
        await DeadAsync(host, 1);
        Assert.Equal(204, (await host.SendAsync("POST", "jobs/cancel", new { type = "mail", id = "a" })).Status);
        Assert.Equal(0, Count(await host.GetAsync("jobs"), "dead"));
        (await host.SendAsync("POST", "jobs/cancel", new { type = "mail", id = "a" })).Is(404, "not_found");
    }

    [Fact]
    public async Task A_host_without_handlers_has_no_job_types()
    {
        await using var host = await InspectedHost.StartAsync();
        var list = await host.GetAsync("jobs");
        Assert.Empty(list.GetProperty("types").EnumerateArray());
        (await host.SendAsync("GET", "jobs?state=broken")).Is(400, "invalid_field");
    }

    private static Task<InspectedHost> StartAsync() =>
        InspectedHost.StartAsync(engine: builder =>
        {
            builder.Services.AddSingleton<Mailer>();
            builder.AddJobHandler<Mailer, bool>("mail");
        });

    private static ValueTask<JobInfo> EnqueueAsync(InspectedHost host, string id, bool fails) =>
        host.Host.Store.WriteAsync((unit, ct) => unit.Jobs().EnqueueAsync("mail", fails, new JobRequest { Id = id }, ct));

    private static Task DeadAsync(InspectedHost host, int count) =>
        InspectedHost.UntilAsync(async () => Count(await host.GetAsync("jobs"), "dead") == count);

    private static int Count(JsonElement list, string state) =>
        list.GetProperty("types").EnumerateArray().Single().GetProperty(state).GetInt32();

    private sealed class Mailer : IJobHandler<bool>
    {
        public bool Succeeds { get; set; }

        public ValueTask RunAsync(JobRun<bool> run, CancellationToken cancellationToken) =>
            run.Value && !Succeeds ? throw new JobFailedException("There is no such address.", isFinal: true) : default;
    }
}
