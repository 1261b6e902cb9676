using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Diagnostics;
using Dunlin.Fanout;
using Dunlin.Hooks;
using Dunlin.Leases;
using Dunlin.Problems;
using Dunlin.Publishing;
using Dunlin.Streams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Dunlin.AspNetCore.Tests.Problems;

/// <summary>Each code of the error table has a section in docs/reference/errors.md, and its example is a real response.</summary>
public sealed class ErrorPageTests
{
    private const string Ann = "lease-id-of-ann",
        Bob = "lease-id-of-bob",
        Cat = "lease-id-of-cat";

    private static readonly string[] OwnMembers = ["type", "title", "status", "detail", "code", "class", "hint", "field", "traceId"];

    /// <summary>Members whose value differs from response to response.</summary>
    private static readonly string[] Varying = ["traceId", "expiresAt"];

    public static TheoryData<string> Codes() => [.. ErrorCode.All.Select(code => code.Code)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Each_code_has_a_section_with_causes_and_a_fix(string code)
    {
        var row = ErrorCode.All.Single(row => row.Code == code);
        var section = ErrorPage.SectionOf(code);
        Assert.Matches(@"\n\*\*Causes\*\*\n\n- \S", section);
        Assert.Matches(@"\n\*\*Fix:\*\* \S", section);
        var name = row.Class.ToString().ToLowerInvariant();
        Assert.Contains($"{row.Title} Status {row.Status}, class [{name}](#classes).", section, StringComparison.Ordinal);
        Assert.Contains($"| [`{code}`](#{code}) |", ErrorPage.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task Each_example_is_the_body_that_the_server_writes(string code)
    {
        var example = ErrorPage.ExampleOf(code);
        var exception = new DunlinException(
            ErrorCode.All.Single(row => row.Code == code),
            example["detail"]!.GetValue<string>(),
            example["field"]?.GetValue<string>()
        )
        {
            Extensions = example
                .Where(member => !OwnMembers.Contains(member.Key, StringComparer.Ordinal))
                .ToDictionary(member => member.Key, member => (object?)member.Value),
        };
        await using var services = new ServiceCollection().AddOptions().AddLogging().BuildServiceProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, Response = { Body = body } };
        await Problem.WriteAsync(context, exception);
        AssertSame(example, JsonNode.Parse(body.ToArray())!.AsObject());
        Assert.Equal(example["status"]!.GetValue<int>(), context.Response.StatusCode);
    }

    [Theory]
    [InlineData("invalid_json", "POST", "events", """{"topic":""")]
    [InlineData("invalid_field", "GET", "journal?topic=a&limit=many")]
    [InlineData("unknown_field", "POST", "events", """{"topic":"a","tipe":"x"}""")]
    [InlineData("invalid_topic", "GET", "journal?topic=team%20chat")]
    [InlineData("invalid_resource", "PUT", "leases/file%207", "{}")]
    [InlineData("invalid_position", "GET", "journal?topic=a&after=yesterday")]
    [InlineData("not_signed_in", "GET", "journal?topic=a", null, null)]
    [InlineData("forbidden", "GET", "journal?topic=teams/7")]
    [InlineData("not_found", "GET", "event")]
    [InlineData("method_not_allowed", "DELETE", "events")]
    [InlineData("lease_lost", "POST", "leases/documents/7/renew", """{"leaseId":"lease-id-of-ann","fence":1}""")]
    public async Task The_server_answers_a_wrong_request_as_in_the_example(
        string code,
        string method,
        string path,
        string? body = null,
        string? user = "ann"
    )
    {
        await using var host = await EngineHost.StartAsync();
        host.Refused.Add("teams/7");
        using var client = host.Client(user);
        using var response = await SendAsync(client, method, path, body);
        await AssertExampleAsync(code, response);
    }

    [Fact]
    public async Task The_server_answers_an_invalid_body_as_in_the_examples()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var large = await SendAsync(
            client,
            "POST",
            "events",
            JsonSerializer.Serialize(
                new
                {
                    topic = "a",
                    type = "t",
                    data = new string('x', 65_536),
                }
            )
        );
        await AssertExampleAsync("too_large", large);
        using var text = await client.PostAsync("/dunlin/v1/events", HttpAssert.Json("{}", "text/plain; charset=utf-8"));
        await AssertExampleAsync("unsupported_media_type", text);
        var topics = string.Join('&', Enumerable.Range(1, 65).Select(n => $"topic=t{n}"));
        using var many = await SendAsync(client, "GET", "events?" + topics);
        await AssertExampleAsync("too_many_topics", many);
        using var changed = await client.SendAsync(HttpMethod.Get, "/dunlin/v1/journal?topic=a", headers: ("Dunlin-User", "bob"));
        await AssertExampleAsync("user_changed", changed);
    }

    [Fact]
    public async Task The_server_answers_a_reused_key_as_in_the_example()
    {
        await using var host = await EngineHost.StartAsync();
        using var client = host.Client();
        using var first = await SendAsync(client, "POST", "events", """{"topic":"a","type":"t","data":1,"idempotencyKey":"order-17"}""");
        Assert.Equal(200, (int)first.StatusCode);
        using var second = await SendAsync(client, "POST", "events", """{"topic":"a","type":"t","data":2,"idempotencyKey":"order-17"}""");
        await AssertExampleAsync("idempotency_key_reused", second);
    }

    [Fact]
    public async Task The_server_answers_a_held_lease_as_in_the_examples()
    {
        await using var host = await EngineHost.StartAsync(services => services.Configure<LeaseOptions>(leases => leases.MaxWaiters = 1));
        using HttpClient ann = host.Client(),
            bob = host.Client("bob"),
            cat = host.Client("cat");
        using var granted = await SendAsync(ann, "PUT", "leases/documents/7", $$"""{"leaseId":"{{Ann}}"}""");
        Assert.Equal(201, (int)granted.StatusCode);
        var fence = JsonNode.Parse(await granted.Content.ReadAsStringAsync())!["fence"];
        using var nobody = await SendAsync(ann, "POST", "leases/documents/7/handoff", $$"""{"leaseId":"{{Ann}}","fence":{{fence}}}""");
        await AssertExampleAsync("conflict", nobody);
        using var held = await SendAsync(bob, "PUT", "leases/documents/7", $$"""{"leaseId":"{{Bob}}"}""");
        await AssertExampleAsync("lease_held", held);
        using var waiting = await SendAsync(bob, "PUT", "leases/documents/7", $$"""{"leaseId":"{{Bob}}","wait":true}""");
        Assert.Equal(202, (int)waiting.StatusCode);
        using var full = await SendAsync(cat, "PUT", "leases/documents/7", $$"""{"leaseId":"{{Cat}}","wait":true}""");
        await AssertExampleAsync("queue_full", full);
    }

    [Fact]
    public async Task The_server_answers_a_reached_limit_as_in_the_examples()
    {
        await using var host = await EngineHost.StartAsync(services =>
            services
                .Configure<PublishOptions>(publish => (publish.PerSecond, publish.Burst) = (1, 1))
                .Configure<EventStreamOptions>(streams => streams.MaxPerUser = 1)
        );
        await using var open = await host.OpenAsync("/dunlin/v1/events?topic=a");
        using var client = host.Client();
        using var second = await SendAsync(client, "GET", "events?topic=a");
        await AssertExampleAsync("too_many_connections", second);
        await host.PublishAsync("a", 1);
        using var fast = await SendAsync(client, "POST", "events", """{"topic":"a","type":"t","data":1}""");
        await AssertExampleAsync("too_many_requests", fast);
    }

    [Fact]
    public async Task The_server_answers_a_fault_of_its_own_as_in_the_examples()
    {
        await using var host = await EngineHost.StartAsync(map: app =>
            app.MapGet("/dunlin/v1/broken", Task (HttpContext _) => throw new InvalidOperationException("secret"))
        );
        using var client = host.Client();
        using var broken = await SendAsync(client, "GET", "broken");
        await AssertExampleAsync("internal", broken);
        await host.Fanout.DrainAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);
        using var late = await SendAsync(client, "GET", "events?topic=a");
        await AssertExampleAsync("draining", late);
    }

