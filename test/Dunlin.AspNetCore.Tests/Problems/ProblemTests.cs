using System.Text.Json;
using Dunlin.Diagnostics;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Dunlin.AspNetCore.Tests.Problems;

public sealed class ProblemTests : IAsyncLifetime
{
    private TestHost _host = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await TestHost.StartAsync(
            new HostSetup
            {
                Map = app =>
                {
                    app.MapGet(
                        "/api/held",
                        Task (HttpContext context) =>
                        {
                            context.Response.Headers.ETag = "\"1\"";
                            context.Response.Headers["X-Kept"] = "yes";
                            throw new DunlinException(ErrorCode.LeaseHeld, "Alice has it.", "file_id")
                            {
                                RetryAfter = TimeSpan.FromSeconds(1.2),
                                Extensions = new Dictionary<string, object?>
                                {
                                    ["holder"] = new { Name = "Alice" },
                                    ["nothing"] = null,
                                    ["status"] = 200,
                                },
                            };
                        }
                    );
                    app.MapGet(
                        "/api/quoted",
                        Task (HttpContext _) =>
                            throw new DunlinException(ErrorCode.InvalidField, "'Zoë' & <b>+")
                            {
                                Extensions = new Dictionary<string, object?> { ["with"] = "it's" },
                            }
                    );
                    app.MapGet("/api/broken", Task (HttpContext _) => throw new InvalidOperationException("secret inner text"));
                    app.MapGet("/api/leaving", Task (HttpContext _) => throw new DunlinException(ErrorCode.Draining, "Leaving.\nForged."));
                    app.MapGet("/api/bad", Task (HttpContext _) => throw new BadHttpRequestException("No.", 400));
                    app.MapGet("/api/json", Task (HttpContext _) => throw new JsonException("m", "$.a.b", 1, 2));
                    app.MapGet(
                        "/api/late",
                        async context =>
                        {
                            await context.Response.WriteAsync("half");
                            await context.Response.Body.FlushAsync();
                            throw new DunlinException(ErrorCode.Forbidden);
                        }
                    );
                    app.MapGet(
                        "/api/begun",
                        async context =>
                        {
                            await context.Response.WriteAsync("half");
                            await context.Response.Body.FlushAsync();
                            throw new InvalidOperationException("late");
                        }
                    );
                    app.MapGet("/api/itself", async context => await Problem.WriteAsync(context, new DunlinException(ErrorCode.Draining)))
                        .WithMetadata(WritesOwnProblems.Instance);
                    app.MapGet("/api/number/{id:int}", (int id) => id);
                    app.MapGet("/api/bound", (int n) => n);
                    app.MapPost("/api/typed", (Dictionary<string, string> body) => body.Count);
                    app.MapGet(
                        "/api/own",
                        context =>
                        {
                            context.Response.StatusCode = 404;
                            return context.Response.WriteAsync("mine");
                        }
                    );
                    app.MapGet("/filtered", Task<IResult> (HttpContext _) => throw new DunlinException(ErrorCode.Forbidden))
                        .WithDunlinProblems();
                },
            }
        );
        _client = _host.Plain();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task An_error_carries_code_field_retry_delay_and_extensions()
    {
        using var response = await _client.GetAsync("/api/held");
        var problem = await HttpAssert.ProblemAsync(response, 423, "lease_held");
        Assert.Equal("Alice has it.", problem.GetProperty("detail").GetString());
        Assert.Equal("retry", problem.GetProperty("class").GetString());
        Assert.Equal("file_id", problem.GetProperty("field").GetString());
        Assert.Equal("Alice", problem.GetProperty("holder").GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, problem.GetProperty("nothing").ValueKind);
        Assert.Equal("2", response.Headers.GetValues("Retry-After").Single());
        Assert.Null(response.Headers.ETag);
        Assert.Equal("yes", response.Headers.GetValues("X-Kept").Single());
        Assert.True(response.Headers.CacheControl?.NoStore);
    }

