using Dunlin.Leases;
using Dunlin.Redis.Leases;
using Dunlin.Topics;

namespace Dunlin.Redis.Tests.Snippets;

/// <summary>The code of docs/concepts/soft-leases.md, compiled.</summary>
internal static class SoftLeasesSnippet
{
    public static async Task RunAsync(ISoftLeases softLeases, IImages images, string id, byte[] bytes)
    {
        // <soft-leases>
        await using var lease = await softLeases.TryAcquireAsync(ResourceName.Of("thumbnails", id), TimeSpan.FromSeconds(30));
        if (lease is not null)
            await images.PutAsync(id, bytes, lease.FencingToken); // refuses a token smaller than the largest it has seen
        // </soft-leases>
    }

    internal interface IImages
    {
        Task PutAsync(string id, byte[] bytes, FencingToken token);
    }
}
