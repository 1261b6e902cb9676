using Dunlin.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Inspector.Tests;

public sealed class AccessTests
{
    [Theory]
    [InlineData("GET", "stream")]
    [InlineData("GET", "topics")]
    [InlineData("GET", "connections")]
    [InlineData("GET", "connections/x")]
    [InlineData("GET", "journal")]
    [InlineData("GET", "journal/1")]
    [InlineData("GET", "leases")]
    [InlineData("GET", "leases/history")]
    [InlineData("POST", "leases/end")]
    [InlineData("POST", "leases/preempt")]
    [InlineData("GET", "jobs")]
    [InlineData("POST", "jobs/retry")]
    [InlineData("POST", "jobs/cancel")]
    [InlineData("GET", "refusals")]
    [InlineData("POST", "revoke")]
    [InlineData("GET", "no-such-data")]
    public async Task Data_is_refused_without_a_caller_and_to_other_roles(string method, string path)
    {
        await using var host = await InspectedHost.StartAsync();
        (await host.SendAsync(method, path, user: null)).Is(401, "not_signed_in");
        (await host.SendAsync(method, path, user: "alice")).Is(403, "forbidden");
        Assert.False(host.Sampler.IsRunning);
    }

    [Fact]
    public async Task Unknown_data_is_a_problem_and_not_the_page()
    {
        await using var host = await InspectedHost.StartAsync();
        (await host.SendAsync("GET", "no-such-data")).Is(404, "not_found");
    }

    [Fact]
    public async Task The_page_needs_no_caller_and_has_strict_headers()
    {
        await using var host = await InspectedHost.StartAsync();
        using var client = host.Host.Client();
        using var response = await client.GetAsync(new Uri("/dunlin/inspect/", UriKind.Relative));
        var text = await response.Content.ReadAsStringAsync();
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        // A checkout without Node has no page. The answer then says how to build it.
        var expected = (int)response.StatusCode == 200 ? "<div id=\"page\">" : "npm run build:inspector";
        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.False((await client.SendJsonAsync("GET", InspectedHost.Base + "mode")).Ok().GetProperty("accounts").GetBoolean());
    }

    [Fact]
    public async Task A_path_without_a_slash_redirects_to_the_page()
    {
        await using var host = await InspectedHost.StartAsync();
        using var client = host.Host.Client();
        using var response = await client.GetAsync(new Uri("/dunlin/inspect", UriKind.Relative));
        Assert.Equal("/dunlin/inspect/", response.RequestMessage!.RequestUri!.AbsolutePath.TrimEnd('/') + "/");
        Assert.True((int)response.StatusCode is 200 or 302 or 503, response.StatusCode.ToString());
    }

    [Fact]
    public async Task A_disabled_inspector_answers_nothing()
    {
        await using var host = await InspectedHost.StartAsync(options: options => options.Enabled = false);
        using var client = host.Host.Client("admin");
        Assert.Equal(404, (await client.SendJsonAsync("GET", "/dunlin/inspect/")).Status);
        Assert.Equal(404, (await client.SendJsonAsync("GET", InspectedHost.Base + "topics")).Status);
    }

    [Fact]
    public async Task Mapping_without_the_services_names_the_missing_call()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddDunlin().AddInMemory();
        await using var app = builder.Build();
        var error = Assert.Throws<InvalidOperationException>(() => app.MapDunlinInspector());
        Assert.Contains("AddInspector()", error.Message, StringComparison.Ordinal);
    }
}
