using Dunlin.Fuzz.Engine;

namespace Dunlin.Fuzz.Targets;

/// <summary>All targets, in the order of a run.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> Create(int seed) =>
        [
            NameTargets.Positions(),
            NameTargets.Topics(),
            JsonTargets.Texts(),
            JsonTargets.Publish(),
            JsonTargets.Times(),
            StreamTargets.Events(),
            StreamTargets.WebSocket(),
            BackplaneTargets.Redis(),
            BackplaneTargets.Notify(),
            MercureTargets.Forms(),
            MercureTargets.Urls(),
            ResolverTargets.Html(),
            ResolverTargets.JsonLd(),
            ResolverTargets.Xml(),
            TokenTarget.Create(),
            BorderTarget.Create(),
            RequestTargets.Publish(),
            RequestTargets.DurableStreams(),
            RequestTargets.Mercure(),
            RequestTargets.Leases(),
            RequestTargets.Replicache(),
            RequestTargets.RxDb(),
            new EndpointTarget("server-endpoints", isServer: true, seed) { Weight = 4 },
            new EndpointTarget("host-endpoints", isServer: false, seed) { Weight = 6 },
        ];
}
