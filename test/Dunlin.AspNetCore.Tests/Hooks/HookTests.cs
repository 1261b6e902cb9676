using System.Security.Cryptography;
using System.Text;
using Dunlin.Diagnostics;
using Dunlin.Hooks;
using Dunlin.Journal;
using Dunlin.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using StandardWebhooks;

namespace Dunlin.AspNetCore.Tests.Hooks;

/// <summary>Webhooks of other systems become events. The libraries of senders sign the requests.</summary>
public sealed class HookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string NextSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private const string Plain = "It's a Secret to Everybody";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_standard_webhook_becomes_an_event_with_values_of_the_body()
    {
        await using var host = await StartAsync(
            Source("orders") with
            {
                Topic = "shop/{body.data.customer}/{hook}",
                Type = "shop.{event}",
            }
        );
        const string body = """{"type":"order.paid","data":{"customer":"a/b","total":1e3}}""";
        Assert.Equal(200, await SendAsync(host, "orders", body, Standard(host, body, "msg_1")));
        var entry = Assert.Single(await EventsAsync(host));
        Assert.Equal(("shop/a%2Fb/orders", "shop.order.paid"), (entry.Topic.Value, entry.Type));
        Assert.Equal(body, Encoding.UTF8.GetString(entry.Data.Span));
        Assert.Equal("msg_1", entry.Headers["webhook-id"]);
    }

    [Fact]
    public async Task A_repeated_id_publishes_once_and_keeps_the_first_content()
    {
        await using var host = await StartAsync(Source("orders"), Source("bills"));
        foreach (var body in new[] { "1", "1", "2" })
            Assert.Equal(200, await SendAsync(host, "orders", body, Standard(host, body, "msg_1")));
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(200, await SendAsync(host, "orders", "1", Standard(host, "1", "msg_1")));
        Assert.Equal(200, await SendAsync(host, "orders", "1", Standard(host, "1", "msg_2")));
        Assert.Equal(200, await SendAsync(host, "bills", "3", Standard(host, "3", "msg_1")));
        Assert.Equal(
            ["hooks/orders 1", "hooks/orders 1", "hooks/bills 3"],
            (await EventsAsync(host)).Select(one => $"{one.Topic} {Encoding.UTF8.GetString(one.Data.Span)}")
        );
    }

    [Fact]
    public async Task Each_secret_of_a_rotation_is_accepted()
    {
        await using var host = await StartAsync(Source("orders") with { Secrets = [Secret, NextSecret] });
        Assert.Equal(200, await SendAsync(host, "orders", "1", Standard(host, "1", "msg_1", secret: NextSecret)));
        // During a rotation, a sender signs with both.
        var both = Standard(host, "2", "msg_2", secret: NextSecret);
        both["webhook-signature"] = $"v1a,AAAA v1,{new string('A', 43)}= {both["webhook-signature"]}";
        Assert.Equal(200, await SendAsync(host, "orders", "2", both));
        Assert.Equal(2, (await EventsAsync(host)).Count);
    }

    [Theory]
    [InlineData("webhook-id", "msg_2", "wrong")]
    [InlineData("webhook-id", null, "missing")]
    [InlineData("webhook-timestamp", null, "missing")]
    [InlineData("webhook-timestamp", "soon", "malformed")]
    [InlineData("webhook-signature", null, "missing")]
    [InlineData("webhook-signature", "v1,AAAA", "malformed")]
    [InlineData("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "wrong")]
    public async Task A_forged_standard_webhook_gets_401_without_a_reason(string header, string? value, string reason)
    {
        var refusals = new Refusals();
        await using var host = await StartAsync(services => services.AddSingleton<IRefusalObserver>(refusals), Source("orders"));
        var headers = Standard(host, "1", "msg_1");
        if (value is null)
            headers.Remove(header);
        else
            headers[header] = value;
        await RefusedAsync(host, "orders", "1", headers);
        Assert.Equal(reason, refusals.Reason);
        Assert.Empty(await EventsAsync(host));
    }

    [Theory]
    [InlineData(-301, 401)]
    [InlineData(-300, 200)]
    [InlineData(300, 200)]
    [InlineData(301, 401)]
    public async Task A_signed_time_outside_of_the_tolerance_gets_401(int seconds, int status)
    {
        await using var host = await StartAsync(Source("orders"), Source("stripe") with { Scheme = HookScheme.Stripe, Secrets = [Plain] });
        var time = host.Time.GetUtcNow().AddSeconds(seconds);
        Assert.Equal(status, await SendAsync(host, "orders", "1", Standard(host, "1", "msg_1", time)));
        const string body = """{"id":"evt_1"}""";
        Assert.Equal(status, await SendAsync(host, "stripe", body, Stripe(body, time)));
    }

    [Fact]
    public async Task A_changed_body_gets_401()
    {
        await using var host = await StartAsync(Source("orders"));
        await RefusedAsync(host, "orders", "2", Standard(host, "1", "msg_1"));
    }

    [Fact]
    public async Task Github_example_of_its_documentation_is_accepted()
    {
        await using var host = await StartAsync(GitHub with { Format = EventFormat.Text, Type = "github.{event}" });
        var headers = GitHubHeaders("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", "72d3162e");
        Assert.Equal(200, await SendAsync(host, "github", "Hello, World!", headers));
        Assert.Equal(200, await SendAsync(host, "github", "Hello, World!", headers));
        var entry = Assert.Single(await EventsAsync(host));
        Assert.Equal((EventFormat.Text, "github.push"), (entry.Format, entry.Type));
        headers["X-Hub-Signature-256"] = headers["X-Hub-Signature-256"].Replace("757", "758", StringComparison.Ordinal);
        await RefusedAsync(host, "github", "Hello, World!", headers);
        headers.Remove("X-Hub-Signature-256");
        await RefusedAsync(host, "github", "Hello, World!", headers);
    }

    [Fact]
    public async Task A_stripe_event_is_known_by_the_id_in_its_body()
    {
        await using var host = await StartAsync(Source("stripe") with { Scheme = HookScheme.Stripe, Secrets = [Plain], Type = "{event}" });
        foreach (var pending in new[] { 2, 1 })
        {
            var body = $$"""{"id":"evt_1","type":"charge.paid","pending_webhooks":{{pending}}}""";
            Assert.Equal(200, await SendAsync(host, "stripe", body, Stripe(body, host.Time.GetUtcNow())));
        }
        var entry = Assert.Single(await EventsAsync(host));
        Assert.Equal("charge.paid", entry.Type);
        const string other = """{"id":"evt_2","type":"charge.paid"}""";
        await RefusedAsync(host, "stripe", other, Stripe("{}", host.Time.GetUtcNow()));
        await RefusedAsync(host, "stripe", other, new(StringComparer.Ordinal) { ["Stripe-Signature"] = "v1=00,x" });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_plain_digest_is_read_as_hexadecimal_digits_and_as_base64(bool isHex)
    {
        var source = Source("plain") with
        {
            Scheme = HookScheme.Hmac,
            Secrets = [Plain],
            Format = EventFormat.Binary,
            SignatureHeader = "X-Digest",
            IdHeader = "X-Request",
            EventHeader = "X-Topic",
            Type = "{event}",
        };
        await using var host = await StartAsync(source);
        byte[] body = [0, 255, 1];
        var digest = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Plain), body);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["X-Digest"] = isHex ? Convert.ToHexString(digest) : Convert.ToBase64String(digest),
            ["X-Request"] = new string('r', 200),
            ["X-Topic"] = "orders/create",
        };
        Assert.Equal(200, await SendAsync(host, "plain", body, headers));
        Assert.Equal(200, await SendAsync(host, "plain", body, headers));
        var entry = Assert.Single(await EventsAsync(host));
        Assert.Equal((EventFormat.Binary, "orders/create"), (entry.Format, entry.Type));
        Assert.Equal(body, entry.Data.ToArray());
    }

    [Theory]
    [InlineData("{", 400, "invalid_json")]
    [InlineData("{}", 400, "invalid_field")]
    [InlineData("""{"type":[]}""", 400, "invalid_field")]
    [InlineData("""{"type":""}""", 400, "invalid_topic")]
    [InlineData("""{"type":"\ud800"}""", 400, "invalid_field")]
    public async Task A_signed_body_without_the_needed_values_gets_400(string body, int status, string code)
    {
        await using var host = await StartAsync(Source("orders") with { Topic = "orders/{event}" });
        using var response = await RespondAsync(host, "orders", Encoding.UTF8.GetBytes(body), Standard(host, body, "msg_1"));
        await HttpAssert.ProblemAsync(response, status, code);
        Assert.Contains(host.Log.Entries, entry => entry.Text.StartsWith("Hook orders refused a signed", StringComparison.Ordinal));
        Assert.Empty(await EventsAsync(host));
    }

    [Fact]
    public async Task Unknown_names_large_bodies_and_floods_are_refused()
    {
        await using var host = await StartAsync(Source("orders") with { MaxBytes = 8, PerSecond = 1, Burst = 2 });
        using var unknown = await RespondAsync(host, "bills", "1"u8.ToArray(), Standard(host, "1", "msg_1"));
        await HttpAssert.ProblemAsync(unknown, 404, "not_found");
        using var large = await RespondAsync(host, "orders", new byte[9], []);
        await HttpAssert.ProblemAsync(large, 413, "too_large");
        // Forged requests take nothing from the rate of the sender.
        for (var i = 0; i < 5; i++)
            await RefusedAsync(host, "orders", "1", []);
        for (var i = 0; i < 2; i++)
            Assert.Equal(200, await SendAsync(host, "orders", "1", Standard(host, "1", $"msg_{i}")));
        using var flood = await RespondAsync(host, "orders", "1"u8.ToArray(), Standard(host, "1", "msg_3"));
        await HttpAssert.ProblemAsync(flood, 429, "too_many_requests");
        Assert.NotNull(flood.Headers.RetryAfter);
    }

    [Fact]
    public async Task Invalid_options_stop_the_start_and_hide_secrets()
    {
        HookSource[] sources =
        [
            Source("a b") with
            {
                Secrets = [],
            },
            Source("x") with
            {
                Secrets = ["whsec_not base64"],
                Topic = "a//{hook}",
            },
            Source("x") with
            {
                Scheme = HookScheme.GitHub,
                Secrets = ["too short"],
                Type = "{name}",
            },
            Source("y") with
            {
                SecretFiles = ["missing.secret"],
                Type = "lease.x",
                Format = EventFormat.Text,
            },
            Source("z") with
            {
                Topic = "a/{body.id}",
                Format = EventFormat.Text,
                Tolerance = TimeSpan.Zero,
            },
        ];
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(sources));
        foreach (
            var part in new[]
            {
                "Sources[0].Secrets: the hook needs 1 to 8 secrets",
                "Sources[].Name must have 1 to 64",
                "Sources[1].Secrets[0]: a secret of Standard Webhooks is base64",
                "Sources[1].Topic: The name 'a//x' has an empty segment",
                "Sources[2].Name: 'x' is the name of another hook",
                "Sources[2].Secrets[0]: the secret has 9 bytes",
                "Sources[2].Type: '{name}' is no placeholder",
                "Sources[3].SecretFiles[0]: 'missing.secret' cannot be read",
                "Sources[3].Type: The event type 'lease.x' is reserved",
                "Sources[4].Format: a placeholder reads the body",
                "Tolerance",
            }
        )
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("too short", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not base64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mapping_without_the_service_names_the_missing_call()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            EngineHost.StartAsync(map: static app => app.MapDunlinHooks())
        );
        Assert.Contains("AddHooks()", error.Message, StringComparison.Ordinal);
    }

    private static TestSource GitHub => Source("github") with { Scheme = HookScheme.GitHub, Secrets = [Plain] };

    private static TestSource Source(string name) => new(name);

    private static Task<EngineHost> StartAsync(params HookSource[] sources) => StartAsync(static _ => { }, sources);

    private static Task<EngineHost> StartAsync(Action<IServiceCollection> configure, params HookSource[] sources) =>
        EngineHost.StartAsync(
            configure,
            dunlin =>
                dunlin.AddHooks(hooks =>
                {
                    foreach (var source in sources)
                        hooks.Sources.Add(source);
                }),
            static app => app.MapDunlinHooks()
        );

    private static Dictionary<string, string> Standard(
        EngineHost host,
        string body,
        string id,
        DateTimeOffset? time = null,
        string secret = Secret
    )
    {
        var at = time ?? host.Time.GetUtcNow();
        return new(StringComparer.Ordinal)
        {
            ["webhook-id"] = id,
            ["webhook-timestamp"] = $"{at.ToUnixTimeSeconds()}",
            ["webhook-signature"] = new StandardWebhook(secret).Sign(id, at, body),
        };
    }

    private static Dictionary<string, string> Stripe(string body, DateTimeOffset time) =>
        new(StringComparer.Ordinal)
        {
            ["Stripe-Signature"] = global::Stripe.EventUtility.GenerateSignatureHeader(body, Plain, time.ToUnixTimeSeconds()),
        };

    private static Dictionary<string, string> GitHubHeaders(string signature, string id) =>
        new(StringComparer.Ordinal)
        {
            ["X-Hub-Signature-256"] = signature,
            ["X-GitHub-Delivery"] = id,
            ["X-GitHub-Event"] = "push",
        };

    private static Task<int> SendAsync(EngineHost host, string hook, string body, Dictionary<string, string> headers) =>
        SendAsync(host, hook, Encoding.UTF8.GetBytes(body), headers);

    private static async Task<int> SendAsync(EngineHost host, string hook, byte[] body, Dictionary<string, string> headers)
    {
        using var response = await RespondAsync(host, hook, body, headers);
        return (int)response.StatusCode;
    }

    private static async Task RefusedAsync(EngineHost host, string hook, string body, Dictionary<string, string> headers)
    {
        using var response = await RespondAsync(host, hook, Encoding.UTF8.GetBytes(body), headers);
        var problem = await HttpAssert.ProblemAsync(response, 401, "invalid_signature");
        Assert.Equal(ErrorCode.InvalidSignature.Title, problem.GetProperty("detail").GetString());
        Assert.Equal("Signature", response.Headers.WwwAuthenticate.ToString());
    }

    private static async Task<HttpResponseMessage> RespondAsync(
        EngineHost host,
        string hook,
        byte[] body,
        Dictionary<string, string> headers
    )
    {
        using var client = host.Client(null);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/dunlin/v1/hooks/" + hook) { Content = new ByteArrayContent(body) };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await client.SendAsync(request, Cancellation);
    }

    private static async Task<IReadOnlyList<DunlinEvent>> EventsAsync(EngineHost host) =>
        (await host.Journal.ReadAsync(new JournalQuery(0, null, 100), Cancellation)).Events;

    /// <summary>Options that a test writes in one expression.</summary>
    private sealed record TestSource(string Name)
    {
        public HookScheme Scheme { get; init; }

        public string[] Secrets { get; init; } = [Secret];

        public string[] SecretFiles { get; init; } = [];

        public string Topic { get; init; } = "hooks/{hook}";

        public string Type { get; init; } = "hook.received";

        public EventFormat Format { get; init; }

        public TimeSpan Tolerance { get; init; } = TimeSpan.FromMinutes(5);

        public int MaxBytes { get; init; } = 1024;

        public int PerSecond { get; init; } = 200;

        public int Burst { get; init; } = 1_000;

        public string SignatureHeader { get; init; } = "X-Signature";

        public string? IdHeader { get; init; }

        public string? EventHeader { get; init; }

        public static implicit operator HookSource(TestSource source)
        {
            var options = new HookSource
            {
                Name = source.Name,
                Scheme = source.Scheme,
                Topic = source.Topic,
                Type = source.Type,
                Format = source.Format,
                Tolerance = source.Tolerance,
                MaxBytes = source.MaxBytes,
                PerSecond = source.PerSecond,
                Burst = source.Burst,
                SignatureHeader = source.SignatureHeader,
                IdHeader = source.IdHeader,
                EventHeader = source.EventHeader,
            };
            foreach (var secret in source.Secrets)
                options.Secrets.Add(secret);
            foreach (var file in source.SecretFiles)
                options.SecretFiles.Add(file);
            return options;
        }
    }

    private sealed class Refusals : IRefusalObserver
    {
        public string? Reason { get; private set; }

        public void OnRefused(HttpContext context, DunlinException problem, string traceId) =>
            Reason = context.Features.Get<CredentialRefusal>() is { Credential: "signature" } refusal ? refusal.Reason : null;

        public void OnOriginRefused(HttpContext context, string origin) { }
    }
}
