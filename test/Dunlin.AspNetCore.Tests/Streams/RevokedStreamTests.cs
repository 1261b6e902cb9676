using System.Net;
using Dunlin.Access;
using Dunlin.Security;
using Dunlin.Topics;
using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.AspNetCore.Tests.Streams;

public sealed class RevokedStreamTests
{
    [Fact]
    public async Task G4_A_stream_opening_during_revocation_is_refused()
    {
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton<RevokingPolicy>(),
            engine: dunlin => dunlin.AddRevocations().AddAccessPolicy<RevokingPolicy>("race")
        );
        host.Services.GetRequiredService<RevokingPolicy>().Revocations = host.Services.GetRequiredService<Revocations>();
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/events?topic=race/1", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    [Fact]
    public async Task G4_A_stream_opening_during_a_change_of_rights_is_refused()
    {
        await using var host = await EngineHost.StartAsync(
            services => services.AddSingleton<OncePolicy>(),
            engine: dunlin => dunlin.AddAccessPolicy<OncePolicy>("race")
        );
        using var client = host.Client();
        using var response = await client.GetAsync("/dunlin/v1/events?topic=race/1", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal(0, host.Fanout.ConnectionCount);
    }

    /// <summary>Takes the right away after the first access check.</summary>
    private sealed class OncePolicy : IAccessPolicy
    {
        private int _checks;

        public ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken) =>
            new(Interlocked.Increment(ref _checks) == 1);
    }

    /// <summary>Revokes the credential after authentication and after the first access check.</summary>
    private sealed class RevokingPolicy : IAccessPolicy
    {
        public Revocations Revocations { get; set; } = null!;

        public async ValueTask<bool> MayReadAsync(Caller caller, TopicName topic, CancellationToken cancellationToken)
        {
            await Revocations.RevokeAsync(caller.UserId, new RevocationRequest(), cancellationToken);
            return true;
        }
    }
}