    [Fact]
    public async Task Texts_are_readable_and_safe_from_markup()
    {
        using var response = await _client.GetAsync("/api/quoted");
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("'Zoë' & <b>+", text, StringComparison.Ordinal);
        Assert.Contains("\"with\":\"it's\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u", text, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        await HttpAssert.ProblemAsync(response, 400, "invalid_field");
    }

    [Fact]
    public async Task An_unexpected_error_reveals_only_a_trace_id_and_is_logged_with_it()
    {
        using var response = await _client.GetAsync("/api/broken");
        var problem = await HttpAssert.ProblemAsync(response, 500, "internal");
        Assert.DoesNotContain("secret inner text", problem.GetRawText(), StringComparison.Ordinal);
        var traceId = problem.GetProperty("traceId").GetString()!;
        Assert.Contains(
            _host.Log.Lines,
            line => line.Contains(traceId, StringComparison.Ordinal) && line.Contains("secret inner text", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("/api/bad", 400, "invalid_field")]
    [InlineData("/api/json", 400, "invalid_field")]
    [InlineData("/api/itself", 503, "draining")]
    [InlineData("/api/nothing/here", 404, "not_found")]
    [InlineData("/dunlin/v1/nothing", 404, "not_found")]
    [InlineData("/api/number/x", 404, "not_found")]
    [InlineData("/api/bound", 400, "invalid_field")]
    [InlineData("/filtered", 403, "forbidden")]
    public async Task Every_error_of_the_api_is_a_problem(string path, int status, string code)
    {
        using var response = await _client.GetAsync(path);
        await HttpAssert.ProblemAsync(response, status, code);
    }

    [Fact]
    public async Task An_expected_503_is_logged_in_one_line()
    {
        using var response = await _client.GetAsync("/api/leaving");
        await HttpAssert.ProblemAsync(response, 503, "draining");
        var line = Assert.Single(_host.Log.Lines, static line => line.Contains("Leaving.", StringComparison.Ordinal));
        Assert.Contains(" 4006 ", line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain(nameof(DunlinException), line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_method_lists_the_allowed_ones()
    {
        using var response = await _client.DeleteAsync("/api/held");
        await HttpAssert.ProblemAsync(response, 405, "method_not_allowed");
        Assert.Contains("GET", response.Content.Headers.Allow);
    }

    [Fact]
    public async Task A_content_type_that_routing_refuses_is_a_problem()
    {
        using var response = await _client.PostAsync("/api/typed", HttpAssert.Json("{}", "text/plain"));
        await HttpAssert.ProblemAsync(response, 415, "unsupported_media_type");
    }

    [Fact]
    public async Task An_empty_404_outside_the_api_stays_empty()
    {
        using var response = await _client.GetAsync("/missing.css");
        Assert.Equal(404, (int)response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_answer_with_a_body_stays_unchanged()
    {
        using var response = await _client.GetAsync("/api/own");
        Assert.Equal("mine", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_error_after_the_response_began_aborts_the_connection()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var response = await _client.GetAsync("/api/begun", HttpCompletionOption.ResponseHeadersRead);
            await response.Content.ReadAsStringAsync();
        });
        Assert.Contains(_host.Log.Lines, line => line.Contains(" 4003 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_client_error_logs_neither_an_error_nor_a_stack_trace()
    {
        foreach (
            var exception in new Exception[]
            {
                new ConnectionResetException("reset"),
                new ConnectionAbortedException(),
                new OperationCanceledException(),
                new IOException("cut"),
            }
        )
        {
            var context = new DefaultHttpContext
            {
                RequestServices = _host.Services,
                RequestAborted = new CancellationToken(canceled: true),
            };
            await Problem.WriteAsync(context, exception);
        }
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () =>
        {
            using var response = await _client.GetAsync("/api/late", HttpCompletionOption.ResponseHeadersRead);
            await response.Content.ReadAsStringAsync();
        });
        using var bad = await _client.GetAsync("/api/bad");
        using var json = await _client.GetAsync("/api/json");
        var lines = _host.Log.Lines.Where(line => line.StartsWith("Dunlin.Problems ", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, lines.Count(line => line.Contains(" Debug 4005 ", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.Contains(" Information 4004 ", StringComparison.Ordinal));
        Assert.DoesNotContain(
            lines,
            line => line.Contains("   at ", StringComparison.Ordinal) || line.Contains(" Error ", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_head_request_gets_no_body()
    {
        using var response = await _client.SendAsync(HttpMethod.Head, "/api/nothing");
        Assert.Equal(404, (int)response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }
}
