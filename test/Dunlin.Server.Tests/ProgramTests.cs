using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dunlin.Server.Tests.Support;
using Dunlin.TestKit.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dunlin.Server.Tests;

/// <summary>
/// Parts of the server that reflect in a portable build and are generated in a native one. With <c>DUNLIN_TEST_SERVER</c> they run against
/// that program.
/// </summary>
public sealed class ProgramTests(OneServer one) : IClassFixture<OneServer>
{
    private static readonly (string Right, string Pattern)[] Grants =
    [
        ("subscribe", "a/*"),
        ("subscribe", "leases/*"),
        ("publish", "a/*"),
        ("hold", "a/*"),
        ("take", "a/*"),
    ];

    private readonly string _token = Mint.Token("ann", Grants);

    private Uri Address => one.Server.Address;

    [Fact]
    public async Task OpenAPI_document_of_the_program_equals_that_of_this_build()
    {
        await using var program = new ServerProgram();
        await program.StartAsync();
        await using var here = await TestServer.StartInProcessAsync();
        var documents = new List<string>();
        foreach (var address in new[] { program.Address, here.Address })
        {
            using var client = Calls.Client(address, null);
            var document = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json"))!.AsObject();
            Assert.True(document.Remove("servers"));
            Assert.True(document.Remove("info")); // names the entry assembly
            documents.Add(document.ToJsonString());
        }
        Assert.Contains("leases/{path}", documents[0], StringComparison.Ordinal);
        Assert.Equal(documents[1], documents[0]);
    }