    [Fact]
    public async Task The_server_answers_a_forged_webhook_as_in_the_example()
    {
        await using var host = await EngineHost.StartAsync(
            engine: static dunlin =>
                dunlin.AddHooks(static hooks => hooks.Sources.Add(new HookSource { Name = "a", Secrets = { new string('A', 32) } })),
            map: static app => app.MapDunlinHooks()
        );
        using var client = host.Client(null);
        using var forged = await SendAsync(client, "POST", "hooks/a", "{}");
        await AssertExampleAsync("invalid_signature", forged);
    }

    [Fact]
    public async Task The_server_answers_wrong_credentials_as_in_the_examples()
    {
        await using var host = await TestHost.StartAsync();
        await host.CreateAsync("alice");
        using var client = host.Plain();
        using var wrong = await client.PostAsync("/api/v1/auth/login", HttpAssert.Json("""{"username":"alice","password":"wrong"}"""));
        await AssertExampleAsync("invalid_credentials", wrong);
        var session = await host.SignInAsync(client, "alice");
        using var foreign = await client.SendAsync(
            HttpMethod.Post,
            "/api/write",
            cookie: session.Cookie,
            headers: ("Origin", "https://app.example.com")
        );
        await AssertExampleAsync("origin_refused", foreign);
    }

    [Theory]
    [InlineData("https://docs.example.com/errors", "https://docs.example.com/errors#not_found")]
    [InlineData("/help/errors.html", "/help/errors.html#not_found")]
    public async Task The_type_names_the_configured_error_page(string page, string type)
    {
        await using var host = await EngineHost.StartAsync(services =>
            services.Configure<ProblemOptions>(problems => problems.ErrorPage = page)
        );
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/nothing");
        Assert.Equal(type, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["type"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("errors.html")]
    [InlineData("javascript:alert(1)")]
    [InlineData("https://docs.example.com/#errors")]
    public async Task An_invalid_error_page_stops_the_start(string page)
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() =>
            EngineHost.StartAsync(services => services.Configure<ProblemOptions>(problems => problems.ErrorPage = page))
        );
        Assert.Contains("ProblemOptions.ErrorPage must be", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_of_an_application_names_its_own_page()
    {
        var code = new ErrorCode("out_of_stock", 409, ErrorClass.Resync, "The item is out of stock.", "Choose another one.")
        {
            Page = "https://shop.example.com/errors",
        };
        await using var host = await EngineHost.StartAsync(map: app =>
            app.MapGet("/api/item", Task (HttpContext _) => throw new DunlinException(code))
        );
        using var client = host.Client();
        using var response = await client.GetAsync("/api/item");
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("https://shop.example.com/errors#out_of_stock", problem["type"]!.GetValue<string>());
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path, string? body = null) =>
        client.SendAsync(new HttpMethod(method), "/dunlin/v1/" + path, content: body is null ? null : HttpAssert.Json(body));

    private static async Task AssertExampleAsync(string code, HttpResponseMessage response)
    {
        await HttpAssert.ProblemAsync(response, ErrorCode.All.Single(row => row.Code == code).Status, code);
        AssertSame(ErrorPage.ExampleOf(code), JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }

    private static void AssertSame(JsonObject example, JsonObject body)
    {
        foreach (var name in Varying)
        {
            Assert.Equal(body.ContainsKey(name), example.ContainsKey(name));
            if (body[name] is { } value)
                example[name] = value.DeepClone();
        }
        Assert.True(JsonNode.DeepEquals(example, body), $"docs/reference/errors.md has\n{example}\nthe server answers\n{body}");
    }
}
