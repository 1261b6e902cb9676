using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dunlin.DurableStreams.Subscriptions;
using Dunlin.DurableStreams.Tests.Support;
using Dunlin.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Org.BouncyCastle.Math.EC.Rfc8032;
using static Dunlin.DurableStreams.Tests.Support.SubscriptionCalls;

namespace Dunlin.DurableStreams.Tests.Subscriptions;

/// <summary>Webhooks of subscriptions: signature, retries, leases, fencing and failures of receivers.</summary>
public sealed class WebhookTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_signature_is_valid_for_its_body_and_published_key_only()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        await host.CreateStreamAsync("alice/a");
        var wake = await receiver.NextAsync(host);
        var keys = (await host.SendAsync("GET", "/streams/__ds/jwks.json", user: "")).Is(200);
        Assert.Equal("application/jwk-set+json", keys["Content-Type"]);
        Assert.True(IsValid(wake, wake.Bytes, keys));
        Assert.False(IsValid(wake, [.. wake.Bytes, (byte)' '], keys));
    }

    [Fact]
    public async Task A_new_key_is_published_before_and_the_old_one_after_its_use()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StartAsync(options => options.WebhookKey = 2);
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        await host.CreateStreamAsync("alice/a");
        var wake = await receiver.NextAsync(host);
        var keys = await host.SendAsync("GET", "/streams/__ds/jwks.json", user: "");
        Assert.Equal(3, keys.Json().GetProperty("keys").GetArrayLength());
        Assert.True(IsValid(wake, wake.Bytes, keys));
    }

    [Fact]
    public async Task Nodes_may_change_the_number_of_the_key_one_after_the_other()
    {
        await using var host = await StartAsync();
        var secret = host.Host.Services.GetRequiredService<SigningKeyStore>();
        WebhookKeys Keys(int number) => new(secret, Options.Create(new Hosting.DurableStreamOptions { WebhookKey = number }));
        static IEnumerable<string> Published(WebhookKeys keys) => keys.Published.Keys.Select(key => key.Kid);
        Assert.Contains(Keys(2).CurrentId, Published(Keys(1)));
        Assert.Contains(Keys(1).CurrentId, Published(Keys(2)));
        Assert.DoesNotContain(Keys(1).CurrentId, Published(Keys(3)));
    }

    [Fact]
    public async Task A_receiver_that_is_down_for_an_hour_gets_everything_once_it_is_up()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.AnswerWith(503);
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        await host.CreateStreamAsync("alice/a");
        var first = await receiver.NextAsync(host);
        await host.StatusAsync("s", "failed");
        var second = (await host.CreateStreamAsync("alice/b")).Next;
        var start = host.Time.GetUtcNow();
        await Poll.UntilAsync(
            () =>
            {
                host.Time.Advance(Second * 5);
                return host.Time.GetUtcNow() - start > TimeSpan.FromHours(1);
            },
            "an hour later"
        );
        // Doubled up to 60 s: an hour has far fewer attempts than seconds.
        Assert.InRange(receiver.Received, 2, 100);
        receiver.AnswerWith(200, "{\"done\":true}");
        Wake last;
        do last = await receiver.NextAsync(host, Second * 5);
        while (!last.Tails.ContainsKey("alice/b"));
        Assert.Equal((first.Id, first.Generation), (last.Id, last.Generation));
        await AdvanceUntilAsync(host, async () => await host.CursorAsync("s", "alice/b") == second);
        await host.StatusAsync("s", "active");
    }

    [Fact]
    public async Task Lasting_failure_disables_and_confirmation_starts_again()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.AnswerWith(500);
        await using var host = await StartAsync(options => options.DisableWebhooksAfter = TimeSpan.FromMinutes(1));
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        await AdvanceUntilAsync(host, async () => Status(await host.GetSubscriptionAsync("s")) == "disabled");
        receiver.AnswerWith(200, "{\"done\":true}");
        (await host.SubscribeAsync("s", receiver.Url)).Is(200);
        await host.AckedAsync("s", "alice/a", tail);
        Assert.Equal("active", Status(await host.GetSubscriptionAsync("s")));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_disables_at_once()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.AnswerWith(410);
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        await host.CreateStreamAsync("alice/a");
        await host.StatusAsync("s", "disabled");
        Assert.Equal(1, receiver.Received);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_is_not_followed()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var other = await Receiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = other.Url;
            return Task.CompletedTask;
        };
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        await host.CreateStreamAsync("alice/a");
        await host.StatusAsync("s", "failed");
        Assert.Equal(0, other.Received);
    }

    [Fact]
    public async Task A_slow_receiver_times_out_and_delays_no_other()
    {
        await using var slow = await Receiver.StartAsync();
        await using var quick = await Receiver.StartAsync();
        slow.Answer = static context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        quick.AnswerWith(200, "{\"done\":true}");
        await using var host = await StartAsync();
        (await host.SubscribeAsync("slow", slow.Url)).Is(201);
        (await host.SubscribeAsync("quick", quick.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        await slow.NextAsync(host);
        await host.AckedAsync("quick", "alice/a", tail);
        Assert.Equal("active", Status(await host.GetSubscriptionAsync("slow")));
        await AdvanceUntilAsync(host, async () => Status(await host.GetSubscriptionAsync("slow")) == "failed");
    }

    [Fact]
    public async Task An_expired_lease_fences_the_receiver_and_wakes_again()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url, lease: 1_000)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        var first = await receiver.NextAsync(host);
        Wake second;
        // Repeated while the answer comes later than manual time allows.
        do second = await receiver.NextAsync(host, Second);
        while (second.Generation == first.Generation);
        Assert.True(second.Generation > first.Generation);
        Assert.NotEqual(first.Id, second.Id);
        var late = await host.CallAsync("s", "callback", Ack(first.Id, first.Generation, true, ("alice/a", tail)), first.Token);
        Assert.Equal("FENCED", late.Is(409).Code());
        Assert.Equal("-1", await host.CursorAsync("s", "alice/a"));
    }

    [Fact]
    public async Task A_callback_with_the_token_of_another_wake_is_refused()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        (await host.SubscribeAsync("t", receiver.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        Wake[] wakes = [await receiver.NextAsync(host), await receiver.NextAsync(host)];
        var wake = wakes.Single(one => one.Body.GetProperty("subscription_id").GetString() == "s");
        var other = wakes.Single(one => one != wake);
        var body = () => Ack(wake.Id, wake.Generation, true, ("alice/a", tail));
        Assert.Equal("TOKEN_INVALID", (await host.CallAsync("s", "callback", body(), other.Token)).Is(401).Code());
        Assert.Equal("TOKEN_INVALID", (await host.CallAsync("s", "callback", body(), "1.x")).Is(401).Code());
        Assert.Equal("TOKEN_INVALID", (await host.CallAsync("s", "callback", body(), null)).Is(401).Code());
        (await host.CallAsync("s", "callback", body(), wake.Token)).Is(200);
        Assert.Equal(tail, await host.CursorAsync("s", "alice/a"));
    }

    [Fact]
    public async Task An_acknowledgement_outside_the_stream_moves_no_cursor()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        var wake = await receiver.NextAsync(host);
        var beyond = tail[..^1] + (tail[^1] == '9' ? "x" : "9");
        foreach (var (path, offset) in new[] { ("alice/a", "-1"), ("alice/none", tail), ("alice/a", tail[..17] + "0000000999999999") })
        {
            var body = Ack(wake.Id, wake.Generation, true, ("alice/a", tail), (path, offset));
            Assert.Equal("INVALID_OFFSET", (await host.CallAsync("s", "callback", body, wake.Token)).Is(409).Code());
        }
        var malformed = Ack(wake.Id, wake.Generation, true, ("alice/a", beyond[..5]));
        Assert.Equal("INVALID_REQUEST", (await host.CallAsync("s", "callback", malformed, wake.Token)).Is(400).Code());
        Assert.Equal("-1", await host.CursorAsync("s", "alice/a"));
        // Nor does one before the cursor.
        var moved = Ack(wake.Id, wake.Generation, false, ("alice/a", tail));
        (await host.CallAsync("s", "callback", moved, wake.Token)).Is(200);
        var back = Ack(wake.Id, wake.Generation, false, ("alice/a", tail[..17] + new string('0', 16)));
        Assert.Equal("INVALID_OFFSET", (await host.CallAsync("s", "callback", back, wake.Token)).Is(409).Code());
        Assert.Equal(tail, await host.CursorAsync("s", "alice/a"));
    }

    [Fact]
    public async Task A_restarted_server_continues_with_the_same_wake()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.AnswerWith(503);
        await using var host = await StartAsync();
        (await host.SubscribeAsync("s", receiver.Url)).Is(201);
        var tail = (await host.CreateStreamAsync("alice/a")).Next;
        var first = await receiver.NextAsync(host);
        await host.StatusAsync("s", "failed");
        await host.Host.StopAsync();
        receiver.AnswerWith(200);
        await host.Host.StartAsync();
        var again = await receiver.NextAsync(host, Second);
        Assert.Equal((first.Id, first.Generation, first.Token), (again.Id, again.Generation, again.Token));
        (await host.CallAsync("s", "callback", Ack(again.Id, again.Generation, true, ("alice/a", tail)), again.Token)).Is(200);
    }

    private static Task<StreamHost> StartAsync(Action<Hosting.DurableStreamOptions>? configure = null) =>
        StreamHost.StartAsync(options =>
        {
            options.WebhookNetworks.Add("127.0.0.0/8");
            configure?.Invoke(options);
        });

    private static string Status(StreamAnswer answer) => answer.Is(200).Json().GetProperty("status").GetString()!;

    private static async Task AdvanceUntilAsync(StreamHost host, Func<Task<bool>> condition)
    {
        for (var tries = 0; !await condition(); tries++)
        {
            Assert.True(tries < 3_000, "the state was not reached");
            host.Time.Advance(Second);
            await Poll.TurnAsync();
        }
    }

    private static bool IsValid(Wake wake, byte[] body, StreamAnswer keys)
    {
        var parts = wake.Signature.Split(',').ToDictionary(part => part.Split('=')[0], part => part[(part.IndexOf('=') + 1)..]);
        var key = keys.Json().GetProperty("keys").EnumerateArray().Single(one => one.GetProperty("kid").GetString() == parts["kid"]);
        Assert.True(long.TryParse(parts["t"], NumberStyles.None, CultureInfo.InvariantCulture, out _));
        byte[] signed = [.. Encoding.ASCII.GetBytes(parts["t"] + "."), .. body];
        var (signature, publicKey) = (
            Base64Url.DecodeFromChars(parts["ed25519"]),
            Base64Url.DecodeFromChars(key.GetProperty("x").GetString())
        );
        return Ed25519.Verify(signature, 0, publicKey, 0, signed, 0, signed.Length);
    }
}
