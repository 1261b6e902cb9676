#pragma warning disable MA0047 // one file, top-level statements
// The server that bench/README.md measures: the endpoints of the engine, with a durable journal.
// Usage: Dunlin.Bench.Server PORT FILE.db | PORT memory | PORT "Host=..." [REDIS] (PostgreSQL). Every client is signed in as "bench" and
// has all permissions. With BENCH_MERCURE, the secret of its tokens, the server is a Mercure hub too. With BENCH_TLS=PORT,CERT.pem,KEY.pem
// it also serves HTTP/1.1 and HTTP/2 over TLS.
using System.Globalization;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using Dunlin.Hosting;
using Dunlin.Mercure;
using Dunlin.Publishing;
using Dunlin.Streams;
using Dunlin.Topics;
using Dunlin.Transport;

// The framework watches settings below the content root, so the data must be elsewhere: docs/operations/running.md.
var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:" + args[0]);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.LimitConnectionsToOpenFiles();
    if (Environment.GetEnvironmentVariable("BENCH_TLS")?.Split(',') is not { } tls)
        return;
    kestrel.Listen(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture));
    kestrel.Listen(
        IPAddress.Loopback,
        int.Parse(tls[0], CultureInfo.InvariantCulture),
        endpoint => endpoint.UseHttps(X509Certificate2.CreateFromPemFile(tls[1], tls[2]))
    );
});
if (Environment.GetEnvironmentVariable("BENCH_DIRECT") != "0")
    builder.WebHost.UseDirectTransport();
builder.Services.AddHealthChecks().AddDunlin();
var dunlin = builder.Services.AddDunlin().AddAccessPolicy<Everything>("");
if (args[1] == "memory")
    dunlin.AddInMemory();
else if (args[1].Contains('='))
    dunlin.AddPostgres(args[1]);
else
    dunlin.AddSqlite(args[1]);
var mercureSecret = Environment.GetEnvironmentVariable("BENCH_MERCURE");
if (mercureSecret is not null)
    dunlin.AddMercure(hub =>
    {
        hub.Url = "https://hub.example.com/.well-known/mercure";
        hub.Issuers.Add(new MercureIssuer { Issuer = "https://example.com", Secrets = { mercureSecret } });
    });
if (args.Length > 2)
    dunlin.AddRedisBackplane(args[2]);
builder.Services.Configure<EventStreamOptions>(o => (o.MaxPerUser, o.MaxPerAddress) = (1_000_000, 1_000_000));
builder.Services.Configure<PublishOptions>(o => (o.PerSecond, o.TopicsPerHour, o.KeysPerHour) = (0, 0, 0));

var app = builder.Build();
var bench = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "bench"), new Claim("name", "bench")], "bench"));
app.Use(
    (context, next) =>
    {
        context.User = bench;
        return next(context);
    }
);
app.UseDunlinProblems();
app.MapDunlin();
app.MapDunlinHealth();
if (mercureSecret is not null)
    app.MapMercure();
app.Run();

internal sealed class Everything : IAccessPolicy
{
    public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

    public ValueTask<bool> MayPublishAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) => new(true);

    public ValueTask<bool> MayHoldAsync(Caller caller, ResourceName resource, CancellationToken cancellationToken) => new(true);
}