    [Theory]
    [InlineData("""{"streams":[null]}""", "streams[0]", "must not be null")]
    [InlineData("""{"streams":[{"id":"a","path":null}]}""", "streams[0].path", "must not be null")]
    [InlineData("""{"streams":[{"id":"a"}]}""", "streams[0].path", "is missing")]
    [InlineData("""{"streams":[{"id":"a","path":"/x","colour":1}]}""", "streams[0].colour", "is not a known field")]
    [InlineData("""{"streams":7}""", "streams", "must be an array")]
    public async Task A_wrong_body_is_refused_with_the_path_of_the_fault(string body, string field, string reason)
    {
        using var client = Calls.Client(Address, _token);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/dunlin/v1/streams", content);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal((HttpStatusCode.BadRequest, field), (response.StatusCode, (string?)problem["field"]));
        Assert.Contains(reason, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_passes_from_holder_to_waiter_and_is_announced()
    {
        var other = Mint.Token("bob", Grants);
        await using var reader = await Calls.OpenAsync(Address, _token, "topic=leases/a");
        await reader.UntilAsync("dunlin.hello");
        var (status, held) = await LeaseAsync(_token, HttpMethod.Put, "", new { leaseId = "lease-of-ann", seconds = 60 });
        Assert.Equal(201, status);
        var fence = held.GetProperty("fence").GetInt64();
        Assert.Contains($"\"fence\":{fence}", (await reader.UntilAsync("lease.granted")).Data, StringComparison.Ordinal);

        (status, var refused) = await LeaseAsync(other, HttpMethod.Put, "", new { leaseId = "lease-of-bob", seconds = 60 });
        Assert.Equal((423, "ann"), (status, refused.GetProperty("holder").GetProperty("userId").GetString()));
        (status, var waiting) = await LeaseAsync(
            other,
            HttpMethod.Put,
            "",
            new
            {
                leaseId = "lease-of-bob",
                seconds = 60,
                wait = true,
            }
        );
        Assert.Equal((202, 1), (status, waiting.GetProperty("position").GetInt32()));
        Assert.Equal(200, (await LeaseAsync(_token, HttpMethod.Post, "/renew", new { leaseId = "lease-of-ann", fence })).Status);
        Assert.Equal(200, (await LeaseAsync(_token, HttpMethod.Post, "/handoff", new { leaseId = "lease-of-ann", fence })).Status);
        Assert.Contains("\"userId\":\"bob\"", (await reader.UntilAsync("lease.granted")).Data, StringComparison.Ordinal);

        var (_, list) = await Calls.SendAsync(Address, _token, HttpMethod.Get, "/dunlin/v1/leases?prefix=a");
        var listed = list.GetProperty("leases").EnumerateArray().Single(lease => lease.GetProperty("resource").GetString() == "a/lease");
        Assert.Equal("bob", listed.GetProperty("owner").GetProperty("userId").GetString());
        (status, var lost) = await LeaseAsync(_token, HttpMethod.Post, "/renew", new { leaseId = "lease-of-ann", fence });
        Assert.Equal((409, "handedOff"), (status, lost.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task A_page_of_the_journal_has_the_events_as_they_were_published()
    {
        var position = await Calls.PublishAsync(Address, _token, "a/journal", new { text = "Ünal <b>" });
        await Calls.PublishAsync(Address, _token, "a/journal", 2);
        var (_, page) = await Calls.SendAsync(Address, _token, HttpMethod.Get, "/dunlin/v1/journal?topic=a/journal");
        var events = page.GetProperty("events");
        Assert.Equal(2, events.GetArrayLength());
        Assert.Equal("Ünal <b>", events[0].GetProperty("data").GetProperty("text").GetString());
        (_, page) = await Calls.SendAsync(Address, _token, HttpMethod.Get, $"/dunlin/v1/journal?topic=a/journal&after={position}");
        Assert.Equal(2, Assert.Single(page.GetProperty("events").EnumerateArray()).GetProperty("data").GetInt32());
    }

    [Fact]
    public async Task Metrics_listener_serves_the_meters_of_engine_and_runtime()
    {
        await using var program = new ServerProgram();
        var port = ServerProcess.FreePort().ToString(CultureInfo.InvariantCulture);
        program.Settings["Dunlin__Metrics"] = "true";
        program.Settings["Dunlin__MetricsAddress"] = "127.0.0.1:" + port;
        program.Settings["Dunlin__Tokens__SigningKey"] = Mint.KeyText;
        await program.StartAsync();
        await using var reader = await Calls.OpenAsync(program.Address, _token, "topic=a/1");
        await reader.UntilAsync("dunlin.hello");
        using var client = new HttpClient();
        var text = await client.GetStringAsync($"http://127.0.0.1:{port}/metrics");
        Assert.Matches(new Regex("^dunlin_fanout_connections", RegexOptions.Multiline), text);
        Assert.Matches(new Regex("^dotnet_gc_", RegexOptions.Multiline), text);
    }

    [Fact]
    public async Task Keys_of_an_authority_validate_the_tokens_of_its_issuer()
    {
        using var rsa = RSA.Create(2048);
        var key = rsa.ExportParameters(includePrivateParameters: false);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var authority = builder.Build();
        authority.MapGet(
            "/.well-known/openid-configuration",
            (HttpContext context) =>
                new JsonObject
                {
                    ["issuer"] = "https://login.example",
                    ["jwks_uri"] = $"http://{context.Request.Host}/keys",
                    ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
                }
        );
        authority.MapGet(
            "/keys",
            () =>
                new JsonObject
                {
                    ["keys"] = new JsonArray(
                        new JsonObject
                        {
                            ["kty"] = "RSA",
                            ["use"] = "sig",
                            ["kid"] = "1",
                            ["n"] = System.Buffers.Text.Base64Url.EncodeToString(key.Modulus),
                            ["e"] = System.Buffers.Text.Base64Url.EncodeToString(key.Exponent),
                        }
                    ),
                }
        );
        await authority.StartAsync();
        await using var server = await TestServer.StartAsync(
            ("Tokens:TrustedIssuers:0:Issuer", "https://login.example"),
            ("Tokens:TrustedIssuers:0:Audience", "us"),
            ("Tokens:TrustedIssuers:0:Authority", authority.Urls.Single())
        );
        var token = Mint.Sign(
            """{"alg":"RS256","typ":"JWT","kid":"1"}""",
            Mint.Claims("ann", Grants, ("iss", "https://login.example"), ("aud", "us")),
            text => rsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        );
        Assert.Equal((200, ""), await Calls.TryOpenAsync(server.Address, token, "topic=a/1"));
    }

    private Task<(int Status, System.Text.Json.JsonElement Answer)> LeaseAsync(string token, HttpMethod method, string verb, object body) =>
        Calls.SendAsync(Address, token, method, "/dunlin/v1/leases/a/lease" + verb, body);
}
