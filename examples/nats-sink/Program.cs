using Dunlin.Consumers;
using Dunlin.Journal;
using Dunlin.Topics;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NatsSink;

var builder = WebApplication.CreateBuilder(args);
var nats = new NatsOpts { Url = builder.Configuration["Nats"] ?? "nats://127.0.0.1:4222" };
builder.Services.AddSingleton(new NatsConnection(nats));
builder.Services.AddSingleton<INatsJSContext>(provider => new NatsJSContext(provider.GetRequiredService<NatsConnection>()));
builder.Services.AddSingleton<JetStreamSink>();

var dunlin = builder.Services.AddDunlin();
if (builder.Configuration["Store"] is { } store)
    dunlin.AddPostgres(store);
else
    dunlin.AddSqlite(builder.Configuration["Data"] ?? "nats-sink.db");
dunlin.AddEventConsumer<JetStreamSink>(
    "nats",
    options =>
    {
        options.Patterns.Add("orders/**");
        options.Start = ConsumerStart.Oldest;
        options.ClaimDuration = TimeSpan.FromSeconds(5); // a killed node delays the sink by at most this time
        options.MaxDelay = TimeSpan.FromSeconds(5); // so does a NATS server that was down
    }
);

var app = builder.Build();
app.MapPut(
    "/api/orders/{id}",
    async (string id, IJournal journal) =>
    {
        var draft = EventDraft.Of(TopicName.Of("orders", id), "order.added", new { id });
        await journal.AppendAsync([draft], new IdempotencyKey("orders", id), CancellationToken.None);
    }
);
app.Run();
