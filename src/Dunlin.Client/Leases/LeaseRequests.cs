namespace Dunlin.Client;

/// <summary>Sends the requests of leases. Thread-safe.</summary>
internal sealed class LeaseRequests(ClientRequests requests)
{
    public ClientRequests Requests => requests;

    public async Task<LeaseAnswer> AcquireAsync(string resource, AcquireBody body, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await requests
                .SendJsonAsync(HttpMethod.Put, PathOf(resource), body, ClientJson.Default.AcquireBody, cancellationToken)
                .ConfigureAwait(false);
            return Granted(answer);
        }
        catch (DunlinClientException exception) when (exception.Problem.Kind == ProblemKind.Held)
        {
            return new LeaseAnswer(null, exception.Problem.Holder);
        }
    }

    public async Task<LeaseAnswer> PreemptAsync(string resource, PreemptBody body, CancellationToken cancellationToken) =>
        Granted(
            await requests
                .SendJsonAsync(HttpMethod.Post, PathOf(resource) + "/take", body, ClientJson.Default.PreemptBody, cancellationToken)
                .ConfigureAwait(false)
        );

    public async Task<LeaseGrant> RenewAsync(string resource, RenewBody body, CancellationToken cancellationToken)
    {
        var answer = await requests
            .SendJsonAsync(HttpMethod.Post, PathOf(resource) + "/renew", body, ClientJson.Default.RenewBody, cancellationToken)
            .ConfigureAwait(false);
        return answer.Read(ClientJson.Default.LeaseGrant);
    }

    public Task HandOffAsync(string resource, HandOffBody body, CancellationToken cancellationToken) =>
        requests.SendJsonAsync(HttpMethod.Post, PathOf(resource) + "/handoff", body, ClientJson.Default.HandOffBody, cancellationToken);

    public Task ReleaseAsync(string resource, string leaseId, CancellationToken cancellationToken) =>
        requests.SendAsync(HttpMethod.Delete, PathOf(resource), null, ("Dunlin-Lease", leaseId), cancellationToken);

    public async Task<LeaseListPage> ListAsync(string? prefix, string? after, int? limit, CancellationToken cancellationToken)
    {
        var query = new QueryText().Add("prefix", prefix).Add("after", after).Add("limit", limit);
        var answer = await requests.GetAsync($"/dunlin/v1/leases{query}", cancellationToken).ConfigureAwait(false);
        return answer.Read(ClientJson.Default.LeaseListPage);
    }

    private static LeaseAnswer Granted(ClientAnswer answer)
    {
        var grant = answer.Read(ClientJson.Default.LeaseGrant);
        return answer.Status == 202 ? new LeaseAnswer(null, grant.Owner, grant.Position) : new LeaseAnswer(grant, null);
    }

    // A resource may contain slashes. They are part of the name, so they are escaped like any other character.
    private static string PathOf(string resource) => "/dunlin/v1/leases/" + Uri.EscapeDataString(resource);
}

/// <summary>The answer to a request for a lease: the grant, or the holder and the place in the queue.</summary>
internal readonly record struct LeaseAnswer(LeaseGrant? Grant, LeaseHolder? Holder, int? Position = null);
