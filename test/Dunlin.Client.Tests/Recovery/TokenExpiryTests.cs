using Dunlin.Client.Tests.Support;
using Dunlin.Journal;
using Dunlin.Security;
using Dunlin.TestKit;
using Dunlin.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Client.Tests.Recovery;

/// <summary>A token that expires while its stream is open. Kestrel and the client share one manual clock.</summary>
public sealed class TokenExpiryTests : IAsyncLifetime
{
    private const int Events = 20;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(20);

    private DunlinTestHost _host = null!;
    private int _published;
    private int _renewals;

    public async ValueTask InitializeAsync() =>
        _host = await DunlinTestHost.StartAsync(options =>
        {
            options.Dunlin = static dunlin =>
                dunlin
                    .AddInMemory()
                    .AddTokens(static tokens =>
                    {
                        tokens.SigningKey = Convert.ToBase64String(new byte[32]);
                        tokens.ClockSkew = TimeSpan.Zero;
                    })
                    .AddTokenGrants();
            options.Services = static services =>
                services.AddAuthenticationCore(authentication => authentication.DefaultScheme = DunlinAuthentication.Scheme);
            options.Authentication = static app => app.UseDunlinSecurity();
        });

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task G6_Renewed_stream_loses_and_doubles_nothing()
    {
        using var client = NewClient(Issue);
        await using var reader = Reader.Start(client, ["a/*"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        for (var round = 1; round <= 5; round++)
        {
            var streams = reader.State.Stream;
            // Events arrive before, during and after the expiry.
            var publishing = Task.Run(PublishAsync);
            _host.Time.Advance(Lifetime);
            await reader.WhenAsync(state => state.Status == ConnectionStatus.Live && state.Stream > streams);
            await publishing.WithinLimit();
            await PublishAsync();
        }
        for (var expected = 0; expected < _published; expected++)
            Assert.Equal($"{expected}", (await reader.NextAsync()).GetText());
        Assert.False(reader.TryNext(out _));
        // One token for each stream, and no delay before a renewal.
        Assert.Equal((6, 6), (_renewals, reader.State.Stream));
        Assert.DoesNotContain(reader.States, state => state.Status == ConnectionStatus.Waiting);
    }

    [Fact]
    public async Task Failed_renewal_ends_the_subscription_once()
    {
        using var client = NewClient(() => _renewals == 1 ? Issue() : null);
        await using var reader = Reader.Start(client, ["a/*"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        _host.Time.Advance(Lifetime);
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended.WithinLimit());
        Assert.Equal((ProblemKind.SignedOut, ProblemClass.Stop), (error.Problem.Kind, error.Problem.Class));
        Assert.Equal((ConnectionStatus.SignedOut, 2, 2), (reader.State.Status, reader.State.Stream, _renewals));
    }

    [Fact]
    public async Task Expired_token_returned_again_ends_the_subscription_once()
    {
        string? first = null;
        using var client = NewClient(() => first ??= Issue());
        await using var reader = Reader.Start(client, ["a/*"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        _host.Time.Advance(Lifetime);
        var error = await Assert.ThrowsAsync<DunlinClientException>(() => reader.Ended.WithinLimit());
        Assert.Equal((ProblemKind.SignedOut, 401), (error.Problem.Kind, error.Problem.Status));
        Assert.Equal((2, 2), (reader.State.Stream, _renewals));
    }

    [Fact]
    public async Task Renewal_that_throws_is_repeated_with_delays_and_then_resumes()
    {
        using var client = NewClient(() =>
            _renewals is > 1 and < 5 ? throw new InvalidOperationException("The vault is sealed.") : Issue()
        );
        await using var reader = Reader.Start(client, ["a/*"]);
        await reader.WhenAsync(ConnectionStatus.Live);
        _host.Time.Advance(Lifetime);
        for (var stream = 2; stream <= 4; stream++)
        {
            await reader.WhenAsync(state => state.Status == ConnectionStatus.Waiting && state.Stream == stream);
            // No attempt without a delay.
            Assert.Equal((stream, ProblemKind.Network), (_renewals, reader.State.Problem?.Kind));
            Assert.True(reader.State.Delay > TimeSpan.Zero);
            await PublishAsync();
            _host.Time.Advance(reader.State.Delay);
        }
        await reader.WhenAsync(ConnectionStatus.Live);
        for (var expected = 0; expected < _published; expected++)
            Assert.Equal($"{expected}", (await reader.NextAsync()).GetText());
        Assert.Equal((5, 5), (_renewals, reader.State.Stream));
    }

    private DunlinClient NewClient(Func<string?> renew) =>
        new(
            new DunlinClientOptions
            {
                Address = _host.Address,
                TimeProvider = _host.Time,
                GetToken = _ =>
                {
                    Interlocked.Increment(ref _renewals);
                    return new ValueTask<string?>(renew());
                },
            }
        );

    private string Issue() =>
        _host
            .Get<AccessTokens>()
            .Issue(new AccessTokenRequest("ann") { Lifetime = Lifetime, Grants = Grants.Parse("""{"subscribe":["a/*"]}""") });

    private async Task PublishAsync()
    {
        for (var i = 0; i < Events; i++)
            await _host.Journal.AppendAsync([EventDraft.Of(TopicName.Parse("a/1"), "n", _published++)], null, CancellationToken.None);
    }
}
